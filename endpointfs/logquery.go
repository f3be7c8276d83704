package endpointfs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"
)

// LogQuery says which records of a log are wanted. The zero value wants the
// newest, as many as MaxBytes allows.
type LogQuery struct {
	Tail  int       // at most so many records; 0 for no such limit
	Since time.Time // only records from then on
	Level string    // only records of this level or a graver one
	Grep  string    // only records that match this regular expression (RE2), in which ^ and $ are those of a line
	// Cursor goes on where a page ended: after it with its Cursor, before it
	// with its Older. Empty asks for the newest records.
	Cursor   string
	MaxBytes int // of text in a page; 0 for 1 MiB. One record is returned even when it alone has more.
}

// LogPage is a piece of a log.
type LogPage struct {
	Lines []LogLine // oldest first
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
// not there is empty. A cursor that is none is a *[CursorError].
func (l Log) Query(ctx context.Context, q LogQuery) (LogPage, error) {
	f, err := newFilter(q)
	if err != nil {
		return LogPage{}, err
	}
	if q.MaxBytes <= 0 {
		q.MaxBytes = defaultPage
	}
	files, err := l.open()
	if err != nil {
		return LogPage{}, err
	}
	defer closeAll(files)
	p := pager{ctx: ctx, query: q, filter: f, files: files}
	at, found, err := p.locate()
	if err != nil {
		return LogPage{}, err
	}
	p.page.Gap = !found
	switch {
	case !at.older:
		err = p.forward(at.file, at.offset)
	case found && at.file >= 0:
		err = p.backward(at.file, at.offset)
	}
	return p.page, err
}

func closeAll(files []openFile) {
	for _, f := range files {
		f.Close()
	}
}

// logFiles are the files of a log, newest first.
type openFile struct {
	*os.File
	size int64
}

func (l Log) open() ([]openFile, error) {
	var files []openFile
	for _, path := range []string{l.path, l.path + ".1"} {
		f, size, err := openLog(path)
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

type pager struct {
	ctx    context.Context
	query  LogQuery
	filter filter
	files  []openFile
	page   LogPage
	bytes  int
}

type place struct {
	file   int
	offset int64
	older  bool
}

// locate returns where to begin, and false when the log has lost that place.
// Then it is the beginning.
func (p *pager) locate() (place, bool, error) {
	if p.query.Cursor == "" {
		if len(p.files) == 0 {
			return place{file: -1}, true, nil
		}
		return place{0, p.files[0].size, true}, true, nil
	}
	c, err := parseCursor(p.query.Cursor)
	if err != nil {
		return place{}, false, err
	}
	for i, f := range p.files {
		if c.in(f, f.size) {
			return place{i, c.offset, c.older}, true, nil
		}
	}
	return place{len(p.files) - 1, 0, c.older}, c.offset == 0, nil
}

// take puts a record into the page, unless it is full.
func (p *pager) take(line LogLine) bool {
	if len(p.page.Lines) > 0 && p.bytes+len(line.Text) > p.query.MaxBytes {
		p.page.More = true
		return false
	}
	p.page.Lines = append(p.page.Lines, line)
	p.bytes += len(line.Text)
	return true
}

// full says whether the page has all the records that it may have.
func (p *pager) full() bool { return len(p.page.Lines) == p.query.Tail && p.query.Tail > 0 }

// backward reads towards the beginning of the log.
func (p *pager) backward(file int, offset int64) error {
	newest, err := cursorAt(p.files[file], offset, false)
	if err != nil {
		return err
	}
	p.page.Cursor = newest.String()
	var next time.Time // of the record after the one that is read
	for ; file < len(p.files); file++ {
		f := p.files[file]
		oldest, err := p.backwardFile(newReverse(f, offset), &next)
		if err != nil {
			return err
		}
		if oldest >= 0 {
			p.page.More = p.page.More || p.full() && (oldest > 0 || file+1 < len(p.files))
			if p.page.More {
				c, err := cursorAt(f, oldest, true)
				if err != nil {
					return err
				}
				p.page.Older = c.String()
			}
			break
		}
		if file+1 < len(p.files) {
			offset = p.files[file+1].size
		}
	}
	slices.Reverse(p.page.Lines)
	return nil
}

// backwardFile reads one file to its beginning, or until there is no need to
// go on. Then it returns the offset of the oldest record that it took,
// otherwise -1.
func (p *pager) backwardFile(r *reverse, next *time.Time) (int64, error) {
	var rec record
	oldest := r.pos
	for lines := 0; ; lines++ {
		if lines%4096 == 0 && p.ctx.Err() != nil {
			return 0, context.Cause(p.ctx)
		}
		line, offset, err := r.next()
		atStart := errors.Is(err, io.EOF)
		if err != nil && !atStart {
			return 0, err
		}
		head, isHead := parseHeader(line)
		if !atStart && !isHead {
			rec.addOlder(line)
			continue
		}
		if isHead {
			rec.header, rec.headed, rec.first = head, true, line
			if !p.filter.since.IsZero() && head.time.Before(p.filter.since.Add(-clockSlack)) {
				return oldest, nil
			}
		}
		slices.Reverse(rec.rest)
		if p.filter.wants(&rec, *next) {
			if !p.take(rec.line()) {
				return oldest, nil
			}
			if p.full() {
				return offset, nil
			}
		}
		if atStart {
			return -1, nil
		}
		*next, oldest, rec = head.time, offset, record{}
	}
}

// forward reads towards the end of the log. A last line without its newline is
// still being written, and left for the next page.
func (p *pager) forward(file int, offset int64) error {
	end, err := cursorAt(nil, 0, false)
	for ; file >= 0 && !p.page.More; file-- {
		f := p.files[file]
		if offset, err = p.forwardFile(f, offset); err != nil {
			return err
		}
		if end, err = cursorAt(f, offset, false); err != nil {
			return err
		}
		p.page.More = p.page.More || p.full() && (offset < f.size || file > 0)
		offset = 0
	}
	p.page.Cursor = end.String()
	return err
}

// forwardFile reads one file and returns the offset of what was not taken.
func (p *pager) forwardFile(f openFile, offset int64) (int64, error) {
	in := bufio.NewReaderSize(io.NewSectionReader(f, offset, f.size-offset), maxLine)
	var rec record
	start, pos := offset, offset // of rec, and of what is to be read
	flush := func() bool {
		// What is new is as new as the query could want.
		return !p.filter.wants(&rec, p.filter.since) || p.take(rec.line())
	}
	for lines := 0; ; lines++ {
		if lines%4096 == 0 && p.ctx.Err() != nil {
			return 0, context.Cause(p.ctx)
		}
		line, n, err := readLine(in)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		head, isHead := parseHeader(line)
		if err != nil || isHead {
			if !flush() {
				return start, nil
			}
			if err != nil || p.full() {
				return pos, nil
			}
			start, rec = pos, record{header: head, headed: true, first: slices.Clone(line)}
		} else {
			rec.addNewer(line)
		}
		pos += n
	}
}

// readLine returns the next whole line, cut to the reader's buffer and without
// its newline, and how many bytes it takes in the file.
func readLine(in *bufio.Reader) (line []byte, n int64, err error) {
	line, err = in.ReadSlice('\n')
	n = int64(len(line))
	if errors.Is(err, bufio.ErrBufferFull) {
		line = slices.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			var more []byte
			more, err = in.ReadSlice('\n')
			n += int64(len(more))
		}
	}
	if err != nil {
		return nil, n, err
	}
	return bytes.TrimSuffix(line, []byte("\n")), n, nil
}
