package endpoint

import (
	"context"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
	"chiltepin/globus/progress"
)

// Trouble is what is wrong with a daemon that runs, as far as it shows: a
// daemon that nobody hears is Running all the same.
type Trouble struct {
	// Problem is a sentence for people.
	Problem string
	// Next is what to do about it.
	Next []next.Step
	// Lines are the lines of its log that show it.
	Lines []string
	// Survivors is true when it is about those, not about the daemon.
	Survivors bool
}

const (
	// heardWithin is how long after its beginning the service must have heard
	// of a daemon: its first heartbeat goes out within two seconds.
	heardWithin = 15 * time.Second
	// linkGrace is how long start waits for a connection that is being made.
	// Most are there before the rest of the proof is.
	linkGrace = 3 * time.Second
)

// findTrouble looks for what is wrong with a daemon that runs here. view is what
// the service says, nil when it was not asked.
func (m *Manager) findTrouble(ep *endpointfs.Endpoint, e Evidence, v verdict, view *ServiceView) *Trouble {
	p := e.Process
	if v.State != Running || p == nil || !p.Proven {
		return nil
	}
	if p.Suspended {
		return &Trouble{Problem: "the daemon is suspended: it sends no heartbeats and takes no tasks", Next: []next.Step{next.Endpoint(next.EndpointStart, ep.Name(), "resume it")}}
	}
	l := readConnection(ep)
	if l.IsBroken() {
		return troubleOfConnection(ep, l)
	}
	if view == nil || view.Problem != nil || view.Online || e.Log != nil && e.Log.Kind == log.Begins && time.Since(e.Log.Time) < heardWithin {
		return nil
	}
	if l.State == daemon.ConnectionOpening {
		return troubleOfOpening(ep)
	}
	return &Trouble{
		Problem: "the daemon is alive, but the service receives no heartbeats from it",
		Next:    []next.Step{next.Endpoint(next.EndpointRestart, ep.Name(), "connect it again"), next.Endpoint(next.EndpointLogs, ep.Name(), "see what it logs")},
	}
}

func troubleOfConnection(ep *endpointfs.Endpoint, l daemon.Connection) *Trouble {
	t := &Trouble{Problem: "the daemon is alive, but has no connection to the broker: it sends no heartbeats and gets no tasks", Next: withName(l.Next, ep.Name()), Lines: l.Lines}
	if l.State == daemon.ConnectionMute {
		t.Problem = "the daemon is alive, but sends no heartbeats"
	}
	if l.Cause != "" {
		t.Problem += ": " + l.Cause
	}
	if len(t.Next) == 0 {
		t.Next = []next.Step{next.Endpoint(next.EndpointLogs, ep.Name(), "see what it logs; it keeps trying for hours")}
	}
	return t
}

func troubleOfOpening(ep *endpointfs.Endpoint) *Trouble {
	return &Trouble{
		Problem: "the daemon is alive, but has not reached the broker yet: it has sent no heartbeat",
		Next:    []next.Step{next.Endpoint(next.EndpointStatus, ep.Name(), "see whether it reaches it")},
	}
}

// waitForConnection waits a little for a connection that is being made by a daemon,
// and tells how far it has come, and whether others wrote to its log.
func (op *operation) waitForConnection(ctx context.Context, d *awaitedDaemon) (daemon.Connection, bool) {
	deadline := op.deadline
	if grace := time.Now().Add(linkGrace); grace.Before(deadline) {
		deadline = grace
	}
	for {
		l, others := readOwnConnection(op.ep, d)
		if l.IsSettled() || !time.Now().Before(deadline) || progress.Pause(ctx, readyPoll) != nil {
			return l, others
		}
	}
}
