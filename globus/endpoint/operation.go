package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"chiltepin/endpointfs"
	"chiltepin/globus/process"
)

// turn is an operation's turn at an endpoint: it holds the lock.
type turn struct {
	ep     *endpointfs.Endpoint
	lock   *endpointfs.Lock
	cancel context.CancelFunc
}

// lockKey is where the context of an operation has its lock.
type lockKey struct{}

// newTurn returns a turn and the context for it, which ends when the lock is
// lost.
func newTurn(ctx context.Context, ep *endpointfs.Endpoint, lock *endpointfs.Lock) (context.Context, *turn) {
	ctx, cancel := lock.Context(context.WithValue(ctx, lockKey{}, lock))
	return ctx, &turn{ep, lock, cancel}
}

// stillOurs is asked before whatever cannot be undone: before a signal, a
// launch, a removal. A process that was suspended may have lost a lease without
// having noticed yet.
func stillOurs(ctx context.Context) error {
	if lock, ok := ctx.Value(lockKey{}).(*endpointfs.Lock); ok {
		return lock.Check()
	}
	return nil
}

// told returns the error of the operation, or why it was cut short when that
// is because the lock was lost.
func (t *turn) told(err error) error {
	if _, known := errors.AsType[*endpointfs.LostError](err); err == nil || known {
		return err
	}
	if lost := t.lock.Check(); lost != nil {
		return fmt.Errorf("%w (%v)", lost, err)
	}
	return err
}

// release ends the turn.
func (t *turn) release() {
	t.cancel()
	_ = t.lock.Release()
}

// configDir is the configuration directory, as one on this machine sees it.
func (m *Manager) configDir() *endpointfs.Dir { return m.Dir.On(leaseHost{m}) }

// leaseHost tells about this machine what a lease needs to know.
type leaseHost struct{ m *Manager }

// Boot is the boot id.
func (l leaseHost) Boot() string { return l.m.thisMachine().BootID }

// Started returns when a process started, and 0 for one that is not. Where
// /proc hides the processes of others, only the kernel knows that one is not.
func (l leaseHost) Started(pid int) (uint64, error) {
	p, ok, err := l.m.processTable().Lookup(pid)
	if err != nil || ok {
		return p.StartTime, err
	}
	if process.IsForeign(pid) {
		return 0, fmt.Errorf("looking at process %d: %w", pid, fs.ErrPermission)
	}
	return 0, nil
}
