package cli

import (
	"os"
	"os/exec"
	"testing"
)

// TestProcessEnd watches those that this process descends from, and nobody
// else: a number that a client at the other end of ssh names is a stranger's.
func TestProcessEnd(t *testing.T) {
	t.Parallel()
	if _, err := processEnd(t.Context(), os.Getppid()); err != nil {
		t.Errorf("the parent: %v", err)
	}
	stranger := exec.Command("sleep", "600")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stranger.Process.Kill()
		_ = stranger.Wait()
	})
	for _, pid := range []int{stranger.Process.Pid, os.Getpid(), 0, -1} {
		if _, err := processEnd(t.Context(), pid); err == nil {
			t.Errorf("process %d is watched", pid)
		}
	}
}
