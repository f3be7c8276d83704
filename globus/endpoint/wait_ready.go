package endpoint

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
	"chiltepin/globus/progress"
)

const (
	// readyPoll is how often a daemon that comes up is looked at. A look costs
	// three system calls until its pid file is there.
	readyPoll = 10 * time.Millisecond
	// identityGrace is how long a daemon that does not log at DEBUG has, after
	// its marker, to end because Globus Auth does not say who it serves. The
	// marker comes before that question (core_endpoint.py start and
	// _event_loop), and without DEBUG its answer is not seen.
	identityGrace = 2 * time.Second
	// launchLog is how much of the log since the launch is looked at.
	launchLog = 256 << 10
)

// readiness are what must be seen of a daemon before it is said to run.
type readiness struct {
	pidFile, id, process, marker, identity bool
	// since is when the marker was first seen.
	since time.Time
	// ending is true when it shuts down.
	ending bool
}

// firstMissing tells the first thing that was not seen.
func (s readiness) firstMissing() string {
	switch {
	case s.ending:
		return "the daemon is shutting down"
	case !s.pidFile:
		return "the daemon has not written daemon.pid yet: it is still loading, or registering with the service"
	case !s.id:
		return "the daemon has not written endpoint.json yet"
	case !s.process:
		return "the daemon has not set its title yet"
	case !s.marker:
		return "the daemon has not logged its beginning yet"
	case !s.identity:
		return "the daemon is asking Globus Auth who it serves"
	}
	return ""
}

// waitReady waits until everything is seen, the daemon ends, or there is no
// time left.
func (op *operation) waitReady(ctx context.Context, d *awaitedDaemon) (Status, error) {
	w := startupWatch{m: op.m, ep: op.ep, d: d}
	reported := ""
	for {
		// Death is looked at first, so that what a dead daemon has left on the
		// disk is never taken for life.
		dead := d.hasEnded()
		if err := w.lookAgain(); err != nil && !dead {
			return Status{}, op.wrap(err)
		}
		missing := w.seen.firstMissing()
		switch {
		case dead:
			return Status{}, op.explainEnd(d)
		case missing == "":
			return op.confirmReady(ctx, d)
		case missing != reported:
			reported = missing
			op.report(ctx, "waiting", missing)
		}
		if op.isLate() {
			return Status{}, op.timeout(fmt.Sprintf("%s; process %d is left alone", missing, d.pid),
				op.step(next.EndpointStart, "wait for it again"), op.step(next.EndpointLogs, "see what it does"))
		}
		if err := w.pauseOrExit(ctx); err != nil {
			return Status{}, op.interrupted(err, fmt.Sprintf("process %d was launched and keeps running: %s", d.pid, missing),
				op.step(next.EndpointStart, "wait for it"), op.step(next.EndpointStop, "stop it"))
		}
	}
}

// confirmReady makes the last look, which finds the daemon as anybody would,
// once it is known whether it reaches the broker. One whose password the broker
// refused is still alive, and ends: that is no success.
func (op *operation) confirmReady(ctx context.Context, d *awaitedDaemon) (Status, error) {
	connection, others := op.waitForConnection(ctx, d)
	d.lostRace = connection.State == daemon.ConnectionMute && others
	look := op.step(next.EndpointStatus, "see whether it has shut down")
	for connection.State == daemon.ConnectionRefused && !d.hasEnded() {
		if op.isLate() {
			return Status{}, op.timeout(connection.Cause, look)
		}
		if err := progress.Pause(ctx, lockPoll); err != nil {
			return Status{}, op.interrupted(err, connection.Cause, look)
		}
	}
	s, err := op.m.statusNow(op.ep)
	if err != nil {
		return s, op.wrap(err)
	}
	if s.State != Running {
		if d.hasEnded() {
			return Status{}, op.explainEnd(d)
		}
		return Status{}, &DoubtError{Name: op.ep.Name(), Operation: op.name, PID: d.pid, Reason: s.Reason, NextSteps: []next.Step{op.step(next.EndpointStatus, "look again")}}
	}
	if r := s.Evidence.Record; r != nil && r.PID == d.pid && r.ID != s.ID {
		r.ID = s.ID
		_ = op.ep.WriteLaunchRecord(*r) // endpoint.json has it too
	}
	switch connection.State {
	case daemon.ConnectionDown, daemon.ConnectionMute:
		s.Trouble = troubleOfConnection(op.ep, connection)
	case daemon.ConnectionOpening:
		s.Trouble = troubleOfOpening(op.ep)
	}
	return s, nil
}

// startupWatch looks at a daemon that comes up.
type startupWatch struct {
	m    *Manager
	ep   *endpointfs.Endpoint
	d    *awaitedDaemon
	seen readiness
	size int64
	read bool
	// asked and refused say what the log tells about the question who the
	// daemon serves.
	asked, refused bool
}

func (w *startupWatch) pauseOrExit(ctx context.Context) error {
	if w.d.exited == nil {
		return progress.Pause(ctx, readyPoll)
	}
	t := time.NewTimer(readyPoll)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
	case <-w.d.exited:
	}
	return nil
}

// lookAgain brings the readiness up to date. They are looked for in the order in which
// they come, and no further than the first that is missing.
func (w *startupWatch) lookAgain() error {
	s := &w.seen
	f, err := w.ep.PIDFile()
	s.pidFile = err == nil && f.PID == w.d.pid
	if !s.pidFile {
		return nil
	}
	id, err := w.ep.ID()
	if s.id = err == nil && id != ""; !s.id {
		return nil // being written
	}
	p, ok, err := w.m.processTable().Lookup(w.d.pid)
	if err != nil {
		return err
	}
	t, titled := daemon.ParseTitle(p.Title())
	s.process = ok && titled && t.ID == id && t.Names(w.ep.Name())
	s.ending = ok && titled && t.Ending
	if !s.process || s.marker && s.identity {
		return nil
	}
	return w.lookAtLog(id)
}

// lookAtLog looks for the marker, and for what comes after it.
func (w *startupWatch) lookAtLog(id string) error {
	s := &w.seen
	size, err := w.ep.Log().Size()
	if err != nil {
		return err
	}
	if !w.read || size != w.size {
		w.read, w.size = true, size
		own, _, err := w.d.readOwnLog(w.ep)
		if err != nil {
			return err
		}
		w.parseLog(own, id)
	}
	switch {
	case !s.marker:
	case s.since.IsZero():
		s.since = time.Now()
	case !w.asked && !w.refused && time.Since(s.since) > identityGrace:
		s.identity = true
	}
	return nil
}

func (w *startupWatch) parseLog(data []byte, id string) {
	s := daemon.ParseStartup(data, id)
	w.asked, w.refused = s.IdentityAsked, s.IdentityRefused
	w.seen.marker, w.seen.identity = s.Marked, s.IdentityKnown
}

// explainEnd says how and why a daemon ended.
func (op *operation) explainEnd(d *awaitedDaemon) error {
	ep := op.ep
	e := &DaemonError{Name: ep.Name(), ExitStatus: -1}
	if d.state != nil {
		e.ExitStatus = d.state.ExitCode()
		if ws, ok := d.state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			e.Signal = signalName(ws.Signal())
		}
	}
	e.Meaning = daemon.ExitMeaning(e.ExitStatus)
	own, others, err := d.readOwnLog(ep)
	if err != nil {
		e.Lines = append(e.Lines, "the log cannot be read: "+err.Error())
	}
	log, printed := daemon.SplitLines(string(own)), daemon.SplitLines(d.readOutput())
	s := daemon.FindFailure(append(append([]string(nil), log...), printed...))
	if e.Cause, e.NextSteps = s.Cause, withName(s.Next, ep.Name()); others && s.Name == daemon.BrokerPasswordRefused {
		d.lostRace = true
		e.Cause = "another program registered the endpoint at the same time, and the broker password of this daemon is now invalid"
		e.NextSteps = []next.Step{next.Endpoint(next.EndpointStart, ep.Name(), "")}
	}
	if e.Cause == "" && daemon.IsTornIdentity(printed) {
		d.lostRace = true
		e.Cause = "another program started the endpoint at the same time, and had written only half of endpoint.json"
		e.NextSteps = []next.Step{next.Endpoint(next.EndpointStart, ep.Name(), "")}
	}
	const most = 40
	e.Lines = append(e.Lines, lastLines(log, most)...)
	e.Lines = append(e.Lines, lastLines(printed, most)...)
	return e
}

func lastLines(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }

func signalName(s syscall.Signal) string {
	switch s {
	case syscall.SIGKILL:
		return "SIGKILL"
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGSEGV:
		return "SIGSEGV"
	case syscall.SIGABRT:
		return "SIGABRT"
	case syscall.SIGHUP:
		return "SIGHUP"
	case syscall.SIGINT:
		return "SIGINT"
	}
	return s.String()
}
