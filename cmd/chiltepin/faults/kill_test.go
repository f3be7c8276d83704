package faults

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chiltepin/globus/sandbox/sandboxtest"
)

// TestKilledAtEveryStep kills each operation before each of its steps and runs
// it again: it must come to the end that it would have come to, with nothing
// left behind.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	everyStep(t, 11, func(t *testing.T, d deed, box *sandboxtest.Box, n int) bool {
		b := newFixture(t, box)
		tr, at := d.converges(b, box, tracer{kill: n})
		// The next one to come removes what was on its way out.
		b.must("endpoint", "configure", "next")
		own := filepath.Join(b.dir, ".chiltepin")
		for _, e := range strings.Fields(b.names(own)) {
			fresh := strings.HasPrefix(e, "new-") && d.name == "configure" && n <= len(tr.steps) // removed an hour later
			if !slices.Contains([]string{"locks", "clients.json", "tokens.flock", "journal.jsonl", "journal.lock"}, e) && !fresh {
				t.Errorf("%s: %s was left in %s", at, e, own)
			}
		}
		return n <= len(tr.steps)
	})
}
