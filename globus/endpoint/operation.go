package endpoint

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
	"chiltepin/globus/process"
	"chiltepin/globus/progress"
)

// operation is one call that changes an endpoint. It holds the endpoint's lock
// from its beginning to its end, and makes the errors of the call. Everything
// that cannot be undone is done by its methods, which ask first whether the lock
// is still held: without a lock they refuse.
type operation struct {
	m *Manager
	// endpoint is the endpoint's name; empty for an operation that is not about
	// one endpoint.
	endpoint string
	// ep is nil as long as there is none, as before it is configured.
	ep *endpointfs.Endpoint
	// lock is nil when none is held.
	lock *endpointfs.Lock
	// name is what is done, in the participle: "starting".
	name            string
	began, deadline time.Time
	cancel          context.CancelFunc
}

// DefaultTimeout is how long an operation takes at most when nothing else is
// said.
const DefaultTimeout = 2 * time.Minute

// lockPoll is how often a lock that somebody holds is tried, and how often
// whatever else is awaited is looked at.
const lockPoll = 50 * time.Millisecond

// newOperation returns an operation that holds no lock yet. A timeout of 0 is
// [DefaultTimeout].
func (m *Manager) newOperation(endpoint, name string, timeout time.Duration) *operation {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	began := time.Now()
	return &operation{m: m, endpoint: endpoint, name: name, began: began, deadline: began.Add(timeout), cancel: func() {}}
}

// begin takes the lock of the endpoint of that name, waiting for other
// operations at most until the timeout. The endpoint is looked up again once the
// lock is held: the operation before may have deleted it. The context is for
// what is done under the lock, and ends when the lock is lost. The caller calls
// end.
func (m *Manager) begin(ctx context.Context, endpoint, name string, timeout time.Duration) (context.Context, *operation, error) {
	dir := m.configDir()
	ep, err := dir.Endpoint(endpoint)
	if err != nil {
		return nil, nil, err
	}
	op := m.newOperation(ep.Name(), name, timeout)
	ctx, err = op.takeLock(ctx, func() (*endpointfs.Lock, error) { return ep.Lock(ctx, name) })
	if err != nil {
		return nil, nil, err
	}
	if op.ep, err = dir.Endpoint(ep.Name()); err == nil {
		err = op.restorePIDFile()
	}
	if err != nil {
		op.end()
		return nil, nil, err
	}
	op.ep.RemoveUnfinishedRecord()
	return ctx, op, nil
}

// beginDirectory takes a lock that keeps other operations of its name away from
// the configuration directory. The caller calls end.
func (m *Manager) beginDirectory(ctx context.Context, name string) (context.Context, *operation, error) {
	op := m.newOperation("", name, 0)
	dir := m.configDir()
	// No endpoint's directory has such a name.
	lockName := daemon.UserEndpointPrefix(name)
	ctx, err := op.takeLock(ctx, func() (*endpointfs.Lock, error) { return dir.Lock(ctx, lockName, name) })
	if err != nil {
		return nil, nil, op.wrap(err)
	}
	return ctx, op, nil
}

// takeLock takes a lock, trying until the deadline.
func (op *operation) takeLock(ctx context.Context, take func() (*endpointfs.Lock, error)) (context.Context, error) {
	reported := ""
	for {
		lock, err := take()
		var held *endpointfs.LockedError
		switch {
		case err == nil:
			op.lock = lock
			ctx, op.cancel = lock.Context(ctx)
			return ctx, nil
		case !errors.As(err, &held):
			return nil, err
		case op.isLate():
			return nil, &BusyError{Name: op.endpoint, Holder: held.Holder}
		case reported != held.Error():
			reported = held.Error()
			op.report(ctx, "waiting", reported)
		}
		if err := progress.Pause(ctx, lockPoll); err != nil {
			return nil, err
		}
	}
}

// end gives the lock back. What is attempted afterwards is refused.
func (op *operation) end() {
	op.cancel()
	if op.lock != nil {
		_ = op.lock.Release()
	}
	op.lock = nil
}

// as returns the operation under another name, for a part of it.
func (op *operation) as(name string) *operation {
	part := *op
	part.name = name
	return &part
}

// checkLockHeld is an error unless the operation holds its lock. It is called
// before whatever cannot be undone: a signal, a launch, a removal. A process
// that was suspended may have lost a lease without having noticed yet.
func (op *operation) checkLockHeld() error {
	if op.lock == nil {
		return op.wrap(errNoLock)
	}
	return op.lock.Check()
}

// errNoLock is for an operation that has not taken its lock, or has given it
// back.
var errNoLock = errors.New("the lock is not held, so nothing is signalled, launched or removed")

// signal sends a signal to a process that was proven under the lock. It fails
// with [syscall.ESRCH] when the process is dead.
func (op *operation) signal(pid int, handle process.Handle, s syscall.Signal) error {
	if err := op.checkLockHeld(); err != nil {
		return err
	}
	if err := handle.Signal(s); err != nil {
		return op.wrap(fmt.Errorf("sending %s to process %d: %w", signalName(s), pid, err))
	}
	return nil
}

// killAll kills processes that were proven under the lock.
func (op *operation) killAll(all process.HeldList) error {
	if err := op.checkLockHeld(); err != nil {
		return err
	}
	for _, p := range all {
		_ = p.Handle.Signal(syscall.SIGKILL) // a dead one is what is wanted
	}
	return nil
}

// isLate says whether the operation has had its time.
func (op *operation) isLate() bool { return !time.Now().Before(op.deadline) }

// report says what is being done.
func (op *operation) report(ctx context.Context, stage, text string) {
	progress.Report(ctx, progress.Event{Stage: stage, Text: text})
}

// wrap says in an error what was being done to which endpoint.
func (op *operation) wrap(err error) error {
	if op.endpoint == "" {
		return fmt.Errorf("%s: %w", op.name, err)
	}
	return fmt.Errorf("%s endpoint %q: %w", op.name, op.endpoint, err)
}

// wrapLostLock returns the error of the operation, or why it was cut short when
// that is because the lock was lost.
func (op *operation) wrapLostLock(err error) error {
	if _, known := errors.AsType[*endpointfs.LostError](err); err == nil || known || op.lock == nil {
		return err
	}
	if lost := op.lock.Check(); lost != nil {
		return fmt.Errorf("%w (%v)", lost, err)
	}
	return err
}

// timeout is the error for an operation that has had its time.
func (op *operation) timeout(known string, steps ...next.Step) *TimeoutError {
	return &TimeoutError{Name: op.endpoint, Operation: op.name, After: time.Since(op.began), Known: known, NextSteps: steps}
}

// interrupted is the error for an operation whose context has ended. Another
// error is returned as it is.
func (op *operation) interrupted(err error, known string, steps ...next.Step) error {
	if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &InterruptedError{Name: op.endpoint, Operation: op.name, Known: known, NextSteps: steps, Err: err}
}

// runsElsewhere is the error for an endpoint that runs on another machine.
func (op *operation) runsElsewhere(v verdict) *ElsewhereError {
	return &ElsewhereError{Name: op.endpoint, Operation: op.name, Host: v.Host, Reason: v.Reason}
}

// doubt is the error for a verdict that nothing can be done on.
func (op *operation) doubt(e Evidence, v verdict) *DoubtError {
	err := &DoubtError{Name: op.endpoint, Operation: op.name, Reason: v.Reason}
	file := filepath.Join(op.ep.Path(), daemon.PIDFile)
	if e.Process != nil && e.Process.Doubtful {
		err.PID = e.Process.PID
		err.NextSteps = []next.Step{next.Do(fmt.Sprintf("look at process %d with ps; if it is not this endpoint's daemon, remove %s", err.PID, file))}
		return err
	}
	err.NextSteps = []next.Step{next.Do("when you are sure that no machine runs it, remove " + file)}
	return err
}

// step is a step that calls an operation on this endpoint.
func (op *operation) step(name next.Operation, why string) next.Step {
	return next.Endpoint(name, op.endpoint, why)
}

// settle looks until the verdict can be acted on, watching daemon.pid where
// that may tell.
func (op *operation) settle(ctx context.Context) (Evidence, verdict, error) {
	e, err := op.m.gatherEvidence(op.ep, lookOptions{Mine: true})
	if err != nil {
		return e, verdict{}, op.wrap(err)
	}
	v := judgeEvidence(e)
	if v.Settled || e.Process != nil && (e.Process.Proven || e.Process.Doubtful || e.Process.Host != "") {
		return e, v, nil
	}
	return op.m.watchPIDFile(ctx, op.ep, e)
}

// errChanged means that the evidence changed while it was being acted on.
var errChanged = errors.New("the process is another one by now")

// proveHeld looks at the process anew while a handle is held on it: what is read
// now is about that process, or it is dead.
func (op *operation) proveHeld(handle process.Handle, was *ProcessEvidence) (Evidence, error) {
	e, err := op.m.gatherEvidence(op.ep, lookOptions{Mine: true})
	if err != nil {
		return e, op.wrap(err)
	}
	p := e.Process
	if p == nil || !p.Proven || p.PID != was.PID || p.StartTime != was.StartTime || handle.Dead() {
		return e, errChanged
	}
	return e, nil
}
