package endpointfs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"chiltepin/endpointfs/internal/regular"
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

// Next says what to do.
func (e *LockedError) Next() string { return "wait until that operation has ended, and try again" }

// LockUnsupportedError says that the file system has neither locks nor the
// links that a lease needs.
type LockUnsupportedError struct {
	Path string // the lock file
	Err  error  // what the file system said
}

// Error names the file and the cause.
func (e *LockUnsupportedError) Error() string {
	return fmt.Sprintf("locking %s: the file system supports neither locks nor hard links: %v", e.Path, e.Err)
}

// Next says what to do.
func (e *LockUnsupportedError) Next() string {
	return "choose a configuration directory on another file system, or ask the administrator for locks on this one (for NFS: the lock daemon)"
}

// Unwrap returns the cause.
func (e *LockUnsupportedError) Unwrap() error { return e.Err }

// LostError says that a lease ran out while it was held, as when its process
// was suspended, so that another operation may be under way by now.
type LostError struct {
	Name string // the endpoint
	Why  string
}

// Error names the endpoint and the cause.
func (e *LostError) Error() string {
	return fmt.Sprintf("lost the lock on endpoint %q, which is a lease because this file system has no locks: %s", e.Name, e.Why)
}

// Next says what to do.
func (e *LostError) Next() string { return "try again" }

// Lock is an endpoint's lock, held: one of the kernel's, or a lease.
type Lock struct {
	name  string
	file  *flock.Flock // nil for a lease
	lease *lease
	once  sync.Once
}

// lockPatience is how long Lock tries before it believes that the lock is
// held: [Dir.Holder] takes it for an instant to look.
const lockPatience = 200 * time.Millisecond

// Lock takes the endpoint's lock for an operation, named by purpose in the
// participle ("starting"). The lock file is outside the endpoint's directory
// and survives it. When another operation holds the lock, here or on another
// machine that shares the file system, the error is a *[LockedError]. The
// kernel drops the lock of a process that ends, however it ends.
//
// Where the file system does not lock it is a lease, which can be lost: see
// [Lock.Context] and [Lock.Check]. The lease of a process that was killed is
// taken over at once on its own machine, if [Dir.On] told about it, and
// elsewhere by callers that go on trying with the same Dir for a minute. A lock
// is not given while there is a holder of a lease; the taker of a lease cannot
// see a lock.
func (e *Endpoint) Lock(ctx context.Context, purpose string) (*Lock, error) {
	return e.dir.takeLock(ctx, e.name, purpose)
}

// Lock is [Endpoint.Lock] for a name that need not have an endpoint, such as
// what an operation on the whole directory calls its lock.
func (d *Dir) Lock(ctx context.Context, name, purpose string) (*Lock, error) {
	if !isComponent(name) {
		return nil, &NameError{Name: name, Problem: "it cannot be the name of a file", Remedy: "give the name of an endpoint"}
	}
	return d.takeLock(ctx, name, purpose)
}

func (d *Dir) takeLock(ctx context.Context, name, purpose string) (*Lock, error) {
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
	case Lockless(err):
		return d.waitForLease(ctx, name, purpose)
	case err != nil:
		return nil, fmt.Errorf("locking endpoint %q: %w", name, err)
	}
	if h, held, err := d.leaseHolder(name); held || err != nil {
		file.Unlock()
		if err != nil {
			return nil, fmt.Errorf("locking endpoint %q: %w", name, err)
		}
		return nil, &LockedError{Name: name, Holder: h}
	}
	data, _ := json.Marshal(newHolder(purpose))
	// A full disk still locks, but does not say who holds the lock.
	_ = os.WriteFile(path, append(data, '\n'), 0o600)
	return &Lock{name: name, file: file}, nil
}

// waitForLease takes a lease, for as long as ctx allows.
func (d *Dir) waitForLease(ctx context.Context, name, purpose string) (*Lock, error) {
	for {
		h, held, err := d.leaseHolder(name)
		if err == nil && !held {
			var l *lease
			if l, err = d.makeLease(name, purpose); l != nil {
				return &Lock{name: name, lease: l}, nil
			}
		}
		if err != nil {
			return nil, fmt.Errorf("locking endpoint %q: %w", name, err)
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil, ctx.Err()
			}
			return nil, &LockedError{Name: name, Holder: h}
		case <-time.After(lockPatience / 10):
		}
	}
}

// Lockless says whether a file system answered that it does not lock.
func Lockless(err error) bool {
	return errors.Is(err, unix.ENOLCK) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOSYS)
}

func newHolder(purpose string) Holder {
	host, _ := os.Hostname() // the name is only for people
	return Holder{Purpose: purpose, PID: os.Getpid(), Host: host, Since: time.Now().Truncate(time.Second)}
}

// Context returns a context for the operation. It ends when the lock is lost,
// with a *[LostError] as its cause, and with ctx. Its resources are held until
// cancel is called.
func (l *Lock) Context(ctx context.Context) (held context.Context, cancel context.CancelFunc) {
	held, stop := context.WithCancelCause(ctx)
	if l.lease != nil {
		go func() {
			select {
			case <-l.lease.lost:
				stop(l.Check())
			case <-held.Done():
			}
		}()
	}
	return held, func() { stop(context.Canceled) }
}

// Check returns a *[LostError] when the lock was lost. A loss may not have ended
// the context yet, so it is called before what cannot be undone.
func (l *Lock) Check() error {
	if l.lease == nil {
		return nil
	}
	if why := l.lease.checkHeld(); why != "" {
		return &LostError{Name: l.name, Why: why}
	}
	return nil
}

// Release gives the lock back. It may be called twice.
func (l *Lock) Release() (err error) {
	l.once.Do(func() {
		if l.lease != nil {
			err = l.lease.giveBack()
			return
		}
		_ = os.Truncate(l.file.Path(), 0)
		err = l.file.Unlock()
	})
	return err
}

// Holder returns who holds the lock of the endpoint of that name, and whether
// anybody does. It asks the lock and not the file's content, so a lock left by
// a killed process is not held. A lease is held while it is touched; one whose
// holder is gone from this machine, or that was not touched for minutes, is not.
func (d *Dir) Holder(name string) (Holder, bool) {
	path := d.lockPath(name)
	if !isComponent(name) || !pathExists(path) {
		return Holder{}, false
	}
	file := flock.New(path, flock.SetFlag(os.O_RDONLY))
	ok, err := file.TryRLock()
	if err == nil && !ok {
		return readHolder(path), true
	}
	if ok {
		file.Unlock()
	}
	return d.leaseHolderShown(name)
}

func (d *Dir) lockPath(name string) string {
	return filepath.Join(d.path, privateDir, "locks", lockName(name))
}

func (d *Dir) leasePath(name string) string {
	return strings.TrimSuffix(d.lockPath(name), ".lock") + ".lease"
}

func readHolder(path string) Holder {
	var h Holder
	if data, _, err := regular.Read(path, maxStateFile); err == nil {
		_ = json.Unmarshal(data, &h) // half written: say that it is locked
	}
	return h
}
