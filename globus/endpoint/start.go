package endpoint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
	"chiltepin/globus/progress"
	"chiltepin/globus/runtime"
)

// DefaultTimeout is how long start, stop and restart take at most when nothing
// else is said.
const DefaultTimeout = 2 * time.Minute

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
// suspended is told to go on.
//
// When time runs out or ctx is done a daemon that was launched goes on; the
// error is a *[TimeoutError] or *[InterruptedError] that says so. A daemon that
// ends is a *[DaemonError].
func (m *Manager) Start(ctx context.Context, name string, o StartOptions) (StartResult, error) {
	began, deadline := deadlineAfter(o.Timeout)
	ctx, t, err := m.lock(ctx, name, "starting", deadline)
	if err != nil {
		return StartResult{}, err
	}
	defer t.release()
	r, err := m.start(ctx, t.ep, began, deadline)
	return r, t.told(err)
}

func deadlineAfter(timeout time.Duration) (began, deadline time.Time) {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	began = time.Now()
	return began, began.Add(timeout)
}

// start does the work of Start under the lock.
func (m *Manager) start(ctx context.Context, ep *endpointfs.Endpoint, began, deadline time.Time) (StartResult, error) {
	e, err := m.ready(ctx, ep, began, deadline)
	if err != nil {
		return StartResult{}, err
	}
	if p := e.Process; p != nil && p.Proven && p.Suspended {
		if e, err = m.resume(ctx, ep, e); err == nil && (e.Process == nil || e.isLeaving()) {
			e, err = m.ready(ctx, ep, began, deadline)
		}
		if err != nil {
			return StartResult{}, err
		}
	}
	if p := e.Process; p != nil && p.Proven && p.Phase == Up {
		return m.alreadyRunning(ctx, ep, e)
	}
	if p := e.Process; p != nil && p.Proven {
		return m.join(ctx, ep, e, began, deadline)
	}
	return m.launchAndAwait(ctx, ep, e, began, deadline, true)
}

// launchAndAwait launches the daemon of an endpoint that does not run, as e
// shows. again allows a second launch when another daemon was in the way that
// is gone by then.
func (m *Manager) launchAndAwait(ctx context.Context, ep *endpointfs.Endpoint, e Evidence, began, deadline time.Time, again bool) (StartResult, error) {
	if err := m.checkFiles(ep); err != nil {
		return StartResult{}, err
	}
	rt, env, err := m.launchPrerequisites(ctx, ep)
	if err != nil {
		return StartResult{}, err
	}
	if err := stillOurs(ctx); err != nil {
		return StartResult{}, err
	}
	if err := removePIDFile(ep, e); err != nil {
		return StartResult{}, fmt.Errorf("starting endpoint %q: %w", ep.Name(), err)
	}
	if err := ctx.Err(); err != nil {
		return StartResult{}, &InterruptedError{Name: ep.Name(), Operation: "starting", Known: "nothing was launched", NextSteps: []next.Step{next.Endpoint(next.EndpointStart, ep.Name(), "")}, Err: err}
	}
	progress.Report(ctx, progress.Event{Stage: "launching", Text: fmt.Sprintf("launching %s %s", rt.Path, rt.Version)})
	r := StartResult{Runtime: rt, Launched: time.Now()}
	if err := stillOurs(ctx); err != nil {
		return StartResult{}, err
	}
	d, err := m.launchDaemon(ep, rt, env)
	var unnoted *recordError
	if errors.As(err, &unnoted) {
		zerolog.Ctx(ctx).Info().Err(unnoted).Str("endpoint", ep.Name()).Msg("the launch could not be noted")
	} else if err != nil {
		return StartResult{}, err
	}
	defer d.held.Close()
	r.Status, err = m.await(ctx, ep, d, began, deadline)
	r.Outcome, r.Proven = Started, time.Now()
	if err == nil && d.lostRace && again && time.Now().Before(deadline) {
		// It would live on, unheard.
		if err := m.dismiss(ctx, ep, d, began, deadline); err != nil {
			return StartResult{}, err
		}
		return m.outrun(ctx, ep, supplanted(ep, began), began, deadline, again)
	}
	var ended *DaemonError
	if errors.As(err, &ended) && (ended.ExitStatus == daemon.ExitAnotherRuns || d.lostRace) {
		return m.outrun(ctx, ep, ended, began, deadline, again)
	}
	if ended != nil && ended.Cause == "" && unnoted != nil {
		// What kept us from writing will have kept the daemon, and its words
		// are lost with it.
		ended.Cause, ended.NextSteps = explainDiskError(unnoted)
	}
	if err != nil {
		return StartResult{}, err
	}
	return r, nil
}

// launchPrerequisites finds what a launch needs: a login, a runtime that suits the endpoint,
// an environment.
func (m *Manager) launchPrerequisites(ctx context.Context, ep *endpointfs.Endpoint) (rt runtime.Runtime, env []string, err error) {
	if m.Service != nil {
		_, err = m.Service(ctx)
	}
	if err == nil {
		rt, err = m.Runtime(ctx)
	}
	if err == nil {
		env, err = m.daemonEnvironment(ctx, rt)
	}
	if err != nil {
		return rt, nil, fmt.Errorf("starting endpoint %q: %w", ep.Name(), err)
	}
	return rt, env, m.checkRuntime(ep, rt)
}

// ready waits until it is clear what to do: nothing proven here, or a daemon
// that is up or on its way. One that is shutting down is waited for.
func (m *Manager) ready(ctx context.Context, ep *endpointfs.Endpoint, began, deadline time.Time) (Evidence, error) {
	for {
		e, v, err := m.settle(ctx, ep)
		if err != nil {
			return e, err
		}
		switch {
		case v.Elsewhere:
			return e, &ElsewhereError{Name: ep.Name(), Operation: "starting", Host: v.Host, Reason: v.Reason}
		case e.Process != nil && e.Process.Proven && !e.isLeaving(), v.Settled:
			return e, nil
		case e.Process == nil || !e.Process.Proven:
			return e, m.doubt("starting", ep, e, v)
		case !time.Now().Before(deadline):
			return e, &TimeoutError{Name: ep.Name(), Operation: "starting", After: time.Since(began), Known: v.Reason, NextSteps: []next.Step{next.Endpoint(next.EndpointStatus, ep.Name(), "see what it does")}}
		}
		progress.Report(ctx, progress.Event{Stage: "waiting", Text: v.Reason})
		if err := pause(ctx, lockPoll); err != nil {
			return e, err
		}
	}
}

// doubt is the error for a verdict that nothing can be done on.
func (m *Manager) doubt(operation string, ep *endpointfs.Endpoint, e Evidence, v verdict) error {
	err := &DoubtError{Name: ep.Name(), Operation: operation, Reason: v.Reason}
	switch {
	case e.Process != nil && e.Process.Doubtful:
		err.PID = e.Process.PID
		err.NextSteps = []next.Step{next.Do(fmt.Sprintf("look at process %d with ps; if it is not this endpoint's daemon, remove %s", err.PID, filepath.Join(ep.Path(), daemon.PIDFile)))}
	default:
		err.NextSteps = []next.Step{next.Do("when you are sure that no machine runs it, remove " + filepath.Join(ep.Path(), daemon.PIDFile))}
	}
	return err
}

// checkFiles is everything that can be checked before anything is launched.
func (m *Manager) checkFiles(ep *endpointfs.Endpoint) error {
	if problems := ep.Validate(); len(problems) > 0 {
		return &CheckError{Name: ep.Name(), Problems: problems}
	}
	if uid, ok := ep.Owner(); ok && os.Geteuid() == 0 && uid != 0 {
		owner := strconv.Itoa(uid)
		if u, err := user.LookupId(owner); err == nil {
			owner = u.Username
		}
		return &OwnerError{Name: ep.Name(), Owner: owner}
	}
	if err := ep.Writable(); err != nil {
		return fmt.Errorf("starting endpoint %q: nothing was launched: %w", ep.Name(), err)
	}
	return nil
}

// checkRuntime checks what depends on the runtime: the options that its release
// knows, the address that it demands of root, and that user endpoints will
// find its programs.
func (m *Manager) checkRuntime(ep *endpointfs.Endpoint, rt runtime.Runtime) error {
	if problems := ep.ValidateFor(rt.Version); len(problems) > 0 {
		return &CheckError{Name: ep.Name(), Problems: problems}
	}
	c, err := ep.Config()
	if err != nil {
		return &CheckError{Name: ep.Name(), Problems: []error{err}}
	}
	if !c.Python && c.Email == "" && m.isPrivileged() && endpointfs.TakesEmail(rt.Version) {
		return &EmailError{Name: ep.Name(), File: filepath.Join(ep.Path(), "config.yaml")}
	}
	path, err := ep.UserPath()
	if err != nil {
		return &CheckError{Name: ep.Name(), Problems: []error{err}}
	}
	if path != "" && !leadsTo(path, daemon.Program) {
		return &CheckError{Name: ep.Name(), Problems: []error{&endpointfs.FormatError{File: ep.EnvironmentFile(),
			Problem: "its PATH does not lead to " + daemon.Program + ", which every user endpoint runs by name",
			Remedy:  "put " + rt.Bin + " first in PATH there"}}}
	}
	return nil
}

// leadsTo says whether a directory of path has a program that can be run.
func leadsTo(path, program string) bool {
	for _, dir := range filepath.SplitList(path) {
		if info, err := os.Stat(filepath.Join(dir, program)); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return true
		}
	}
	return false
}

// outrun finds out about the daemon that ours has given way to, because
// somebody else was quicker. Where that one is gone too, it tries again once:
// of two programs that start an endpoint at once, the one that loses daemon.pid
// may yet be the last to register, so that the broker refuses the other, and
// both end. Otherwise the error is last.
func (m *Manager) outrun(ctx context.Context, ep *endpointfs.Endpoint, last error, began, deadline time.Time, again bool) (StartResult, error) {
	e, err := m.ready(ctx, ep, began, deadline)
	switch p := e.Process; {
	case err != nil:
		return StartResult{}, err
	case (p == nil || !p.Proven) && again && time.Now().Before(deadline):
		// It has ended meanwhile; the next one need not give way.
		return m.launchAndAwait(ctx, ep, e, began, deadline, false)
	case p == nil || !p.Proven:
		return StartResult{}, last
	case p.Phase == Up:
		return m.alreadyRunning(ctx, ep, e)
	}
	return m.join(ctx, ep, e, began, deadline)
}

// dismiss ends a daemon that was launched a moment ago.
func (m *Manager) dismiss(ctx context.Context, ep *endpointfs.Endpoint, d *awaitedDaemon, began, deadline time.Time) error {
	if err := stillOurs(ctx); err != nil {
		return err
	}
	progress.Report(ctx, progress.Event{Stage: "waiting", Text: fmt.Sprintf("another program registered this endpoint at the same time; stopping process %d, whose broker password is now invalid", d.pid)})
	if err := d.held.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("starting endpoint %q: signalling process %d: %w", ep.Name(), d.pid, err)
	}
	waiting, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	switch err := d.held.Wait(waiting); {
	case ctx.Err() != nil:
		return &InterruptedError{Name: ep.Name(), Operation: "starting", Known: fmt.Sprintf("process %d got SIGTERM and is shutting down", d.pid), NextSteps: []next.Step{next.Endpoint(next.EndpointStart, ep.Name(), "")}, Err: ctx.Err()}
	case err != nil:
		return supplanted(ep, began)
	}
	return nil
}

// supplanted is the error for a daemon that was dismissed when there is no time
// for another one.
func supplanted(ep *endpointfs.Endpoint, began time.Time) error {
	return &TimeoutError{Name: ep.Name(), Operation: "starting", After: time.Since(began),
		Known:     "another program registered this endpoint at the same time; the daemon, whose broker password is now invalid, got SIGTERM",
		NextSteps: []next.Step{next.Endpoint(next.EndpointStart, ep.Name(), "")}}
}

// alreadyRunning makes sure that a daemon which somebody else launched is on
// record, so that its end will be known at once.
func (m *Manager) alreadyRunning(ctx context.Context, ep *endpointfs.Endpoint, e Evidence) (StartResult, error) {
	m.note(ctx, ep, e)
	s, err := m.statusNow(ep)
	return StartResult{Status: s, Outcome: AlreadyRunning}, err
}

// note makes sure that a daemon which is proven is on record.
func (m *Manager) note(ctx context.Context, ep *endpointfs.Endpoint, e Evidence) {
	p := e.Process
	if r := e.Record; r != nil && r.PID == p.PID && r.StartTime == p.StartTime {
		return
	}
	size, err := ep.Log().Size()
	if err == nil {
		err = m.recordLaunch(ep, p.PID, p.StartTime, size, "", nil)
	}
	if err != nil {
		zerolog.Ctx(ctx).Info().Err(err).Str("endpoint", ep.Name()).Msg("a running daemon could not be noted")
	}
}

// join waits for a daemon that is on its way already.
func (m *Manager) join(ctx context.Context, ep *endpointfs.Endpoint, e Evidence, began, deadline time.Time) (StartResult, error) {
	held, err := m.processTable().Hold(e.Process.PID)
	if err != nil {
		return StartResult{}, fmt.Errorf("starting endpoint %q: %w", ep.Name(), err)
	}
	defer held.Close()
	d := &awaitedDaemon{pid: e.Process.PID, held: held}
	if r := e.Record; r != nil && r.PID == d.pid && r.StartTime == e.Process.StartTime {
		d.from, d.output = r.LogOffset, filepath.Join(ep.Path(), outputFile)
	}
	s, err := m.await(ctx, ep, d, began, deadline)
	if err != nil {
		return StartResult{}, err
	}
	m.note(ctx, ep, s.Evidence)
	return StartResult{Status: s, Outcome: Started, Proven: time.Now()}, nil
}
