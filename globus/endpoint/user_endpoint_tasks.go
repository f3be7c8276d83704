package endpoint

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
	"chiltepin/globus/process"
	"chiltepin/globus/progress"
)

// userProcess is the process of a user endpoint.
type userProcess struct {
	process.Process
	// ID is the user endpoint's UUID; empty before its title is set.
	ID string
	// Dir is the name of its directory, if its title tells.
	Dir  string
	Idle bool
	// Ours is true when it is proven to belong to this endpoint: it is a child
	// of the proven daemon, or at home in a directory of this endpoint.
	Ours bool
}

// findUserProcesses returns the processes of the user endpoints of an endpoint: the
// children of its daemon, and those that outlived one.
func (m *Manager) findUserProcesses(ep *endpointfs.Endpoint, e Evidence) []userProcess {
	seen, err := m.processTable().Select(daemon.MayBeDaemon)
	if err != nil {
		return nil
	}
	parent := 0
	if e.Process != nil && e.Process.Proven {
		parent = e.Process.PID
	}
	var all []userProcess
	for _, p := range seen {
		u := userProcess{Process: p, Ours: parent != 0 && p.Parent == parent}
		t, titled := daemon.ParseTitle(p.Title())
		if titled && !t.Core {
			u.ID, u.Idle = t.ID, t.Idle
			u.Dir = t.Directory()
		}
		ofID := e.ID != "" && u.ID != "" && strings.HasPrefix(u.Dir, daemon.UserEndpointPrefix(e.ID))
		if !u.Ours && !ofID || p.PID == parent {
			continue
		}
		if !u.Ours {
			// A copy of the configuration directory has endpoints of the same id.
			dir := filepath.Join(m.Dir.Path(), u.Dir)
			at := process.Outside
			if _, err := os.Stat(dir); err == nil {
				at = m.processTable().Presence(p, dir, daemon.LogFile)
			}
			if at == process.Outside {
				continue
			}
			u.Ours = at == process.Inside
		}
		all = append(all, u)
	}
	return all
}

// describeUserEndpoints describes the user endpoints of an endpoint, running or not.
func (m *Manager) describeUserEndpoints(ctx context.Context, ep *endpointfs.Endpoint, e Evidence, service Service) []UserEndpoint {
	var all []UserEndpoint
	elsewhere := judgeEvidence(e).Elsewhere
	dirs, _ := ep.UserEndpoints() // what cannot be read is not shown
	procs := m.findUserProcesses(ep, e)
	template, _, _ := ep.Template() // without one the limits are not shown
	for _, d := range dirs {
		u := UserEndpoint{ID: d.ID, State: Stopped, Path: d.Path()}
		if elsewhere {
			u.State, u.Outstanding = Unknown, -1
		}
		if i := slices.IndexFunc(procs, func(p userProcess) bool { return p.ID == d.ID }); i >= 0 {
			t := m.countTasks(ctx, ep, e, service, procs[i])
			u.State, u.PID, u.Outstanding, u.Why = Running, procs[i].PID, t.count, t.why
			u.Pool = daemon.ReadPoolState(d.Log().Path(), procs[i].Title(), t.details, template)
		}
		all = append(all, u)
	}
	for _, p := range procs {
		if p.ID == "" || slices.ContainsFunc(all, func(u UserEndpoint) bool { return u.ID == p.ID }) {
			continue
		}
		t := m.countTasks(ctx, ep, e, service, p)
		all = append(all, UserEndpoint{ID: p.ID, State: Running, PID: p.PID, Outstanding: t.count, Why: t.why})
	}
	return all
}

// waitForTasks waits until no user endpoint has tasks. again is true when the
// daemon ended meanwhile and has to be looked at anew.
func (s *stopping) waitForTasks(ctx context.Context, handle process.Handle, e Evidence) (again bool, err error) {
	if len(s.m.findUserProcesses(s.ep, e)) == 0 && (s.o.Now || countRunningTasks(s.m.findSurvivors(s.ep)) == 0) {
		return false, nil
	}
	var service Service
	if s.m.Service != nil {
		service, _ = s.m.Service(ctx) // without a login, what is known here must do
	}
	reported := ""
	for {
		waiting, count, why := 0, 0, ""
		for _, u := range s.m.findUserProcesses(s.ep, e) {
			t := s.m.countTasks(ctx, s.ep, e, service, u)
			if s.o.Now {
				s.result.Lost += max(t.count, 0)
				continue
			}
			if !t.done {
				waiting++
				count += max(t.count, 0)
				why = t.why
			}
		}
		if !s.o.Now {
			if n := countRunningTasks(s.m.findSurvivors(s.ep)); n > 0 {
				waiting, count, why = waiting+1, count+n, undeliverable
			}
		}
		if waiting == 0 || handle.Dead() {
			return handle.Dead(), nil
		}
		text := fmt.Sprintf("%d tasks are not finished (%s)", count, why)
		if count == 0 {
			text = "it is not known yet whether all tasks are finished: " + why
		}
		if text != reported {
			reported = text
			s.report(ctx, "draining", text)
		}
		if s.isLate() {
			late := s.timeout(text+"; nothing was stopped", next.Call(next.EndpointStop, next.Args{"name": s.ep.Name(), "timeout": "1h"}, "wait longer for the tasks; stopping without waiting for them would lose them"))
			late.Outstanding = count
			return false, late
		}
		if err := progress.Pause(ctx, min(time.Second, time.Until(s.deadline))); err != nil {
			return false, s.interrupted(err, text+"; nothing was stopped", s.seeStatus())
		}
	}
}
