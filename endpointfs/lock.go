package endpointfs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// Holder is who holds an endpoint's lock and what for.
type Holder struct {
	Purpose string    `json:"purpose"` // such as "starting"
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Since   time.Time `json:"since"`
}

// LockedError says that another operation of chiltepin is under way on an
// endpoint. The holder's fields are empty when it could not be told.
type LockedError struct {
	Name string // the endpoint
	Holder
}

// Error names the endpoint, the operation and its process.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("endpoint %q is locked by another operation", e.Name)
	}
	return fmt.Sprintf("endpoint %q is locked: %s by process %d on %s since %s", e.Name, e.Purpose, e.PID, e.Host, e.Since.Format(time.DateTime))
}

// Hint says how to go on.
func (e *LockedError) Hint() string {
	return "wait until it is done and try again; chiltepin endpoint status " + e.Name + " shows it"
}

// LockUnsupportedError says that the file system has no locks.
type LockUnsupportedError struct {
	Path string // the lock file
	Err  error  // what the file system said
}

// Error names the file and the cause.
func (e *LockUnsupportedError) Error() string {
	return fmt.Sprintf("locking %s: the file system does not lock: %v", e.Path, e.Err)
}

// Hint says how to go on.
func (e *LockUnsupportedError) Hint() string {
	return "choose a directory on another file system with -c DIR, or ask the administrator for locks on this one (for NFS: the lock daemon)"
}

// Unwrap returns the cause.
func (e *LockUnsupportedError) Unwrap() error { return e.Err }

// Lock is an endpoint's lock, held.
type Lock struct{ file *flock.Flock }

// lockPatience is how long Lock tries before it believes that the lock is
// held: [Dir.Holder] takes it for an instant to look.
const lockPatience = 200 * time.Millisecond

// Lock takes the endpoint's lock for an operation, named by purpose in the
// participle ("starting"). The lock file is outside the endpoint's directory
// and survives it. When another operation holds the lock, here or on another
// machine that shares the file system, the error is a *[LockedError]. The
// kernel drops the lock of a process that ends, however it ends.
func (e *Endpoint) Lock(ctx context.Context, purpose string) (*Lock, error) {
	return e.dir.lock(ctx, e.name, purpose)
}

// Lock is [Endpoint.Lock] for a name that need not have an endpoint yet.
func (d *Dir) Lock(ctx context.Context, name, purpose string) (*Lock, error) {
	if !isComponent(name) {
		return nil, &NameError{Name: name, Problem: "it is no name of an endpoint", Remedy: "chiltepin endpoint list"}
	}
	return d.lock(ctx, name, purpose)
}

func (d *Dir) lock(ctx context.Context, name, purpose string) (*Lock, error) {
	path := d.lockPath(name)
	if err := makeDir(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("locking endpoint %q: %w", name, err)
	}
	if err := makeFile(path); err != nil {
		return nil, fmt.Errorf("locking endpoint %q: %w", name, err)
	}
	flag := os.O_RDWR
	if unix.Access(path, unix.W_OK) == unix.EROFS {
		flag = os.O_RDONLY // it locks as well, and a daemon can be stopped
	}
	file := flock.New(path, flock.SetFlag(flag))
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	ok, err := file.TryLockContext(ctx, lockPatience/10)
	switch {
	case errors.Is(err, context.DeadlineExceeded), err == nil && !ok:
		return nil, &LockedError{Name: name, Holder: readHolder(path)}
	case errors.Is(err, unix.ENOLCK), errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.ENOSYS):
		return nil, &LockUnsupportedError{Path: path, Err: err}
	case err != nil:
		return nil, fmt.Errorf("locking endpoint %q: %w", name, err)
	}
	host, _ := os.Hostname() // the name is only for people
	data, _ := json.Marshal(Holder{Purpose: purpose, PID: os.Getpid(), Host: host, Since: time.Now().Truncate(time.Second)})
	// A disk that is full still locks; then nobody learns who holds it.
	_ = os.WriteFile(path, append(data, '\n'), 0o600)
	return &Lock{file}, nil
}

// Release gives the lock back. It may be called twice.
func (l *Lock) Release() error {
	if !l.file.Locked() {
		return nil
	}
	_ = os.Truncate(l.file.Path(), 0)
	return l.file.Unlock()
}

// Holder returns who holds the lock of the endpoint of that name, and whether
// anybody does. It asks the lock and not the file's content, so a lock left by
// a killed process is not held.
func (d *Dir) Holder(name string) (Holder, bool) {
	path := d.lockPath(name)
	if !isComponent(name) || !exists(path) {
		return Holder{}, false
	}
	file := flock.New(path, flock.SetFlag(os.O_RDONLY))
	ok, err := file.TryRLock()
	if err != nil {
		return Holder{}, false
	}
	if ok {
		file.Unlock()
		return Holder{}, false
	}
	return readHolder(path), true
}

func (d *Dir) lockPath(name string) string {
	return filepath.Join(d.path, ownDir, "locks", lockName(name))
}

func readHolder(path string) Holder {
	var h Holder
	if data, _, err := readFile(path, maxStateFile); err == nil {
		_ = json.Unmarshal(data, &h) // half written: say that it is locked
	}
	return h
}
