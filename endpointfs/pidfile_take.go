package endpointfs

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// takenPIDFile is the beginning of the names that daemon.pid has while it is
// looked at before it is removed.
const takenPIDFile = "." + pidFile + "."

// TakenPIDFile is a daemon.pid that was given another name, so that a daemon
// which looks for it ends by itself. Its owner removes it or puts it back; what
// a killed owner left is put back by [Endpoint.RestorePIDFile].
type TakenPIDFile struct {
	endpoint *Endpoint
	name     string
}

// TakePIDFile gives daemon.pid another name. The caller holds the lock, looks at
// what was taken, for it may be another one than was seen before, and then
// calls one of the methods of the result. Without a daemon.pid the error is
// [fs.ErrNotExist].
func (e *Endpoint) TakePIDFile() (TakenPIDFile, error) {
	taken := TakenPIDFile{endpoint: e, name: takenPIDFile + rand.Text()}
	err := e.withRoot(func(root *os.Root) error { return root.Rename(pidFile, taken.name) })
	return taken, err
}

// Read reads what was taken, as [Endpoint.PIDFile] does.
func (t TakenPIDFile) Read() (PIDFile, error) { return readPIDFile(t.endpoint.filePath(t.name)) }

// Remove removes what was taken.
func (t TakenPIDFile) Remove() error {
	return t.endpoint.withRoot(func(root *os.Root) error { return root.Remove(t.name) })
}

// PutBack gives the file its name again, unless another file has it by now. One
// that is gone is no error.
func (t TakenPIDFile) PutBack() error {
	return t.endpoint.withRoot(func(root *os.Root) error {
		if err := putPIDFileBack(root, t.name); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

// RemovePIDFile removes a daemon.pid that was judged to be left over when it had
// been touched last at that time, and only that one: a daemon that somebody
// starts meanwhile writes its own, and would end if it lost it. The file is
// renamed, looked at again under its new name, and put back when it is another
// one. The daemon looks for its file every 15 seconds, so the instant between
// does not matter. One that is not there is no error. The caller holds the lock.
func (e *Endpoint) RemovePIDFile(touched time.Time) error {
	taken, err := e.TakePIDFile()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("removing %s: %w", pidFile, err)
	}
	// It may be a link, which was read through.
	info, err := os.Stat(e.filePath(taken.name))
	if err == nil && info.ModTime().Equal(touched) {
		if err := taken.Remove(); err != nil {
			return fmt.Errorf("removing %s: %w", pidFile, err)
		}
		return nil
	}
	if err := taken.PutBack(); err != nil {
		return fmt.Errorf("putting %s back: %w", pidFile, err)
	}
	return fmt.Errorf("%s has changed meanwhile: another program is starting the daemon", pidFile)
}

// RestorePIDFile puts back a daemon.pid that an operation had taken away when it
// was killed, so that it is judged anew. Where there is another one by now, what
// was taken away is left over and is removed. The caller holds the lock.
func (e *Endpoint) RestorePIDFile() error {
	entries, err := os.ReadDir(e.path)
	if err != nil {
		return nil // the operation itself will say why
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), takenPIDFile) {
			continue
		}
		err := TakenPIDFile{endpoint: e, name: entry.Name()}.PutBack()
		if err != nil && !errors.Is(err, syscall.EROFS) {
			return fmt.Errorf("putting %s back: %w", pidFile, err)
		}
	}
	return nil
}

// RemoveIrregularPIDFile removes what stands in the place of daemon.pid and is
// neither a file nor a directory, such as a pipe: the daemon reads the file as
// it ends (PIDLockFile.release), and would wait for ever. The caller holds the
// lock.
func (e *Endpoint) RemoveIrregularPIDFile() error {
	return e.withRoot(func(root *os.Root) error {
		info, err := root.Lstat(pidFile)
		if err != nil || info.IsDir() || info.Mode().IsRegular() {
			return nil
		}
		return root.Remove(pidFile)
	})
}

func putPIDFileBack(root *os.Root, name string) error {
	if err := root.Link(name, pidFile); err == nil || errors.Is(err, fs.ErrExist) {
		return root.Remove(name)
	}
	// The file system has no hard links.
	return root.Rename(name, pidFile)
}

// withRoot does something within the endpoint's directory.
func (e *Endpoint) withRoot(do func(*os.Root) error) error {
	root, err := e.openRoot()
	if err != nil {
		return err
	}
	defer root.Close()
	return do(root)
}
