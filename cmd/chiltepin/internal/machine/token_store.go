package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rs/zerolog"

	"chiltepin/endpointfs"
)

// storeName is the file in which the Compute SDK keeps its tokens.
const storeName = "storage.db"

// tokenDir is the directory whose token store serves a configuration directory:
// its own where it has a store, and otherwise that of the login, which is the
// default directory. A store that is a link to the login's is the login's.
func (m Host) tokenDir(dir, home string) string {
	shared := filepath.Clean(endpointfs.DefaultDir(home, m.Getenv))
	if !filepath.IsAbs(shared) {
		return dir
	}
	own := filepath.Join(dir, storeName)
	info, err := os.Lstat(own)
	if errors.Is(err, fs.ErrNotExist) {
		return shared
	}
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(own)
		if err == nil && !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		if err == nil && filepath.Clean(target) == filepath.Join(shared, storeName) {
			return shared
		}
	}
	return dir
}

// linkTokenStore lets the daemon of a directory without a token store find the
// login's, as Python Chiltepin does: it looks for tokens beside its endpoints
// only. The link is made in a directory of ours, and never over anything.
func (m Host) linkTokenStore(ctx context.Context, dir string) error {
	home, err := m.homeDir()
	if err != nil {
		return nil // without one there is no login to share
	}
	shared, own := m.tokenDir(dir, home), filepath.Join(dir, storeName)
	if _, err := os.Lstat(own); shared == dir || err == nil {
		return nil
	}
	store := filepath.Join(shared, storeName)
	if _, err := os.Stat(store); err != nil {
		return nil // nobody is logged in there
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("sharing the login: %w", err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() {
		zerolog.Ctx(ctx).Info().Str("directory", dir).Msg("the login is not shared with a directory of another user")
		return nil
	}
	if err := os.Symlink(store, own); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("sharing the login: %w", err)
	}
	return nil
}
