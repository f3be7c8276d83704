package endpoint

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

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
	ctx, op, err := m.begin(ctx, name, "stopping", o.Timeout)
	if err != nil {
		return StopResult{}, err
	}
	defer op.end()
	r, err := op.stop(ctx, o)
	return r, op.wrapLostLock(err)
}

// stopping is an operation that stops an endpoint, or does so among other
// things.
type stopping struct {
	*operation
	o      StopOptions
	result StopResult
	ended  bool
	// how says how it ended where no signal did it.
	how string
}

// stop does the work of Stop.
func (op *operation) stop(ctx context.Context, o StopOptions) (StopResult, error) {
	s := stopping{operation: op, o: o}
	if s.o.Grace <= 0 {
		s.o.Grace = DefaultGrace
	}
	for {
		e, v, err := s.settle(ctx)
		if err != nil {
			return StopResult{}, s.interrupted(err, "nothing was done", s.seeStatus())
		}
		p := e.Process
		switch {
		case v.Elsewhere:
			if err := s.stopRemote(ctx, e, v); err != nil {
				return StopResult{}, err
			}
			continue
		case p != nil && p.Proven:
			if err := s.stopDaemon(ctx, e); err != nil {
				return StopResult{}, err
			}
			continue // perhaps there is another one
		case v.Settled:
			return s.finish(ctx, e)
		}
		return StopResult{}, s.doubt(e, v)
	}
}

// seeStatus is the step after an operation that was cut short.
func (op *operation) seeStatus() next.Step {
	return op.step(next.EndpointStatus, "see how far it came")
}

// waitAgain is the step after a stop that has had its time.
func (op *operation) waitAgain() next.Step {
	return op.step(next.EndpointStop, "wait for it again; stopping without waiting for tasks kills it")
}

// removePipe removes a pipe that stands in for daemon.pid: the daemon reads the
// file as it ends (PIDLockFile.release), and would wait for ever.
func (s *stopping) removePipe(e Evidence) error {
	if !e.PIDFile.Exists || e.PIDFile.PID != 0 || !e.PIDFile.ModTime.IsZero() {
		return nil
	}
	if err := s.checkLockHeld(); err != nil {
		return err
	}
	return s.ep.RemoveIrregularPIDFile()
}

// stopDaemon ends one proven daemon. A nil error means that it is gone, or that
// it has changed and has to be looked at again.
func (s *stopping) stopDaemon(ctx context.Context, e Evidence) error {
	pid := e.Process.PID
	handle, err := s.m.processTable().Hold(pid)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	if err != nil {
		return s.wrap(err)
	}
	defer handle.Close()
	e, err = s.proveHeld(handle, e.Process)
	if errors.Is(err, errChanged) {
		return s.lookAgainSoon(ctx)
	}
	if err != nil {
		return err
	}
	switch e.Process.Phase {
	case Launching:
		// SIGTERM before its handlers are there would end it at once, perhaps
		// between the registration and the file that says its id.
		if !s.o.Now && !s.isLate() {
			s.report(ctx, "waiting", fmt.Sprintf("process %d is starting up; it is stopped when it is up", pid))
			return s.lookAgainSoon(ctx)
		}
		if !s.o.Now {
			return s.timeout(fmt.Sprintf("process %d is still starting up, and was left alone", pid), s.waitAgain())
		}
	case Up:
		if again, err := s.waitForTasks(ctx, handle, e); err != nil || again {
			return err
		}
		// Tasks may have taken hours.
		if _, err := s.proveHeld(handle, e.Process); errors.Is(err, errChanged) {
			return nil
		} else if err != nil {
			return err
		}
	case Ending:
		return s.waitForEnd(ctx, handle, e)
	}
	if err := s.removePipe(e); err != nil {
		return err
	}
	s.report(ctx, "stopping", fmt.Sprintf("sending SIGTERM to process %d", pid))
	if err := s.signal(pid, handle, syscall.SIGTERM); errors.Is(err, syscall.ESRCH) {
		return nil
	} else if err != nil {
		return err
	}
	s.result.Signal = "SIGTERM"
	// A suspended one gets to the signal only when it is resumed, also one that
	// was suspended in this very instant; to others this is nothing.
	if err := s.signal(pid, handle, syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return s.waitForEnd(ctx, handle, e)
}

// lookAgainSoon waits for the next look.
func (s *stopping) lookAgainSoon(ctx context.Context) error {
	return s.interrupted(progress.Pause(ctx, lockPoll), "nothing was done", s.seeStatus())
}

// waitForEnd waits until the daemon is gone. With Now it is killed when it has
// had its time, and its user endpoints with it.
func (s *stopping) waitForEnd(ctx context.Context, handle process.Handle, e Evidence) error {
	pid, began := e.Process.PID, time.Now()
	users := s.holdUserEndpoints(e, s.o.Now)
	defer users.Close()
	until := s.deadline
	if kill := began.Add(s.o.Grace); s.o.Now && kill.Before(until) {
		until = kill
	}
	waiting, cancel := context.WithDeadline(ctx, until)
	err := handle.Wait(waiting)
	cancel()
	if err != nil && ctx.Err() != nil {
		return s.interrupted(ctx.Err(), fmt.Sprintf("process %d got SIGTERM and is shutting down", pid), s.seeStatus())
	}
	if err != nil && !s.o.Now {
		if s.hasMarkedEnd(e) {
			return s.timeout(fmt.Sprintf("process %d got SIGTERM and has logged the end of its work, but its process hangs, as it does when the broker does not answer; nothing was killed, and killing it would lose nothing", pid), s.waitAgain())
		}
		return s.timeout(fmt.Sprintf("process %d got SIGTERM and has not ended; nothing was killed", pid), s.waitAgain())
	}
	if err != nil {
		s.report(ctx, "killing", fmt.Sprintf("process %d does not end and is killed", pid))
		if err := s.signal(pid, handle, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		s.result.Signal = "SIGKILL"
		if err := s.killAll(users); err != nil {
			return err
		}
		last, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := handle.Wait(last)
		cancel()
		if err != nil {
			return s.timeout(fmt.Sprintf("process %d got SIGKILL and has not ended: the kernel waits for something on its behalf, such as a file system", pid), s.waitAgain())
		}
	}
	s.ended = true
	s.result.Took += time.Since(began)
	return s.waitForUsers(ctx, users)
}

// hasMarkedEnd says whether the last mark of the log is that of the daemon's end.
func (s *stopping) hasMarkedEnd(e Evidence) bool {
	mark, ok, err := s.ep.Log().LastMarker()
	return err == nil && ok && mark.Kind == log.Ends && mark.ID == e.ID
}

// waitForUsers waits for the user endpoints of a daemon that is gone. They see
// within a second that their parent died, and end by themselves.
func (s *stopping) waitForUsers(ctx context.Context, users process.HeldList) error {
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
			return s.interrupted(ctx.Err(), fmt.Sprintf("the daemon has ended; its user endpoint, process %d, has not yet", u.PID), s.seeStatus())
		}
		if !s.o.Now {
			return s.timeout(fmt.Sprintf("the daemon has ended; its user endpoint, process %d, has not", u.PID), s.waitAgain())
		}
		if err := s.killAll(users); err != nil {
			return err
		}
		last, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := u.Handle.Wait(last)
		cancel()
		if err != nil {
			return s.timeout(fmt.Sprintf("the daemon has ended; its user endpoint, process %d, got SIGKILL and has not", u.PID), s.waitAgain())
		}
	}
	return nil
}

// finish cleans up after a daemon that is proven gone, and says what was done.
func (s *stopping) finish(ctx context.Context, e Evidence) (StopResult, error) {
	users := s.holdUserEndpoints(e, s.o.Now)
	defer users.Close()
	if err := s.waitForUsers(ctx, users); err != nil {
		return StopResult{}, err
	}
	if err := s.endSurvivors(ctx); err != nil {
		return StopResult{}, err
	}
	// Where nothing can be written they stay, and the daemon is gone all the same.
	if err := s.removePIDFile(e); err != nil && !errors.Is(err, syscall.EROFS) {
		return StopResult{}, err
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
