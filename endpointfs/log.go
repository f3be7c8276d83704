package endpointfs

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Log is the log of an endpoint or a user endpoint: endpoint.log, and
// endpoint.log.1 to which the daemon moves it at 100 MiB. The files are opened
// anew at every call, and may grow and move meanwhile.
type Log struct{ path string }

// Log returns the endpoint's log.
func (e *Endpoint) Log() Log { return Log{path: e.file(logFile)} }

// Path returns the path of endpoint.log.
func (l Log) Path() string { return l.path }

// Size returns the size of endpoint.log in bytes, 0 when there is none. It is
// the offset to give to [Log.ReadFrom] later. What ReadFrom could not read is
// an error here too, so that nobody launches a daemon and then waits for its
// words in vain.
func (l Log) Size() (int64, error) {
	f, size, err := openLog(l.path)
	if f != nil {
		f.Close()
	}
	return size, err
}

// ReadFrom returns what was written to endpoint.log since it had the size
// offset, the last limit bytes of it at most, and its size now. A file that
// has become smaller was rotated, and is read from its beginning. A log that
// is not there is empty.
func (l Log) ReadFrom(offset int64, limit int) (data []byte, size int64, err error) {
	f, size, err := openLog(l.path)
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

// openLog opens a log that is a regular file, and never waits. It returns nil
// when there is none.
func openLog(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if errors.Is(err, unix.ENXIO) {
		return nil, 0, notRegular(path, "a socket")
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		what := "a device"
		switch {
		case info.IsDir():
			what = "a directory"
		case info.Mode()&fs.ModeNamedPipe != 0:
			what = "a pipe"
		}
		err = notRegular(path, what)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}
