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

// Work in progress has one of these prefixes in [privateDir]. What is going is
// rubbish from the moment it has that name, so anybody may remove it; what is
// coming is rubbish once nobody can still be at work on it.
const (
	coming    = "new-"
	going     = "gone-"
	abandoned = time.Hour
)

// makeWorkDir makes a directory for what is coming.
func (d *Dir) makeWorkDir() (string, error) {
	own := filepath.Join(d.path, privateDir)
	if err := makeDir(own); err != nil {
		return "", err
	}
	path, err := os.MkdirTemp(own, coming)
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
		rubbish := strings.HasPrefix(e.Name(), going)
		if strings.HasPrefix(e.Name(), coming) {
			info, err := e.Info()
			rubbish = err == nil && time.Since(info.ModTime()) > abandoned
		}
		if rubbish {
			_ = os.RemoveAll(filepath.Join(own, e.Name()))
		}
	}
}
