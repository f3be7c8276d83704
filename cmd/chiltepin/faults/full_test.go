package faults

import (
	"testing"

	"chiltepin/globus/sandbox/sandboxtest"
)

// TestFullAtEveryWrite has the disk fill up before each step of each operation,
// which fails or not, and is told so; and once there is room, running it again
// comes to the end that it would have come to.
func TestFullAtEveryWrite(t *testing.T) {
	t.Parallel()
	everyStep(t, 17, func(t *testing.T, d deed, box *sandboxtest.Box, n int) bool {
		tr, _ := d.converges(newFixture(t, box), box, tracer{full: n})
		return n <= len(tr.steps)
	})
}
