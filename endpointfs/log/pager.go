package log

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
)

// pager reads one page.
type pager struct {
	ctx    context.Context
	query  Query
	filter filter
	files  []openFile
	page   Page
	bytes  int
}

type position struct {
	file   int
	offset int64
	older  bool
}

// locateStart returns where to begin, and false when the log has lost that place.
// Then it is the beginning.
func (p *pager) locateStart() (position, bool, error) {
	if p.query.Cursor == "" {
		if len(p.files) == 0 {
			return position{file: -1}, true, nil
		}
		return position{0, p.files[0].size, true}, true, nil
	}
	c, err := parseCursor(p.query.Cursor)
	if err != nil {
		return position{}, false, err
	}
	for i, f := range p.files {
		if c.pointsInto(f, f.size) {
			return position{i, c.offset, c.older}, true, nil
		}
	}
	return position{len(p.files) - 1, 0, c.older}, c.offset == 0, nil
}

// addRecord puts a record into the page, unless it is full.
func (p *pager) addRecord(line Record) bool {
	if len(p.page.Records) > 0 && p.bytes+len(line.Text) > p.query.MaxBytes {
		p.page.More = true
		return false
	}
	p.page.Records = append(p.page.Records, line)
	p.bytes += len(line.Text)
	return true
}

// isFull says whether the page has all the records that it may have.
func (p *pager) isFull() bool { return len(p.page.Records) == p.query.Tail && p.query.Tail > 0 }

// readBackward reads towards the beginning of the log.
func (p *pager) readBackward(file int, offset int64) error {
	newest, err := cursorAt(p.files[file], offset, false)
	if err != nil {
		return err
	}
	p.page.Cursor = newest.String()
	var next recordHeader // of the record after the one that is read
	for ; file < len(p.files); file++ {
		f := p.files[file]
		oldest, err := p.readFileBackward(newBackwardReader(f, offset), &next)
		if err != nil {
			return err
		}
		if oldest >= 0 {
			p.page.More = p.page.More || p.isFull() && (oldest > 0 || file+1 < len(p.files))
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
	slices.Reverse(p.page.Records)
	return nil
}

// readFileBackward reads one file to its beginning, or until there is no need to
// go on. Then it returns the offset of the oldest record that it took,
// otherwise -1.
func (p *pager) readFileBackward(r *backwardReader, next *recordHeader) (int64, error) {
	var rec recordBuilder
	oldest := r.pos
	for lines := 0; ; lines++ {
		if lines%4096 == 0 && p.ctx.Err() != nil {
			return 0, context.Cause(p.ctx)
		}
		line, offset, err := r.nextLine()
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
			if !p.filter.since.IsZero() && head.writtenAt().Before(p.filter.since.Add(-clockSlack)) {
				return oldest, nil
			}
		}
		slices.Reverse(rec.rest)
		if p.filter.matchesRecord(&rec, *next) {
			if !p.addRecord(rec.buildRecord()) {
				return oldest, nil
			}
			if p.isFull() {
				return offset, nil
			}
		}
		if atStart {
			return -1, nil
		}
		*next, oldest, rec = head, offset, recordBuilder{}
	}
}

// readForward reads towards the end of the log. A last line without its newline is
// still being written, and left for the next page.
func (p *pager) readForward(file int, offset int64) error {
	end, err := cursorAt(nil, 0, false)
	for ; file >= 0 && !p.page.More; file-- {
		f := p.files[file]
		if offset, err = p.readFileForward(f, offset); err != nil {
			return err
		}
		if end, err = cursorAt(f, offset, false); err != nil {
			return err
		}
		p.page.More = p.page.More || p.isFull() && (offset < f.size || file > 0)
		offset = 0
	}
	p.page.Cursor = end.String()
	return err
}

// readFileForward reads one file and returns the offset of what was not taken.
func (p *pager) readFileForward(f openFile, offset int64) (int64, error) {
	in := bufio.NewReaderSize(io.NewSectionReader(f, offset, f.size-offset), maxLine)
	var rec recordBuilder
	start, pos := offset, offset // of rec, and of what is to be read
	flush := func() bool {
		// What is new is as new as the query could want.
		return !p.filter.matchesRecord(&rec, recordHeader{date: [7]int{9999}}) || p.addRecord(rec.buildRecord())
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
			if err != nil || p.isFull() {
				return pos, nil
			}
			start, rec = pos, recordBuilder{header: head, headed: true, first: slices.Clone(line)}
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
