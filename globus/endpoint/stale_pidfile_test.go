package endpoint

import (
	"fmt"
	"testing"

	"chiltepin/endpointfs"
)

// TestTidy: only the pid file of a daemon that is gone beyond doubt is removed,
// and nobody is signalled.
func TestTidy(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	if removed, err := b.Tidy(t.Context(), "mesa"); removed || err != nil {
		t.Errorf("there was none: %v, %v", removed, err)
	}
	started := b.start()
	if removed, err := b.Tidy(t.Context(), "mesa"); removed || err != nil || !b.has("daemon.pid") {
		t.Errorf("it runs: %v, %v", removed, err)
	}
	b.state(Running)
	pid := started.Status.Evidence.Process.PID
	killed(t, pid)
	b.state(Disconnected)
	if removed, err := b.Tidy(t.Context(), "mesa"); !removed || err != nil || b.has("daemon.pid") {
		t.Errorf("it was killed: %v, %v", removed, err)
	}
	b.state(Stopped)

	// Its number has come round again: the stranger that has it lives on.
	other := stranger(t)
	b.file("daemon.pid", fmt.Sprintln(other.Pid))
	here := b.thisMachine()
	if err := b.ep.WriteLaunchRecord(endpointfs.LaunchRecord{Host: here.Host, BootID: here.BootID, PID: other.Pid, StartTime: 1}); err != nil {
		t.Fatal(err)
	}
	if removed, err := b.Tidy(t.Context(), "mesa"); !removed || err != nil || b.has("daemon.pid") || !alive(other.Pid) {
		t.Errorf("a stranger's: %v, %v, alive %v", removed, err, alive(other.Pid))
	}
}
