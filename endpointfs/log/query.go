package log

import (
	"context"
	"os"
	"time"

	"chiltepin/endpointfs/internal/regular"
)

// Query says which records of a log are wanted. The zero value wants the
// newest, as many as MaxBytes allows.
type Query struct {
	Tail  int       // at most so many records; 0 for no such limit
	Since time.Time // only records from then on
	Level string    // only records of this level or a graver one
	Grep  string    // only records that match this regular expression (RE2), in which ^ and $ are those of a line
	// Cursor goes on where a page ended: after it with its Cursor, before it
	// with its Older. Empty asks for the newest records.
	Cursor   string
	MaxBytes int // of text in a page; 0 for 1 MiB. One record is returned even when it alone has more.
}

// Page is a piece of a log.
type Page struct {
	Records []Record // oldest first
	// Cursor goes on after the page, with what has been written since: giving
	// it back from time to time follows the log.
	Cursor string
	// Older goes on before the page; it is empty when nothing is there, or
	// nothing that the query could want.
	Older string
	// More is true when the page was bounded by Tail or MaxBytes and there is
	// more in the direction in which it was read.
	More bool
	// Gap is true when the log has lost what the cursor pointed to, so that
	// records may be missing before the page.
	Gap bool
}

const (
	defaultPage = 1 << 20
	// The daemon writes local time, which goes back by an hour in autumn.
	clockSlack = 2 * time.Hour
)

// Query reads a page of the log, from its end unless a cursor says otherwise,
// across its rotation. It needs memory for the page and half a megabyte more,
// whatever the size of the log, and ends early when ctx does. A log that is
// not there is empty. Another text than a cursor is a *[CursorError].
func (l Files) Query(ctx context.Context, q Query) (Page, error) {
	f, err := newFilter(q)
	if err != nil {
		return Page{}, err
	}
	if q.MaxBytes <= 0 {
		q.MaxBytes = defaultPage
	}
	files, err := l.openFiles()
	if err != nil {
		return Page{}, err
	}
	defer closeAll(files)
	p := pager{ctx: ctx, query: q, filter: f, files: files}
	at, found, err := p.locateStart()
	if err != nil {
		return Page{}, err
	}
	p.page.Gap = !found
	switch {
	case !at.older:
		err = p.readForward(at.file, at.offset)
	case found && at.file >= 0:
		err = p.readBackward(at.file, at.offset)
	}
	return p.page, err
}

func closeAll(files []openFile) {
	for _, f := range files {
		f.Close()
	}
}

// openFile is one file of a log, as large as it was when it was opened.
type openFile struct {
	*os.File
	size int64
}

// openFiles opens the files of the log, newest first.
func (l Files) openFiles() ([]openFile, error) {
	var files []openFile
	for _, path := range []string{l.path, l.path + ".1"} {
		f, size, err := regular.Open(path)
		if err != nil {
			closeAll(files)
			return nil, err
		}
		if f == nil {
			continue
		}
		// Rotated between the two openings, it is the same file twice.
		if len(files) == 1 && sameFile(files[0].File, f) {
			f.Close()
			continue
		}
		files = append(files, openFile{f, size})
	}
	return files, nil
}

func sameFile(a, b *os.File) bool {
	x, err1 := a.Stat()
	y, err2 := b.Stat()
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}
