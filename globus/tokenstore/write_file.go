package tokenstore

import (
	"fmt"
	"os"
	"path/filepath"
)

// WriteFile writes data to path with mode 0600, so that a reader finds the old
// file or the new one and never a part. Missing directories are made with mode
// 0700. A symbolic link stays one: the file that it leads to is replaced.
func WriteFile(path string, data []byte) (err error) {
	path = followLink(path)
	directory := filepath.Dir(path)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(directory, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(data); err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	syncDirectory(directory)
	return nil
}

// followLink is the file that a symbolic link leads to, be it there or not; for
// anything else it is path itself.
func followLink(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	target, err := os.Readlink(path)
	if err != nil {
		return path
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(path), target)
	}
	return target
}

// syncDirectory makes a rename last. Not every file system can, and the file
// is there all the same.
func syncDirectory(directory string) {
	if d, err := os.Open(directory); err == nil {
		d.Sync()
		d.Close()
	}
}
