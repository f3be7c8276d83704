package endpoint

import (
	"context"
	"fmt"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
)

// Trouble is what is wrong with a daemon that runs, as far as it shows: a
// daemon that nobody hears is Running all the same.
type Trouble struct {
	// Problem and Remedy are sentences for people.
	Problem, Remedy string
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

// trouble looks for what is wrong with a daemon that runs here. view is what
// the service says, nil when it was not asked.
func (m *Manager) trouble(ep *endpointfs.Endpoint, e Evidence, v verdict, view *ServiceView) *Trouble {
	p := e.Process
	if v.State != Running || p == nil || !p.Proven {
		return nil
	}
	if p.Suspended {
		return &Trouble{Problem: "the daemon is suspended: no heartbeat goes out, and no task is taken", Remedy: fmt.Sprintf("kill -CONT %d", p.PID)}
	}
	l := m.link(ep)
	if l.broken() {
		return brokenLink(ep, l)
	}
	if view == nil || view.Problem != nil || view.Online || e.Log != nil && e.Log.Kind == log.Begins && time.Since(e.Log.Time) < heardWithin {
		return nil
	}
	if l.State == LinkOpening {
		return openingLink(ep)
	}
	return &Trouble{
		Problem: "the daemon lives, but the service hears nothing of it",
		Remedy:  "chiltepin endpoint restart " + shell(ep.Name()) + "; if it stays so, see chiltepin endpoint logs " + shell(ep.Name()),
	}
}

func brokenLink(ep *endpointfs.Endpoint, l Link) *Trouble {
	t := &Trouble{Problem: "the daemon lives, but has no connection to the broker: no heartbeat goes out, and no task comes in", Remedy: l.Remedy, Lines: l.Lines}
	if l.State == LinkMute {
		t.Problem = "the daemon lives, but nobody hears it: no heartbeat goes out"
	}
	if l.Cause != "" {
		t.Problem += ": " + l.Cause
	}
	if t.Remedy == "" {
		t.Remedy = "it goes on trying for hours; chiltepin endpoint logs " + shell(ep.Name()) + " shows how"
	}
	return t
}

func openingLink(ep *endpointfs.Endpoint) *Trouble {
	return &Trouble{
		Problem: "the daemon lives, but has not reached the broker yet: no heartbeat has gone out",
		Remedy:  "chiltepin endpoint status " + shell(ep.Name()) + " shows what becomes of it",
	}
}

// firstLink waits a little for a connection that is being made by a daemon,
// and tells how far it has come, and whether others wrote to its log.
func (m *Manager) firstLink(ctx context.Context, ep *endpointfs.Endpoint, d *daemon, deadline time.Time) (Link, bool) {
	if grace := time.Now().Add(linkGrace); grace.Before(deadline) {
		deadline = grace
	}
	for {
		l, others := linkOf(ep, d)
		if l.settled() || !time.Now().Before(deadline) || pause(ctx, readyPoll) != nil {
			return l, others
		}
	}
}
