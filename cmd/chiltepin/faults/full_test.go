package faults

import (
	"slices"
	"testing"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// TestFullAtEveryWrite has the disk fill up before each step of each operation,
// which fails or not, and is told so; and once there is room, running it again
// comes to the end that it would have come to.
func TestFullAtEveryWrite(t *testing.T) {
	t.Parallel()
	runtimetest.Long(t)
	if !isolated(t) {
		return
	}
	for _, d := range deeds() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			box := sandboxtest.Start(t)
			stride := 17
			if *whole {
				stride = 1
			}
			steps := 0
			for n := 1; n < 200; n += stride {
				reached := false
				t.Run("", func(t *testing.T) { reached = d.fullAt(t, box, n) >= n })
				if !reached {
					break
				}
				steps = n
			}
			if *whole && steps < 8 {
				t.Errorf("only %d steps were seen", steps)
			}
		})
	}
}

// fullAt returns how many steps there were.
func (d deed) fullAt(t *testing.T, box *sandboxtest.Box, n int) int {
	b := newBed(t, box)
	d.lay(b)
	before := len(box.State().Endpoints)
	if b.id() != "" {
		before--
	}
	tr, _ := b.traced(tracer{full: n}, append([]string{"endpoint"}, d.args...)...)
	at := tr.steps[min(n, len(tr.steps))-1]
	b.truth(at)
	a := b.run(append([]string{"endpoint"}, d.args...)...)
	if !slices.Contains(d.exits, a.exit) {
		t.Errorf("full before step %d (%s), and run again with room: exit status %d\n%s", n, at, a.exit, a.stderr)
	}
	b.truth(at)
	if got := len(b.living()); got != d.living {
		t.Errorf("full before step %d (%s), and run again with room: %d daemons live, want %d", n, at, got, d.living)
	}
	if got := len(box.State().Endpoints) - before; got != d.registered {
		t.Errorf("full before step %d (%s), and run again with room: %d registrations, want %d", n, at, got, d.registered)
	}
	if got := b.names(b.path); got != d.files {
		t.Errorf("full before step %d (%s), and run again with room: files\n%s, want\n%s", n, at, got, d.files)
	}
	return len(tr.steps)
}
