package endpoint

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
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

// Texts of the daemon's log (core_endpoint.py _event_loop).
const (
	identityAsked   = "Ascertaining user identity set"
	identityKnown   = "User-endpoint start requests are valid from identities: "
	identityUnknown = "Failed to determine identity set"
	identityNobody  = identityKnown + "set()"
)

// sights are what must be seen of a daemon before it is said to run.
type sights struct {
	pidFile, id, process, marker, identity bool
	// since is when the marker was first seen.
	since time.Time
	// ending is true when it shuts down.
	ending bool
}

// missing tells the first thing that was not seen.
func (s sights) missing() string {
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
		return "the daemon's log does not mark its beginning yet"
	case !s.identity:
		return "the daemon is asking Globus Auth who it serves"
	}
	return ""
}

// await waits until everything is seen, the daemon ends, or there is no time
// left.
func (m *Manager) await(ctx context.Context, ep *endpointfs.Endpoint, d *daemon, began, deadline time.Time) (Status, error) {
	w := watcher{m: m, ep: ep, d: d}
	told := ""
	for {
		// Death is looked at first, so that what a dead daemon has left on the
		// disk is never taken for life.
		dead := d.dead()
		if err := w.look(); err != nil && !dead {
			return Status{}, fmt.Errorf("starting endpoint %q: %w", ep.Name(), err)
		}
		missing := w.seen.missing()
		switch {
		case dead:
			return Status{}, m.ended(ep, d)
		case missing == "":
			return m.proven(ctx, ep, d, began, deadline)
		case missing != told:
			told = missing
			progress.Report(ctx, progress.Event{Stage: "waiting", Text: missing})
		}
		if !time.Now().Before(deadline) {
			return Status{}, &TimeoutError{Name: ep.Name(), Operation: "starting", After: time.Since(began),
				Known: fmt.Sprintf("%s; process %d is left alone", missing, d.pid),
				Next:  "chiltepin endpoint start " + shell(ep.Name()) + " goes on waiting for it; chiltepin endpoint logs " + shell(ep.Name()) + " shows what it does"}
		}
		if err := w.pause(ctx); err != nil {
			return Status{}, &InterruptedError{Name: ep.Name(), Operation: "starting", Err: err,
				Known: fmt.Sprintf("process %d was launched and goes on: %s", d.pid, missing),
				Next:  "chiltepin endpoint start " + shell(ep.Name()) + " waits for it; chiltepin endpoint stop " + shell(ep.Name()) + " ends it"}
		}
	}
}

// proven makes the last look, which finds the daemon as anybody would, once it
// is known whether it reaches the broker. One whose password the broker refused
// is still alive, and ends: that is no success.
func (m *Manager) proven(ctx context.Context, ep *endpointfs.Endpoint, d *daemon, began, deadline time.Time) (Status, error) {
	link, others := m.firstLink(ctx, ep, d, deadline)
	d.supplanted = link.State == LinkMute && others
	for link.State == LinkRefused && !d.dead() {
		if !time.Now().Before(deadline) {
			return Status{}, &TimeoutError{Name: ep.Name(), Operation: "starting", After: time.Since(began), Known: link.Cause, Next: "chiltepin endpoint status " + shell(ep.Name())}
		}
		if err := pause(ctx, lockPoll); err != nil {
			return Status{}, &InterruptedError{Name: ep.Name(), Operation: "starting", Err: err, Known: link.Cause, Next: "chiltepin endpoint status " + shell(ep.Name())}
		}
	}
	s, err := m.now(ep)
	if err != nil {
		return s, fmt.Errorf("starting endpoint %q: %w", ep.Name(), err)
	}
	if s.State != Running {
		if d.dead() {
			return Status{}, m.ended(ep, d)
		}
		return Status{}, &DoubtError{Name: ep.Name(), Operation: "starting", PID: d.pid, Reason: s.Reason, Remedy: "chiltepin endpoint status " + shell(ep.Name())}
	}
	if r := s.Evidence.Record; r != nil && r.PID == d.pid && r.ID != s.ID {
		r.ID = s.ID
		_ = ep.WriteSidecar(*r) // endpoint.json has it too
	}
	switch link.State {
	case LinkDown, LinkMute:
		s.Trouble = brokenLink(ep, link)
	case LinkOpening:
		s.Trouble = openingLink(ep)
	}
	return s, nil
}

// watcher looks at a daemon that comes up.
type watcher struct {
	m    *Manager
	ep   *endpointfs.Endpoint
	d    *daemon
	seen sights
	size int64
	read bool
	// asked and refused say what the log tells about the question who the
	// daemon serves.
	asked, refused bool
}

func (w *watcher) pause(ctx context.Context) error {
	if w.d.exited == nil {
		return pause(ctx, readyPoll)
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

// look brings the sights up to date. They are looked for in the order in which
// they come, and no further than the first that is missing.
func (w *watcher) look() error {
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
	p, ok, err := w.m.procs().Lookup(w.d.pid)
	if err != nil {
		return err
	}
	t, titled := parseTitle(p.Title())
	s.process = ok && titled && t.ID == id && t.names(w.ep.Name())
	s.ending = ok && titled && t.Ending
	if !s.process || s.marker && s.identity {
		return nil
	}
	return w.lookLog(id)
}

// lookLog looks for the marker, and for what comes after it.
func (w *watcher) lookLog(id string) error {
	s := &w.seen
	size, err := w.ep.Log().Size()
	if err != nil {
		return err
	}
	if !w.read || size != w.size {
		w.read, w.size = true, size
		own, _, err := w.d.wrote(w.ep)
		if err != nil {
			return err
		}
		w.readLog(own, id)
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

func (w *watcher) readLog(data []byte, id string) {
	s := &w.seen
	s.marker = false
	for _, mark := range log.Markers(data) {
		s.marker = mark.Kind == log.Begins && mark.ID == id
	}
	if i := max(bytes.LastIndex(data, []byte(" begins: "+id)), 0); s.marker {
		data = data[i:]
	}
	has := func(text string) bool { return bytes.Contains(data, []byte(text)) }
	w.asked, w.refused = has(identityAsked), has(identityUnknown) || has(identityNobody)
	s.identity = has(identityKnown) && !w.refused
}

// ended says how and why a daemon ended.
func (m *Manager) ended(ep *endpointfs.Endpoint, d *daemon) error {
	e := &DaemonError{Name: ep.Name(), ExitStatus: -1}
	if d.state != nil {
		e.ExitStatus = d.state.ExitCode()
		if ws, ok := d.state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			e.Signal = signalName(ws.Signal())
		}
	}
	e.Meaning = meaning(e.ExitStatus)
	own, others, err := d.wrote(ep)
	if err != nil {
		e.Lines = append(e.Lines, "the log cannot be read: "+err.Error())
	}
	log, printed := splitLines(string(own)), splitLines(d.printed())
	s := diagnose(append(append([]string(nil), log...), printed...))
	if e.Cause, e.Remedy = s.cause, s.remedy; others && s.name == brokerLogin {
		d.supplanted = true
		e.Cause = "another program has registered the endpoint at the same time, and this daemon's password counts no more"
		e.Remedy = "chiltepin endpoint start " + shell(ep.Name())
	}
	if e.Cause == "" && tornID(printed) {
		d.supplanted = true
		e.Cause = "another program, which was starting the endpoint at the same time, was in the midst of writing endpoint.json"
		e.Remedy = "chiltepin endpoint start " + shell(ep.Name())
	}
	const most = 40
	e.Lines = append(e.Lines, lastOf(log, most)...)
	e.Lines = append(e.Lines, lastOf(printed, most)...)
	return e
}

// tornID says whether a daemon ended because endpoint.json was no JSON
// (get_endpoint_id of endpoint.py), which it was before the launch: each daemon
// writes it anew as it comes up, and not in one step.
func tornID(printed []string) bool {
	text := strings.Join(printed, "\n")
	return strings.Contains(text, "in get_endpoint_id") && strings.Contains(text, "JSONDecodeError")
}

// splitLines returns the lines that say something, none too long.
func splitLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n\t ")
		if line == "" {
			continue
		}
		if len(line) > 2000 {
			line = strings.ToValidUTF8(line[:2000], "") + "…"
		}
		lines = append(lines, line)
	}
	return lines
}

func lastOf(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }

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
