package endpoint

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// removePIDFile removes a daemon.pid that was judged to be left over, and only
// that one: a daemon that somebody starts meanwhile writes its own, and would
// end if it lost it. The file is renamed, looked at again under its new name,
// and put back when it is another one. The daemon looks for its file every 15
// seconds, so the instant between does not matter.
func (op *operation) removePIDFile(e Evidence) error {
	if err := op.checkLockHeld(); err != nil {
		return err
	}
	if !e.PIDFile.Exists {
		return nil
	}
	root, err := os.OpenRoot(op.ep.Path())
	if err != nil {
		return op.wrap(fmt.Errorf("removing daemon.pid: %w", err))
	}
	defer root.Close()
	const name = "daemon.pid"
	away := takenAway + rand.Text()
	if err := root.Rename(name, away); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return op.wrap(fmt.Errorf("removing daemon.pid: %w", err))
	}
	// It may be a link, which was read through.
	info, err := os.Stat(op.ep.Path() + "/" + away)
	if err == nil && info.ModTime().Equal(e.PIDFile.ModTime) {
		if err := root.Remove(away); err != nil {
			return op.wrap(fmt.Errorf("removing daemon.pid: %w", err))
		}
		return nil
	}
	if err := putBack(root, away, name); err != nil {
		return op.wrap(fmt.Errorf("putting daemon.pid back: %w", err))
	}
	return op.wrap(errors.New("daemon.pid has changed meanwhile: another program is starting the daemon"))
}

// takenAway is the beginning of the names that daemon.pid has while it is looked
// at before it is removed.
const takenAway = ".daemon.pid."

// restorePIDFile puts back a daemon.pid that an operation had taken away when it
// was killed, so that it is judged anew. Where there is another one by now, what
// was taken away is left over. The caller holds the lock.
func (op *operation) restorePIDFile() error {
	if err := op.checkLockHeld(); err != nil {
		return err
	}
	entries, err := os.ReadDir(op.ep.Path())
	if err != nil {
		return nil // the operation itself will say why
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), takenAway) {
			continue
		}
		root, err := os.OpenRoot(op.ep.Path())
		if err != nil {
			return nil
		}
		err = putBack(root, e.Name(), "daemon.pid")
		root.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EROFS) {
			return fmt.Errorf("putting daemon.pid back: %w", err)
		}
	}
	return nil
}

// putBack gives a file its name again, unless another file has it by now.
func putBack(root *os.Root, away, name string) error {
	if err := root.Link(away, name); err == nil || errors.Is(err, fs.ErrExist) {
		return root.Remove(away)
	}
	// The file system has no hard links.
	return root.Rename(away, name)
}
