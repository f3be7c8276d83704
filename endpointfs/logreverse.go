package endpointfs

import (
	"bytes"
	"io"
)

const (
	chunkSize = 256 << 10
	maxLine   = 32 << 10 // of a longer line the first part is read
)

// reverse reads the lines of a file from its end to its beginning, in memory
// that depends on nothing in the file.
type reverse struct {
	f    io.ReaderAt
	pos  int64  // the lines before pos are still to be read
	buf  []byte // the bytes at base
	base int64
	line []byte // a line that was not whole in buf
}

func newReverse(f io.ReaderAt, end int64) *reverse { return &reverse{f: f, pos: end, base: end} }

// next returns the line before the one it returned last, without its newline,
// and its offset. The line is cut to maxLine bytes, and holds until the next
// call. At the beginning of the file the error is [io.EOF].
func (r *reverse) next() (line []byte, offset int64, err error) {
	if r.pos == 0 {
		return nil, 0, io.EOF
	}
	end := r.pos
	if err := r.cover(end); err != nil {
		return nil, 0, err
	}
	if r.buf[end-1-r.base] == '\n' {
		end--
	}
	// A line begins after the newline before it, or with the file.
	start := end
	for {
		if i := bytes.LastIndexByte(r.buf[:start-r.base], '\n'); i >= 0 {
			start = r.base + int64(i) + 1
			break
		}
		start = r.base
		if start == 0 {
			break
		}
		if err := r.cover(start); err != nil {
			return nil, 0, err
		}
	}
	r.pos = start
	end = min(end, start+maxLine)
	if end <= r.base+int64(len(r.buf)) {
		return r.buf[start-r.base : end-r.base], start, nil
	}
	r.line = append(r.line[:0], make([]byte, end-start)...)
	if _, err := r.f.ReadAt(r.line, start); err != nil && err != io.EOF {
		return nil, 0, err
	}
	return r.line, start, nil
}

// cover sees to it that buf holds the byte before end, and what is before it.
func (r *reverse) cover(end int64) error {
	if end > r.base && end <= r.base+int64(len(r.buf)) {
		return nil
	}
	if r.buf == nil {
		r.buf = make([]byte, chunkSize)
	}
	r.base = max(0, end-chunkSize)
	r.buf = r.buf[:end-r.base]
	n, err := r.f.ReadAt(r.buf, r.base)
	if n < len(r.buf) { // it was truncated under us
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}
