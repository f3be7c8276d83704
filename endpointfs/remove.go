package endpointfs

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Remove removes the endpoint's directory. It is renamed out of sight first,
// so that an interruption leaves all of the endpoint or nothing of it. When
// the directory is a symbolic link the link is removed and what it points to
// stays. One that is gone already is no error. The caller holds the lock, and
// knows that nothing runs there.
func (e *Endpoint) Remove() error {
	if err := e.dir.removeEntry(e.name); err != nil {
		return fmt.Errorf("removing endpoint %q: %w", e.name, err)
	}
	return nil
}

// Removable says why [Endpoint.Remove] would fail, as far as can be told
// without trying: a directory that may not be written to, or a file system that
// is read-only. One that is gone already is no error.
func (e *Endpoint) Removable() error {
	if err := checkWritable(e.dir.path, filepath.Join(e.dir.path, privateDir), e.path); err != nil {
		return fmt.Errorf("removing endpoint %q: %w", e.name, err)
	}
	return nil
}

// Writable says why nothing can be written into the endpoint's directory, as
// far as can be told without trying.
func (e *Endpoint) Writable() error { return checkWritable(e.path) }

// Owner is the number of the user who owns the endpoint's directory, and false
// where that cannot be seen.
func (e *Endpoint) Owner() (uid int, ok bool) {
	var info unix.Stat_t
	if err := unix.Stat(e.path, &info); err != nil {
		return 0, false
	}
	return int(info.Uid), true
}

// checkWritable says which of the directories cannot be written to. One that is not
// there can be.
func checkWritable(paths ...string) error {
	for _, path := range paths {
		err := unix.Faccessat(unix.AT_FDCWD, path, unix.W_OK|unix.X_OK, unix.AT_EACCESS)
		if err != nil && err != unix.ENOENT {
			return &fs.PathError{Op: "writing to", Path: path, Err: err}
		}
	}
	return nil
}

// removeEntry removes one entry of the directory.
func (d *Dir) removeEntry(name string) error {
	root, err := os.OpenRoot(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	info, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return root.Remove(name)
	}
	if err := makeDir(filepath.Join(d.path, privateDir)); err != nil {
		return err
	}
	gone := filepath.Join(privateDir, removedPrefix+rand.Text())
	if err := root.Rename(name, gone); err != nil {
		return err
	}
	// From here on the endpoint is gone, whatever happens.
	d.sweepLeftovers()
	if _, err := root.Lstat(gone); err == nil {
		return fmt.Errorf("it is no longer listed, but %s could not be removed completely", filepath.Join(d.path, gone))
	}
	return nil
}
