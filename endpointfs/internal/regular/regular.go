// Package regular reads files that somebody else may have put in place of the
// expected ones: bounded, regular files only, and without ever waiting on a
// pipe or a device. It does not write.
package regular

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Read reads a regular file of at most limit bytes. It never waits: a
// pipe, a device, a directory or a larger file is a *[FormatError]. Other
// errors are *[fs.PathError].
//
// It uses system calls and not os.ReadFile because a list of a thousand
// endpoints is nothing but this function: two calls less a file.
func Read(path string, limit int) (data []byte, modified time.Time, err error) {
	fd, err := retryInterrupted(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	})
	if err == unix.ENXIO { // a socket
		return nil, modified, NotRegular(path, "a socket")
	}
	if err != nil {
		return nil, modified, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	return readDescriptor(fd, path, limit)
}

// ReadWithin is [Read] for a file within root: a link that leads out of it is an
// error.
func ReadWithin(root *os.Root, name string, limit int) (data []byte, modified time.Time, err error) {
	path := filepath.Join(root.Name(), name)
	f, err := root.OpenFile(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, unix.ENXIO) {
		return nil, modified, NotRegular(path, "a socket")
	}
	if err != nil {
		return nil, modified, err
	}
	defer f.Close()
	return readDescriptor(int(f.Fd()), path, limit)
}

func readDescriptor(fd int, path string, limit int) (data []byte, modified time.Time, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, modified, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	modified = time.Unix(st.Mtim.Unix())
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, modified, NotRegular(path, kindOf(st.Mode))
	}
	if st.Size > int64(limit) {
		return nil, modified, &FormatError{File: path, Problem: fmt.Sprintf("it has %d bytes, at most %d are read", st.Size, limit), Remedy: "look into the file; a program must have written it by mistake"}
	}
	// One more than the size, so that one read sees the end.
	data = make([]byte, 0, st.Size+1)
	for len(data) < limit {
		n, err := retryInterrupted(func() (int, error) { return unix.Read(fd, data[len(data):cap(data)]) })
		if err != nil {
			return nil, modified, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		data = data[:len(data)+n]
		if n == 0 || len(data) < cap(data) {
			break
		}
		data = append(data, 0)[:len(data)] // it is growing
	}
	return data, modified, nil
}

// retryInterrupted calls f again for as long as a signal interrupts it.
func retryInterrupted(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err != unix.EINTR {
			return n, err
		}
	}
}

func NotRegular(path, what string) error {
	return &FormatError{File: path, Problem: "it is " + what + ", not a file", Remedy: "remove it, or move it away"}
}

func kindOf(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return "a directory"
	case unix.S_IFIFO:
		return "a pipe"
	case unix.S_IFSOCK:
		return "a socket"
	}
	return "a device"
}

// Open opens a regular file to be read and returns its size, and never waits. It
// returns nil when there is none.
func Open(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if errors.Is(err, unix.ENXIO) {
		return nil, 0, NotRegular(path, "a socket")
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
		err = NotRegular(path, what)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}
