package endpoint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus/next"
	"chiltepin/globus/process"
	"chiltepin/globus/progress"
)

// StopOptions say how to stop.
type StopOptions struct {
	// Timeout is for everything together; 0 is [DefaultTimeout].
	Timeout time.Duration
	// Now does not wait for tasks, and kills a daemon that does not end.
	Now bool
	// Grace is how long a daemon has to end before Now kills it; 0 is
	// [DefaultGrace].
	Grace time.Duration
}

// DefaultGrace is how long Now waits between SIGTERM and SIGKILL. The daemon
// takes 4 to 13 seconds when all is well.
const DefaultGrace = 20 * time.Second

// StopResult is an endpoint that does not run.
type StopResult struct {
	Status Status
	// Outcome is WasStopped or NotRunning.
	Outcome Outcome
	// Signal is what ended the daemon: SIGTERM or SIGKILL. Empty when it did
	// not run, or was ending by itself.
	Signal string
	// Lost is the number of tasks that Now did not wait for, as far as known.
	Lost int
	// Took is from the signal to the end.
	Took time.Duration
}

// Stop ends the daemon of an endpoint in an orderly way. While its user
// endpoints have tasks it waits, and if time runs out it is a *[TimeoutError]
// and nothing was signalled, unless Now is set. The daemon then gets SIGTERM,
// and is reported stopped when it was seen gone. An endpoint that does not run
// is a success. One that runs on another machine is told to end by taking its
// daemon.pid away, and is reported stopped when its log marks its end.
//
// A daemon that ignores SIGTERM is a *[TimeoutError]; only Now kills it, and
// then its user endpoints too.
func (m *Manager) Stop(ctx context.Context, name string, o StopOptions) (StopResult, error) {
	began, deadline := deadlineAfter(o.Timeout)
	ctx, t, err := m.lock(ctx, name, "stopping", deadline)
	if err != nil {
		return StopResult{}, err
	}
	defer t.release()
	r, err := m.stop(ctx, t.ep, "stopping", o, began, deadline)
	return r, t.told(err)
}

// stop does the work of Stop under the lock.
func (m *Manager) stop(ctx context.Context, ep *endpointfs.Endpoint, operation string, o StopOptions, began, deadline time.Time) (StopResult, error) {
	s := stopper{m: m, ep: ep, operation: operation, o: o, began: began, deadline: deadline}
	if s.o.Grace <= 0 {
		s.o.Grace = DefaultGrace
	}
	for {
		e, v, err := m.settle(ctx, ep)
		if err != nil {
			return StopResult{}, s.interrupted(err, "nothing was done")
		}
		p := e.Process
		switch {
		case v.Elsewhere:
			if err := s.stopRemote(ctx, e, v); err != nil {
				return StopResult{}, err
			}
			continue
		case p != nil && p.Proven:
			if err := s.end(ctx, e); err != nil {
				return StopResult{}, err
			}
			continue // perhaps there is another one
		case v.Settled:
			return s.finish(ctx, e)
		}
		return StopResult{}, m.doubt(operation, ep, e, v)
	}
}

// stopper is one stop under way.
type stopper struct {
	m               *Manager
	ep              *endpointfs.Endpoint
	operation       string
	o               StopOptions
	began, deadline time.Time
	result          StopResult
	ended           bool
	// how says how it ended where no signal did it.
	how string
}

// removePipe removes a pipe that stands in for daemon.pid: the daemon reads the
// file as it ends (PIDLockFile.release), and would wait for ever.
func (s *stopper) removePipe(e Evidence) error {
	if !e.PIDFile.Exists || e.PIDFile.PID != 0 || !e.PIDFile.ModTime.IsZero() {
		return nil
	}
	return s.withRoot(func(root *os.Root) error {
		info, err := root.Lstat("daemon.pid")
		if err != nil || info.IsDir() || info.Mode().IsRegular() {
			return nil
		}
		return root.Remove("daemon.pid")
	})
}

// errChanged means that the evidence changed while it was being acted on.
var errChanged = errors.New("the process is another one by now")

// end ends one proven daemon. A nil error means that it is gone, or that it
// has changed and has to be looked at again.
func (s *stopper) end(ctx context.Context, e Evidence) error {
	pid := e.Process.PID
	held, err := s.m.processTable().Hold(pid)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s endpoint %q: %w", s.operation, s.ep.Name(), err)
	}
	defer held.Close()
	e, err = s.prove(held, e.Process)
	if errors.Is(err, errChanged) {
		return pauseBriefly(ctx)
	}
	if err != nil {
		return err
	}
	switch e.Process.Phase {
	case Launching:
		// SIGTERM before its handlers are there would end it at once, perhaps
		// between the registration and the file that says its id.
		if !s.o.Now && time.Now().Before(s.deadline) {
			s.tell(ctx, "waiting", fmt.Sprintf("process %d is starting up; it is stopped when it is up", pid))
			return pauseBriefly(ctx)
		}
		if !s.o.Now {
			return s.timeout(fmt.Sprintf("process %d is still starting up, and was left alone", pid))
		}
	case Up:
		if again, err := s.waitForTasks(ctx, held, e); err != nil || again {
			return err
		}
		// Tasks may have taken hours.
		if _, err := s.prove(held, e.Process); errors.Is(err, errChanged) {
			return nil
		} else if err != nil {
			return err
		}
	case Ending:
		return s.waitForEnd(ctx, held, e)
	}
	if err := stillOurs(ctx); err != nil {
		return err
	}
	if err := s.removePipe(e); err != nil {
		return fmt.Errorf("%s endpoint %q: %w", s.operation, s.ep.Name(), err)
	}
	s.tell(ctx, "stopping", fmt.Sprintf("process %d is told to end", pid))
	if err := held.Signal(syscall.SIGTERM); errors.Is(err, syscall.ESRCH) {
		return nil
	} else if err != nil {
		return fmt.Errorf("%s endpoint %q: signalling process %d: %w", s.operation, s.ep.Name(), pid, err)
	}
	s.result.Signal = "SIGTERM"
	// A suspended one gets to the signal only when it goes on, also one that was
	// suspended in this very instant; to others this is nothing.
	if err := held.Signal(syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("%s endpoint %q: signalling process %d: %w", s.operation, s.ep.Name(), pid, err)
	}
	return s.waitForEnd(ctx, held, e)
}

// prove looks at the process anew while a handle is held on it: what is read
// now is about that process, or it is dead.
func (s *stopper) prove(held process.Handle, was *ProcessEvidence) (Evidence, error) {
	e, err := s.m.gatherEvidence(s.ep, lookOptions{Mine: true})
	if err != nil {
		return e, fmt.Errorf("%s endpoint %q: %w", s.operation, s.ep.Name(), err)
	}
	p := e.Process
	if p == nil || !p.Proven || p.PID != was.PID || p.StartTime != was.StartTime || held.Dead() {
		return e, errChanged
	}
	return e, nil
}

// waitForEnd waits until the daemon is gone. With Now it is killed when it has
// had its time, and its user endpoints with it.
func (s *stopper) waitForEnd(ctx context.Context, held process.Handle, e Evidence) error {
	pid, told := e.Process.PID, time.Now()
	users := s.holdUserEndpoints(e)
	defer users.Close()
	until := s.deadline
	if kill := told.Add(s.o.Grace); s.o.Now && kill.Before(until) {
		until = kill
	}
	waiting, cancel := context.WithDeadline(ctx, until)
	err := held.Wait(waiting)
	cancel()
	if err != nil && ctx.Err() != nil {
		return s.interrupted(ctx.Err(), fmt.Sprintf("process %d was told to end and is shutting down", pid))
	}
	if err != nil && !s.o.Now {
		if s.hasMarkedEnd(e) {
			return s.timeout(fmt.Sprintf("process %d got SIGTERM and has marked its end in the log, but hangs since, as it does when the broker does not answer; nothing was killed, and nothing would be lost", pid))
		}
		return s.timeout(fmt.Sprintf("process %d got SIGTERM and has not ended; nothing was killed", pid))
	}
	if err != nil {
		if err := stillOurs(ctx); err != nil {
			return err
		}
		s.tell(ctx, "killing", fmt.Sprintf("process %d does not end and is killed", pid))
		if err := held.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("%s endpoint %q: killing process %d: %w", s.operation, s.ep.Name(), pid, err)
		}
		s.result.Signal = "SIGKILL"
		killAll(users)
		last, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := held.Wait(last)
		cancel()
		if err != nil {
			return s.timeout(fmt.Sprintf("process %d got SIGKILL and has not ended: the kernel waits for something on its behalf, such as a file system", pid))
		}
	}
	s.ended = true
	s.result.Took += time.Since(told)
	return s.waitForUsers(ctx, users)
}

// hasMarkedEnd says whether the last mark of the log is that of the daemon's end.
func (s *stopper) hasMarkedEnd(e Evidence) bool {
	mark, ok, err := s.ep.Log().LastMarker()
	return err == nil && ok && mark.Kind == log.Ends && mark.ID == e.ID
}

// waitForUsers waits for the user endpoints of a daemon that is gone. They see
// within a second that their parent died, and end by themselves.
func (s *stopper) waitForUsers(ctx context.Context, users process.HeldList) error {
	until := s.deadline
	if least := time.Now().Add(15 * time.Second); s.o.Now && least.After(until) {
		until = least
	}
	waiting, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for _, u := range users {
		if u.Handle.Wait(waiting) == nil {
			continue
		}
		if ctx.Err() != nil {
			return s.interrupted(ctx.Err(), fmt.Sprintf("the daemon has ended; its user endpoint, process %d, has not yet", u.PID))
		}
		if !s.o.Now {
			return s.timeout(fmt.Sprintf("the daemon has ended; its user endpoint, process %d, has not", u.PID))
		}
		if err := stillOurs(ctx); err != nil {
			return err
		}
		killAll(users)
		last, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := u.Handle.Wait(last)
		cancel()
		if err != nil {
			return s.timeout(fmt.Sprintf("the daemon has ended; its user endpoint, process %d, got SIGKILL and has not", u.PID))
		}
	}
	return nil
}

// finish cleans up after a daemon that is proven gone, and says what was done.
func (s *stopper) finish(ctx context.Context, e Evidence) (StopResult, error) {
	users := s.holdUserEndpoints(e)
	defer users.Close()
	if err := s.waitForUsers(ctx, users); err != nil {
		return StopResult{}, err
	}
	if err := s.endSurvivors(ctx); err != nil {
		return StopResult{}, err
	}
	if err := stillOurs(ctx); err != nil {
		return StopResult{}, err
	}
	// Where nothing can be written they stay, and the daemon is gone all the same.
	if err := removePIDFile(s.ep, e); err != nil && !errors.Is(err, syscall.EROFS) {
		return StopResult{}, fmt.Errorf("%s endpoint %q: %w", s.operation, s.ep.Name(), err)
	}
	// Where endpoint.json is lost, the record alone knows the id.
	if e.ID != "" {
		if err := s.ep.RemoveLaunchRecord(); err != nil && !errors.Is(err, syscall.EROFS) {
			return StopResult{}, err
		}
	}
	r := s.result
	r.Outcome = NotRunning
	if s.ended {
		r.Outcome = WasStopped
	}
	var err error
	r.Status, err = s.m.statusNow(s.ep)
	if s.how != "" {
		r.Status.Reason += "; " + s.how
	}
	return r, err
}

func (s *stopper) tell(ctx context.Context, stage, text string) {
	progress.Report(ctx, progress.Event{Stage: stage, Text: text})
}

func (s *stopper) timeout(known string) error {
	return &TimeoutError{Name: s.ep.Name(), Operation: s.operation, After: time.Since(s.began), Known: known,
		NextSteps: []next.Step{next.Endpoint(next.EndpointStop, s.ep.Name(), "wait for it again; stopping without waiting for tasks would kill it")}}
}

func (s *stopper) interrupted(err error, known string) error {
	if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &InterruptedError{Name: s.ep.Name(), Operation: s.operation, Known: known, NextSteps: []next.Step{next.Endpoint(next.EndpointStatus, s.ep.Name(), "see how far it came")}, Err: err}
}

func pauseBriefly(ctx context.Context) error { return pause(ctx, lockPoll) }
