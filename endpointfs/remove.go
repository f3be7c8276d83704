package endpointfs

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Remove removes the endpoint's directory. It is renamed out of sight first,
// so that an interruption leaves all of the endpoint or nothing of it. When
// the directory is a symbolic link the link is removed and what it points to
// stays. One that is gone already is no error. The caller holds the lock, and
// knows that nothing runs there.
func (e *Endpoint) Remove() error {
	if err := e.dir.remove(e.name); err != nil {
		return fmt.Errorf("removing endpoint %q: %w", e.name, err)
	}
	return nil
}

// remove removes one entry of the directory.
func (d *Dir) remove(name string) error {
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
	if err := makeDir(filepath.Join(d.path, ownDir)); err != nil {
		return err
	}
	gone := filepath.Join(ownDir, going+rand.Text())
	if err := root.Rename(name, gone); err != nil {
		return err
	}
	// From here on the endpoint is gone, whatever happens.
	d.sweep()
	if _, err := root.Lstat(gone); err == nil {
		return fmt.Errorf("it is gone from the list, but %s could not be removed whole", filepath.Join(d.path, gone))
	}
	return nil
}
