package endpointfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// Log is the log of an endpoint or a user endpoint: endpoint.log, and
// endpoint.log.1 that the daemon rotates it to at 100 MiB. It opens the files
// anew at every call.
type Log struct{ path string }

// Log returns the endpoint's log.
func (e *Endpoint) Log() Log { return Log{path: e.file(logFile)} }

// Path returns the path of endpoint.log.
func (l Log) Path() string { return l.path }

// Size returns the size of endpoint.log in bytes, 0 when there is none. It is
// the offset to give to [Log.ReadFrom] later.
func (l Log) Size() (int64, error) {
	info, err := os.Stat(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// ReadFrom returns what was written to endpoint.log since it had the size
// offset, at most limit bytes of it (the last ones), and its size now. When
// the file has become smaller it was rotated, and is read from its beginning.
func (l Log) ReadFrom(offset int64, limit int) (data []byte, size int64, err error) {
	f, size, err := openLog(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
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
