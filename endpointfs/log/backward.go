package log

import (
	"bytes"
	"io"
	"slices"
)

const (
	chunkSize = 256 << 10
	maxLine   = 32 << 10 // of a longer line the first part is read
)

// backwardReader reads the lines of a file from its end to its beginning, in memory
// that depends on nothing in the file.
type backwardReader struct {
	f     io.ReaderAt
	pos   int64   // the lines before pos are still to be read
	buf   []byte  // the bytes at base, up to pos or beyond
	base  int64   // of buf in the file
	ends  []int32 // where the newlines before pos are in buf
	whole []byte  // a line that was not whole in buf
}

func newBackwardReader(f io.ReaderAt, end int64) *backwardReader {
	return &backwardReader{f: f, pos: end, base: end}
}

// nextLine returns the line before the one it returned last, without its newline,
// and its offset. The line is cut to maxLine bytes, and holds until the next
// call. At the beginning of the file the error is [io.EOF].
func (r *backwardReader) nextLine() (line []byte, offset int64, err error) {
	if r.pos == 0 {
		return nil, 0, io.EOF
	}
	end := r.pos
	if end == r.base {
		if err := r.loadChunk(); err != nil {
			return nil, 0, err
		}
	}
	if n := len(r.ends); n > 0 && r.base+int64(r.ends[n-1]) == end-1 {
		end--
		r.ends = r.ends[:n-1]
	}
	// A line begins after the newline before it, or with the file.
	for len(r.ends) == 0 && r.base > 0 {
		if err := r.loadChunk(); err != nil {
			return nil, 0, err
		}
	}
	start := r.base
	if n := len(r.ends); n > 0 {
		start += int64(r.ends[n-1]) + 1
	}
	r.pos = start
	end = min(end, start+maxLine)
	if end <= r.base+int64(len(r.buf)) {
		return r.buf[start-r.base : end-r.base], start, nil
	}
	r.whole = slices.Grow(r.whole[:0], int(end-start))[:end-start]
	if _, err := r.f.ReadAt(r.whole, start); err != nil && err != io.EOF {
		return nil, 0, err
	}
	return r.whole, start, nil
}

// loadChunk reads what is before buf.
func (r *backwardReader) loadChunk() error {
	if r.buf == nil {
		r.buf = make([]byte, chunkSize)
	}
	end := r.base
	r.base = max(0, end-chunkSize)
	r.buf = r.buf[:end-r.base]
	if n, err := r.f.ReadAt(r.buf, r.base); n < len(r.buf) {
		if err == io.EOF { // it was truncated under us
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	// Forwards, because the machine is far quicker at that.
	r.ends = r.ends[:0]
	for at := 0; ; at++ {
		i := bytes.IndexByte(r.buf[at:], '\n')
		if i < 0 {
			return nil
		}
		at += i
		r.ends = append(r.ends, int32(at))
	}
}
