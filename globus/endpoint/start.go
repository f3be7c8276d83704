package endpoint

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
	"chiltepin/globus/progress"
	"chiltepin/globus/runtime"
)

// StartOptions say how long to wait.
type StartOptions struct {
	// Timeout is for everything together; 0 is [DefaultTimeout].
	Timeout time.Duration
}

// StartResult is an endpoint that was seen to run.
type StartResult struct {
	Status Status
	// Outcome is Started or AlreadyRunning.
	Outcome Outcome
	// Runtime is what was launched; zero when it ran already.
	Runtime runtime.Runtime
	// Launched is when, Proven when everything was seen.
	Launched, Proven time.Time
}

// Start launches the daemon of an endpoint and waits until it is proven to run:
// its process with its title, its pid file, endpoint.json, and in the log the
// marker and that Globus Auth knows who it serves. An endpoint that runs
// already is a success, one that is on its way is joined, and one that is
// suspended is resumed.
//
// When time runs out or ctx is done a daemon that was launched keeps running;
// the error is a *[TimeoutError] or *[InterruptedError] that says so. A daemon
// that ends is a *[DaemonError].
func (m *Manager) Start(ctx context.Context, name string, o StartOptions) (StartResult, error) {
	ctx, op, err := m.begin(ctx, name, "starting", o.Timeout)
	if err != nil {
		return StartResult{}, err
	}
	defer op.end()
	r, err := op.start(ctx)
	return r, op.wrapLostLock(err)
}

// launchAttempts is how often a daemon is launched at most. Of two programs that
// start an endpoint at once, the one that loses daemon.pid may yet be the last
// to register, so that the broker refuses the other, and both end; then the next
// launch need not give way.
const launchAttempts = 2

// start does the work of Start.
func (op *operation) start(ctx context.Context) (StartResult, error) {
	var lost error // why the attempt before has lost against another program
	for attempt := 1; ; attempt++ {
		e, err := op.waitUntilActionable(ctx)
		if err != nil {
			return StartResult{}, err
		}
		p := e.Process
		switch {
		case p != nil && p.Proven && p.Phase == Up:
			return op.reportRunning(ctx, e)
		case p != nil && p.Proven:
			return op.joinStart(ctx, e)
		case lost != nil && (attempt > launchAttempts || op.isLate()):
			return StartResult{}, lost
		}
		var r StartResult
		if r, lost, err = op.launchAndWait(ctx, e, attempt < launchAttempts); lost == nil {
			return r, err
		}
	}
}

// waitUntilActionable waits until it is clear what to do: nothing proven here,
// or a daemon that is up or on its way. One that is shutting down is waited for,
// one that is suspended is resumed.
func (op *operation) waitUntilActionable(ctx context.Context) (Evidence, error) {
	resumed := false
	for {
		e, v, err := op.settle(ctx)
		if err != nil {
			return e, op.interrupted(err, "nothing was launched", op.step(next.EndpointStart, ""))
		}
		p := e.Process
		switch {
		case v.Elsewhere:
			return e, op.runsElsewhere(v)
		case p != nil && p.Proven && p.Suspended && !e.isLeaving() && !resumed:
			resumed = true
			if err := op.resume(ctx, p); err != nil {
				return e, err
			}
			continue
		case p != nil && p.Proven && !e.isLeaving(), v.Settled:
			return e, nil
		case p == nil || !p.Proven:
			return e, op.doubt(e, v)
		case op.isLate():
			return e, op.timeout(v.Reason, op.step(next.EndpointStatus, "see what it does"))
		}
		op.report(ctx, "waiting", v.Reason)
		if err := progress.Pause(ctx, lockPoll); err != nil {
			return e, op.interrupted(err, "nothing was launched", op.step(next.EndpointStart, ""))
		}
	}
}

// launchAndWait launches the daemon of an endpoint that does not run, as e
// shows, and waits until it is proven. lost is why it has lost against another
// program that started the endpoint at the same time, nil when it has not. With
// mayRetry a daemon that has lost and lives is stopped.
func (op *operation) launchAndWait(ctx context.Context, e Evidence, mayRetry bool) (r StartResult, lost, err error) {
	if err := op.checkFiles(); err != nil {
		return r, nil, err
	}
	rt, env, err := op.launchPrerequisites(ctx)
	if err != nil {
		return r, nil, err
	}
	if err := op.removePIDFile(e); err != nil {
		return r, nil, err
	}
	if err := ctx.Err(); err != nil {
		return r, nil, op.interrupted(err, "nothing was launched", op.step(next.EndpointStart, ""))
	}
	op.report(ctx, "launching", fmt.Sprintf("launching %s %s", rt.Path, rt.Version))
	r = StartResult{Runtime: rt, Launched: time.Now(), Outcome: Started}
	d, err := op.launchDaemon(rt, env)
	var unrecorded *recordError
	if errors.As(err, &unrecorded) {
		zerolog.Ctx(ctx).Info().Err(unrecorded).Str("endpoint", op.ep.Name()).Msg("the launch could not be recorded")
	} else if err != nil {
		return StartResult{}, nil, err
	}
	defer d.handle.Close()
	r.Status, err = op.waitReady(ctx, d)
	r.Proven = time.Now()
	var ended *DaemonError
	switch {
	case err == nil && d.lostRace && mayRetry && !op.isLate():
		// It would live on without heartbeats.
		if err := op.stopLoser(ctx, d); err != nil {
			return StartResult{}, nil, err
		}
		return StartResult{}, op.lostRaceError(), nil
	case err == nil:
		return r, nil, nil
	case errors.As(err, &ended) && (ended.ExitStatus == daemon.ExitAnotherRuns || d.lostRace):
		return StartResult{}, ended, nil
	case ended != nil && ended.Cause == "" && unrecorded != nil:
		// What kept us from writing will have kept the daemon, and its words
		// are lost with it.
		ended.Cause, ended.NextSteps = explainDiskError(unrecorded)
	}
	return StartResult{}, nil, err
}

// stopLoser stops a daemon that was launched a moment ago and has lost against
// another program.
func (op *operation) stopLoser(ctx context.Context, d *awaitedDaemon) error {
	op.report(ctx, "waiting", fmt.Sprintf("another program registered this endpoint at the same time; stopping process %d, whose broker password is now invalid", d.pid))
	if err := op.signal(d.pid, d.handle, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	waiting, cancel := context.WithDeadline(ctx, op.deadline)
	defer cancel()
	switch err := d.handle.Wait(waiting); {
	case ctx.Err() != nil:
		return op.interrupted(ctx.Err(), fmt.Sprintf("process %d got SIGTERM and is shutting down", d.pid), op.step(next.EndpointStart, ""))
	case err != nil:
		return op.lostRaceError()
	}
	return nil
}

// lostRaceError is the error for a daemon that has lost against another program
// when there is no time for another one.
func (op *operation) lostRaceError() error {
	return op.timeout("another program registered this endpoint at the same time; the daemon, whose broker password is now invalid, got SIGTERM", op.step(next.EndpointStart, ""))
}

// reportRunning is the result for a daemon that runs already.
func (op *operation) reportRunning(ctx context.Context, e Evidence) (StartResult, error) {
	op.recordRunning(ctx, e)
	s, err := op.m.statusNow(op.ep)
	return StartResult{Status: s, Outcome: AlreadyRunning}, err
}

// recordRunning makes sure that there is a record of a daemon that is proven,
// also when somebody else launched it, so that its end will be known at once.
func (op *operation) recordRunning(ctx context.Context, e Evidence) {
	p := e.Process
	if r := e.Record; r != nil && r.PID == p.PID && r.StartTime == p.StartTime {
		return
	}
	size, err := op.ep.Log().Size()
	if err == nil {
		err = op.recordLaunch(p.PID, p.StartTime, size, "", nil)
	}
	if err != nil {
		zerolog.Ctx(ctx).Info().Err(err).Str("endpoint", op.ep.Name()).Msg("a running daemon could not be recorded")
	}
}

// joinStart waits for a daemon that is on its way already.
func (op *operation) joinStart(ctx context.Context, e Evidence) (StartResult, error) {
	handle, err := op.m.processTable().Hold(e.Process.PID)
	if err != nil {
		return StartResult{}, op.wrap(err)
	}
	defer handle.Close()
	d := &awaitedDaemon{pid: e.Process.PID, handle: handle}
	if r := e.Record; r != nil && r.PID == d.pid && r.StartTime == e.Process.StartTime {
		d.from, d.output = r.LogOffset, filepath.Join(op.ep.Path(), outputFile)
	}
	s, err := op.waitReady(ctx, d)
	if err != nil {
		return StartResult{}, err
	}
	op.recordRunning(ctx, s.Evidence)
	return StartResult{Status: s, Outcome: Started, Proven: time.Now()}, nil
}
