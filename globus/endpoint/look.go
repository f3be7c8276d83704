package endpoint

import (
	"context"
	"os"
	"slices"
	"time"

	"chiltepin/endpointfs"
)

// glance says how closely to look.
type glance struct {
	// Log reads the last marker of the log.
	Log bool
	// Mine leaves out who holds the lock, for operations that hold it.
	Mine bool
	// Watch is what watching the pid file has shown before.
	Watch *Watch
	// Seen are the candidates, when the processes were listed already.
	Seen []Process
	// Listed is true when Seen is to be used.
	Listed bool
}

// look gathers evidence about an endpoint. What cannot be read is evidence
// too; the error is for a machine whose processes cannot be seen at all.
func (m *Manager) look(ep *endpointfs.Endpoint, g glance) (Evidence, error) {
	e := Evidence{Here: m.here(), At: time.Now(), Watch: g.Watch}
	e.ID, e.IDProblem = ep.ID()
	f, err := ep.PIDFile()
	e.PIDFile = PIDFileEvidence{Exists: f.Exists, PID: f.PID, ModTime: f.ModTime, Problem: err}
	if err != nil && !f.Exists {
		e.PIDFile.Exists = true // it cannot be read, so it is there
	}
	if r, ok, err := ep.ReadSidecar(); err != nil {
		e.RecordProblem = err
	} else if ok {
		e.Record = &r
	}
	if g.Watch != nil && g.Watch.Touched && f.ModTime.IsZero() {
		e.Watch = nil
	}
	if e.PIDFile.Exists {
		e.ownDisk = m.ownDisk(ep.Path())
	}
	if err := m.lookProcess(ep, &e, g); err != nil {
		return e, err
	}
	if g.Log {
		if marker, ok, err := ep.Log().LastMarker(); err == nil && ok {
			e.Log = &marker
		}
	}
	if !g.Mine {
		if h, ok := m.Dir.Holder(ep.Name()); ok {
			e.Holder = &h
		}
	}
	return e, nil
}

// lookProcess finds the process that may be the daemon.
func (m *Manager) lookProcess(ep *endpointfs.Endpoint, e *Evidence, g glance) error {
	s := subject{Name: ep.Name(), ID: e.ID, Dir: ep.Path(), PID: e.PIDFile.PID, Record: e.Record, Here: e.Here}
	seen := g.Seen
	if !g.Listed {
		var err error
		if seen, err = m.procs().Candidates(); err != nil {
			return err
		}
	}
	wanted := []int{s.PID}
	if r := e.Record; r != nil && r.BootID == e.Here.BootID {
		wanted = append(wanted, r.PID)
	}
	for _, pid := range wanted {
		if pid == 0 || slices.ContainsFunc(seen, func(p Process) bool { return p.PID == pid }) {
			continue
		}
		if p, ok, err := m.procs().Lookup(pid); err == nil && ok {
			seen = append(slices.Clone(seen), p)
		}
	}
	var all []ProcessEvidence
	for _, p := range seen {
		ev := prove(p, s, func() Place { return m.procs().Place(p, s.Dir) })
		if ev.Proven || ev.Doubtful || ev.Host != "" || p.PID == s.PID {
			if ev.Proven && p.UID != os.Geteuid() && os.Geteuid() != 0 {
				ev.Proven, ev.Doubtful, ev.Phase, ev.Why = false, true, "", "it belongs to another user"
			}
			all = append(all, ev)
		}
	}
	e.Process = choose(all, s)
	return nil
}

// settle looks until the verdict can be acted on, watching daemon.pid where
// that may tell. The caller holds the lock.
func (m *Manager) settle(ctx context.Context, ep *endpointfs.Endpoint) (Evidence, verdict, error) {
	e, err := m.look(ep, glance{Mine: true})
	if err != nil {
		return e, verdict{}, err
	}
	v := judge(e)
	if v.Settled || e.Process != nil && (e.Process.Proven || e.Process.Doubtful || e.Process.Host != "") || v.Elsewhere {
		return e, v, nil
	}
	return m.watch(ctx, ep, e)
}
