package endpoint

import (
	"context"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/progress"
)

const (
	// followGlance is how often endpoints that are followed are glanced at.
	// The file systems of login nodes tell nobody of changes, so somebody has
	// to look; a glance is a few system calls an endpoint.
	followGlance = 900 * time.Millisecond
	// followRest is how many times as long as a glance took is rested after
	// it, within followLongest: many endpoints on a slow file system must not
	// be a load.
	followRest    = 100
	followLongest = 1500 * time.Millisecond
	// followLook is how often everything is judged anew although no glance saw
	// a change: time alone changes what is true of a pid file that nobody
	// touches.
	followLook = 20 * time.Second
)

// Change is an endpoint that came, went or is not what it was.
type Change struct {
	// Before is nil for one that came, After for one that went.
	Before, After *Status
}

// Follow hands the endpoints there are to first, and then each change of one to
// tell, in the order of their names, until ctx ends or a function fails; the
// error is theirs. A change is a new or other name, registration or state.
func (m *Manager) Follow(ctx context.Context, first func([]Status) error, tell func(Change) error) error {
	// What is compared was glimpsed before everything was judged, so that
	// nothing which changes meanwhile is missed.
	seen, _ := m.Dir.StatSnapshots()
	known, err := m.List(ctx)
	if err != nil {
		return err
	}
	if err := first(known); err != nil {
		return err
	}
	looked := time.Now()
	for {
		began := time.Now()
		now, err := m.Dir.StatSnapshots()
		if err != nil || began.Sub(looked) > followLook || isOperationUnderWay(known) || filesChanged(seen, now, known) || m.processChanged(known) {
			list, err := m.List(ctx)
			if err != nil {
				return err
			}
			if err := reportChanges(known, list, tell); err != nil {
				return err
			}
			seen, known, looked = now, list, began
		}
		rest := min(max(followGlance, followRest*time.Since(began)), followLongest)
		if err := progress.Pause(ctx, rest); err != nil {
			return err
		}
	}
}

// isOperationUnderWay is true while an operation holds a lock, whose end no file shows.
func isOperationUnderWay(list []Status) bool {
	for _, s := range list {
		if s.Evidence.Holder != nil || s.State == Starting || s.State == Stopping {
			return true
		}
	}
	return false
}

// reportChanges tells the difference of two lists sorted by name.
func reportChanges(before, after []Status, tell func(Change) error) error {
	for i, j := 0, 0; i < len(before) || j < len(after); {
		var c Change
		switch {
		case j == len(after) || i < len(before) && before[i].Name < after[j].Name:
			c.Before = &before[i]
			i++
		case i == len(before) || after[j].Name < before[i].Name:
			c.After = &after[j]
			j++
		default:
			b, a := &before[i], &after[j]
			i, j = i+1, j+1
			if b.State == a.State && b.ID == a.ID {
				continue
			}
			c = Change{b, a}
		}
		if err := tell(c); err != nil {
			return err
		}
	}
	return nil
}

// filesChanged is true when the files of an endpoint are not what they were. A daemon
// touches its pid file all the time: while its process is in sight that says
// nothing.
func filesChanged(before, after map[string]endpointfs.StatSnapshot, known []Status) bool {
	if len(before) != len(after) {
		return true
	}
	daemons := map[string]bool{}
	for _, s := range known {
		daemons[s.Name] = provenProcess(s) != nil
	}
	for name, b := range before {
		a, ok := after[name]
		if daemons[name] {
			a.PIDFile.Time, b.PIDFile.Time = 0, 0
		}
		if !ok || a != b {
			return true
		}
	}
	return false
}

// provenProcess is the process that was seen to be the daemon of an endpoint, nil if
// none was.
func provenProcess(s Status) *ProcessEvidence {
	if p := s.Evidence.Process; s.State == Running && p != nil && p.Proven {
		return p
	}
	return nil
}

// processChanged is true when a daemon that was seen has ended, or is about to,
// which its title says.
func (m *Manager) processChanged(known []Status) bool {
	for _, s := range known {
		if seen := provenProcess(s); seen != nil {
			p, alive, err := m.processTable().Lookup(seen.PID)
			if err != nil || !alive || p.StartTime != seen.StartTime || p.Title() != seen.Title {
				return true
			}
		}
	}
	return false
}
