package endpointfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// readFile reads a regular file of at most limit bytes. It never waits: a
// pipe, a device, a directory or a larger file is a *[FormatError]. Other
// errors are *[fs.PathError].
//
// It uses system calls and not os.ReadFile because a list of a thousand
// endpoints is nothing but this function: two calls less a file.
func readFile(path string, limit int) (data []byte, modified time.Time, err error) {
	fd, err := retry(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	})
	if err == unix.ENXIO { // a socket
		return nil, modified, notRegular(path, "a socket")
	}
	if err != nil {
		return nil, modified, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, modified, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	modified = time.Unix(st.Mtim.Unix())
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, modified, notRegular(path, kind(st.Mode))
	}
	if st.Size > int64(limit) {
		return nil, modified, &FormatError{File: path, Problem: fmt.Sprintf("it has %d bytes, at most %d are read", st.Size, limit), Remedy: "look into the file; a program must have written it by mistake"}
	}
	// One more than the size, so that one read sees the end.
	data = make([]byte, 0, st.Size+1)
	for len(data) < limit {
		n, err := retry(func() (int, error) { return unix.Read(fd, data[len(data):cap(data)]) })
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

// retry calls f again for as long as a signal interrupts it.
func retry(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err != unix.EINTR {
			return n, err
		}
	}
}

func notRegular(path, what string) error {
	return &FormatError{File: path, Problem: "it is " + what + ", not a file", Remedy: "remove it, or move it away"}
}

func kind(mode uint32) string {
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

// exists says whether path, links followed, is there. A path that may not be
// looked at counts as there: what cannot be seen is not absent.
func exists(path string) bool {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	return err == nil || err != unix.ENOENT && err != unix.ENOTDIR && err != unix.ELOOP
}

// unfinished is the end of a file's name while it is written.
const unfinished = ".new"

// writeAtomic puts data into name within root, mode 0600, in one step: a
// reader sees the old content or the new.
func writeAtomic(root *os.Root, name string, data []byte) error {
	tmp := name + unfinished
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) { // left by a killed process; writers hold the lock
		if err := root.Remove(tmp); err != nil {
			return err
		}
		f, err = root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err != nil {
		return err
	}
	if err := fill(f, data); err != nil {
		root.Remove(tmp)
		return err
	}
	if err := root.Rename(tmp, name); err != nil {
		root.Remove(tmp)
		return err
	}
	return syncDir(root)
}

// fill writes data to f whatever the umask, and closes it.
func fill(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Chmod(0o600)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the names within root durable. A file system that cannot do
// that is none of the caller's business.
func syncDir(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil
}
