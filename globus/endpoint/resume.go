package endpoint

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"chiltepin/globus/next"
	"chiltepin/globus/progress"
)

// resumeGrace is how long a process is given to be seen running again.
const resumeGrace = 2 * time.Second

// resume resumes a daemon that a signal has suspended: it was asked to run. A
// daemon that has changed meanwhile is left alone.
func (op *operation) resume(ctx context.Context, p *ProcessEvidence) error {
	handle, err := op.m.processTable().Hold(p.PID)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	if err != nil {
		return op.wrap(err)
	}
	defer handle.Close()
	if _, err := op.proveHeld(handle, p); errors.Is(err, errChanged) {
		return nil
	} else if err != nil {
		return err
	}
	op.report(ctx, "resuming", fmt.Sprintf("process %d is suspended; resuming it", p.PID))
	if err := op.signal(p.PID, handle, syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	for until := time.Now().Add(resumeGrace); ; {
		e, err := op.m.gatherEvidence(op.ep, lookOptions{Mine: true})
		if err != nil {
			return op.wrap(err)
		}
		if p := e.Process; p == nil || !p.Suspended || time.Now().After(until) {
			return nil
		}
		if err := progress.Pause(ctx, lockPoll); err != nil {
			return op.interrupted(err, fmt.Sprintf("process %d was resumed", p.PID), op.step(next.EndpointStart, ""))
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
