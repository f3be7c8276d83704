// Package log reads the log of a daemon: pages of records, forwards and
// backwards across its rotation, by level, time and pattern; the marks of the
// daemon's beginnings and ends; and which process wrote what. It needs the same
// memory for a log of any size, and never writes to one.
package log

import (
	"io"

	"chiltepin/endpointfs/internal/regular"
)

// Files is the log of an endpoint or a user endpoint: endpoint.log, and
// endpoint.log.1 to which the daemon moves it at 100 MiB. Both are opened
// anew at every call, and may grow and move meanwhile.
type Files struct{ path string }

// At returns the log whose newest part is the file at path. It does not touch
// the disk.
func At(path string) Files { return Files{path} }

// Path returns the path of endpoint.log.
func (l Files) Path() string { return l.path }

// Size returns the size of endpoint.log in bytes, 0 when there is none. It is
// the offset to give to [Files.ReadFrom] later. What ReadFrom could not read is
// an error here too, so that nobody launches a daemon and then waits for its
// words in vain.
func (l Files) Size() (int64, error) {
	f, size, err := regular.Open(l.path)
	if f != nil {
		f.Close()
	}
	return size, err
}

// ReadFrom returns what was written to endpoint.log since it had the size
// offset, the last limit bytes of it at most, and its size now. A file that
// has become smaller was rotated, and is read from its beginning. A log that
// is not there is empty.
func (l Files) ReadFrom(offset int64, limit int) (data []byte, size int64, err error) {
	f, size, err := regular.Open(l.path)
	if f == nil {
		return nil, 0, err
	}
	defer f.Close()
	if offset > size || offset < 0 {
		offset = 0
	}
	offset = max(offset, size-int64(limit))
	data = make([]byte, size-offset)
	n, err := f.ReadAt(data, offset)
	if err != nil && err != io.EOF {
		return nil, size, err
	}
	return data[:n], size, nil
}
