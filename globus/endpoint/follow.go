package endpoint

import (
	"context"
	"maps"
	"time"

	"chiltepin/endpointfs"
)

const (
	// followGlance is how often endpoints that are followed are glanced at.
	// The file systems of login nodes tell nobody of changes, so somebody has
	// to look; a glance is a few system calls an endpoint.
	followGlance = 500 * time.Millisecond
	// followRest is how many times as long as a glance took is rested after
	// it, within followLongest: many endpoints on a slow file system must not
	// be a load.
	followRest    = 100
	followLongest = 1500 * time.Millisecond
	// followLook is how often everything is judged anew although no glance saw
	// a change: time alone changes what is true of a pid file that nobody
	// touches.
	followLook = 10 * time.Second
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
	seen := m.glimpse(nil)
	known, err := m.List(ctx)
	if err != nil {
		return err
	}
	if err := first(known); err != nil {
		return err
	}
	looked, busy := time.Now(), underWay(known)
	for {
		began := time.Now()
		now := m.glimpse(known)
		if busy || !now.same(seen) || began.Sub(looked) > followLook {
			list, err := m.List(ctx)
			if err != nil {
				return err
			}
			if err := compare(known, list, tell); err != nil {
				return err
			}
			known, looked, busy = list, time.Now(), underWay(list)
			now = m.glimpse(known)
		}
		seen = now
		rest := min(max(followGlance, followRest*time.Since(began)), followLongest)
		if err := pause(ctx, rest); err != nil {
			return err
		}
	}
}

// underWay is true while an operation holds a lock, whose end no file shows.
func underWay(list []Status) bool {
	for _, s := range list {
		if s.Evidence.Holder != nil || s.State == Starting || s.State == Stopping {
			return true
		}
	}
	return false
}

// compare tells the difference of two lists sorted by name.
func compare(before, after []Status, tell func(Change) error) error {
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

// glimpse is what a look shows that reads nothing: the files of each endpoint
// and the processes that are known to be daemons.
type glimpse struct {
	files map[string]endpointfs.Glimpse
	procs map[string]uint64 // start times
	err   error
}

func (g glimpse) same(other glimpse) bool {
	return maps.Equal(g.files, other.files) && maps.Equal(g.procs, other.procs) && (g.err == nil) == (other.err == nil)
}

func (m *Manager) glimpse(known []Status) glimpse {
	g := glimpse{procs: map[string]uint64{}}
	g.files, g.err = m.Dir.Glimpses()
	for _, s := range known {
		p := s.Evidence.Process
		if s.State != Running || p == nil || !p.Proven {
			continue
		}
		// The daemon touches its pid file all the time; while its process is
		// in sight that says nothing.
		if f, ok := g.files[s.Name]; ok {
			f.PIDFile.Time = 0
			g.files[s.Name] = f
		}
		if alive, ok, err := m.procs().Lookup(p.PID); err == nil && ok {
			g.procs[s.Name] = alive.StartTime + uint64(len(alive.Title())) // a daemon that is ending says so in its title
		}
	}
	return g
}
