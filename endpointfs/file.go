package endpointfs

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// pathExists says whether path, links followed, is there. A path that may not be
// looked at counts as there: what cannot be seen is not absent.
func pathExists(path string) bool {
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
	if err := writeAndClose(f, data); err != nil {
		root.Remove(tmp)
		return err
	}
	if err := root.Rename(tmp, name); err != nil {
		root.Remove(tmp)
		return err
	}
	return syncDir(root)
}

// writeAndClose writes data to f whatever the umask, and closes it.
func writeAndClose(f *os.File, data []byte) error {
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
// that is not an error.
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
