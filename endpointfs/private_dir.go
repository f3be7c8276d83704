package endpointfs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// makeDir makes a directory and its parents for the owner alone, whatever the
// umask. One that is there is left as it is.
func makeDir(path string) error {
	err := os.Mkdir(path, 0o700)
	if os.IsNotExist(err) {
		if err := makeDir(filepath.Dir(path)); err != nil {
			return err
		}
		err = os.Mkdir(path, 0o700)
	}
	if os.IsExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Chmod(path, 0o700)
}

// makeFile makes an empty file for the owner alone, whatever the umask. One
// that is there is left as it is.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if os.IsExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// lockName returns the name of an endpoint's lock file. A name that leaves no
// room for the suffix stands for itself by its hash.
func lockName(name string) string {
	if len(name) > 200 {
		sum := sha256.Sum256([]byte(name))
		name = hex.EncodeToString(sum[:])
	}
	return name + ".lock"
}

// Work in progress has one of these prefixes in [privateDir]. A directory that
// is being removed may be removed by any process; one that is being made only
// after [unfinishedMaxAge], when its maker must be gone.
const (
	unfinishedPrefix = "new-"
	removedPrefix    = "gone-"
	unfinishedMaxAge = time.Hour
)

// makeWorkDir makes a directory for an endpoint that is being made.
func (d *Dir) makeWorkDir() (string, error) {
	own := filepath.Join(d.path, privateDir)
	if err := makeDir(own); err != nil {
		return "", err
	}
	path, err := os.MkdirTemp(own, unfinishedPrefix)
	if err != nil {
		return "", err
	}
	return path, os.Chmod(path, 0o700)
}

// sweepLeftovers removes what killed processes have left in [privateDir], as far as it
// can.
func (d *Dir) sweepLeftovers() {
	own := filepath.Join(d.path, privateDir)
	entries, err := os.ReadDir(own)
	if err != nil {
		return
	}
	for _, e := range entries {
		isLeftover := strings.HasPrefix(e.Name(), removedPrefix)
		if strings.HasPrefix(e.Name(), unfinishedPrefix) {
			info, err := e.Info()
			isLeftover = err == nil && time.Since(info.ModTime()) > unfinishedMaxAge
		}
		if isLeftover {
			_ = os.RemoveAll(filepath.Join(own, e.Name()))
		}
	}
}
