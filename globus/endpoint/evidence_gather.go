package endpoint

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
	"chiltepin/globus/process"
)

// lookOptions says how closely to look.
type lookOptions struct {
	// Log reads the last marker of the log.
	Log bool
	// Mine leaves out who holds the lock, for operations that hold it.
	Mine bool
	// Watch is what watching the pid file has shown before.
	Watch *Watch
	// Scene is where it all is, when that was looked at already.
	Scene *machineFacts
	// Seen are the candidates, when the processes were listed already.
	Seen []process.Process
	// Listed is true when Seen is to be used.
	Listed bool
}

// gatherEvidence gathers evidence about an endpoint. What cannot be read is evidence
// too; the error is for a machine whose processes cannot be seen at all.
func (m *Manager) gatherEvidence(ep *endpointfs.Endpoint, g lookOptions) (Evidence, error) {
	if g.Scene == nil {
		g.Scene = m.readMachineFacts()
	}
	e := Evidence{Here: g.Scene.here, At: time.Now(), Watch: g.Watch}
	e.ID, e.IDProblem = ep.ID()
	f, err := ep.PIDFile()
	e.PIDFile = PIDFileEvidence{Exists: f.Exists, PID: f.PID, ModTime: f.ModTime, Problem: err}
	if err != nil && !f.Exists {
		e.PIDFile.Exists = true // it cannot be read, so it is there
	}
	if e.PIDFile.Exists && f.PID == 0 && !isRegularFile(filepath.Join(ep.Path(), daemon.PIDFile)) {
		e.PIDFile.ModTime = time.Time{} // no daemon made or touches that
	}
	if r, ok, err := ep.ReadLaunchRecord(); err != nil {
		e.RecordProblem = err
	} else if ok {
		e.Record = &r
	}
	if e.PIDFile.Exists {
		e.ownDisk = g.Scene.soleUser && process.OnLocalDisk(ep.Path())
	}
	if err := m.findProcess(ep, &e, g); err != nil {
		return e, err
	}
	if g.Log {
		if marker, ok, err := ep.Log().LastMarker(); err == nil && ok {
			e.Log = &marker
		}
	}
	if !g.Mine {
		if h, ok := m.configDir().Holder(ep.Name()); ok {
			e.Holder = &h
		}
	}
	return e, nil
}

func isRegularFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// findProcess finds the process that may be the daemon.
func (m *Manager) findProcess(ep *endpointfs.Endpoint, e *Evidence, g lookOptions) error {
	s := endpointIdentity{Name: ep.Name(), ID: e.ID, Dir: ep.Path(), PID: e.PIDFile.PID, Record: e.Record, Here: e.Here}
	seen := g.Seen
	if !g.Listed {
		var err error
		if seen, err = m.processTable().Select(daemon.MayBeDaemon); err != nil {
			return err
		}
	}
	wanted := []int{s.PID}
	if r := e.Record; r != nil && r.BootID == e.Here.BootID {
		wanted = append(wanted, r.PID)
	}
	var all []ProcessEvidence
	for _, pid := range wanted {
		if pid == 0 || slices.ContainsFunc(seen, func(p process.Process) bool { return p.PID == pid }) {
			continue
		}
		p, ok, err := m.processTable().Lookup(pid)
		if process.IsExhausted(err) {
			return err // what could not be looked at is not gone
		}
		if ok && err == nil {
			seen = append(slices.Clone(seen), p)
		}
		if ok || err != nil || m.Procs != nil {
			continue
		}
		if hidden, err := mayBeHidden(pid, ep.Path()); err != nil {
			return err
		} else if hidden {
			all = append(all, ProcessEvidence{PID: pid, Doubtful: true, Why: whyHidden})
		}
	}
	for _, p := range seen {
		ev := m.identifyProcess(p, s)
		for range 3 {
			// A process that is ending loses its title and its directory one
			// after the other: only a doubt that lasts is one.
			if !ev.Doubtful {
				break
			}
			time.Sleep(time.Millisecond)
			again, ok, err := m.processTable().Lookup(p.PID)
			if err == nil && (!ok || again.StartTime != p.StartTime) {
				ev = ProcessEvidence{}
				break
			}
			ev = m.identifyProcess(again, s)
		}
		if ev.Proven || ev.Doubtful || ev.Host != "" || ev.PID != 0 && ev.PID == s.PID {
			all = append(all, ev)
		}
	}
	e.Process = chooseProcess(all, s)
	return nil
}

// identifyProcess weighs one process. Whose it is matters as well: nobody can signal
// another user's.
func (m *Manager) identifyProcess(p process.Process, s endpointIdentity) ProcessEvidence {
	ev := weighProcess(p, s, func() process.Presence { return m.processTable().Presence(p, s.Dir, daemon.LogFile) })
	if own := os.Geteuid(); ev.Proven && p.UID != own && own != 0 {
		ev.Proven, ev.Doubtful, ev.Phase, ev.Why = false, true, "", "it belongs to another user"
	}
	return ev
}
