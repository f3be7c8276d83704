package endpoint

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/progress"
)

// resume lets a daemon that a signal has suspended go on: it was asked to run.
// It returns what is seen then.
func (m *Manager) resume(ctx context.Context, ep *endpointfs.Endpoint, e Evidence) (Evidence, error) {
	pid := e.Process.PID
	held, err := m.processTable().Hold(pid)
	if err != nil {
		return e, fmt.Errorf("starting endpoint %q: %w", ep.Name(), err)
	}
	defer held.Close()
	s := stopper{m: m, ep: ep, operation: "starting"}
	if e, err = s.prove(held, e.Process); errors.Is(err, errChanged) {
		return e, nil
	} else if err != nil {
		return e, err
	}
	progress.Report(ctx, progress.Event{Stage: "resuming", Text: fmt.Sprintf("process %d is suspended, and is told to go on", pid)})
	if err := stillOurs(ctx); err != nil {
		return e, err
	}
	if err := held.Signal(syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return e, fmt.Errorf("starting endpoint %q: signalling process %d: %w", ep.Name(), pid, err)
	}
	for until := time.Now().Add(2 * time.Second); ; {
		e, err := m.gatherEvidence(ep, lookOptions{Mine: true})
		if p := e.Process; err != nil || p == nil || !p.Suspended || time.Now().After(until) {
			return e, err
		}
		if err := pause(ctx, lockPoll); err != nil {
			return e, err
		}
	}
}

// isLeaving says whether a daemon that is proven here ends by itself: it is
// shutting down, or will as soon as it misses its pid file (_touch_pid in
// cli.py).
func (e Evidence) isLeaving() bool {
	p := e.Process
	return p != nil && p.Proven && (p.Phase == Ending || p.Phase == Up && !e.PIDFile.Exists && !p.Suspended)
}
