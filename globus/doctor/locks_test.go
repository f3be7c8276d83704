package doctor_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs/lockstest"
	"chiltepin/globus/doctor"
	"chiltepin/globus/runtime/runtimetest"
)

// TestNoLocks is the seeded fault of a file system without locks: in a process
// of its own, for which the kernel answers flock as such a file system does.
func TestNoLocks(t *testing.T) {
	t.Parallel()
	runtimetest.Long(t)
	if os.Getenv("NO_LOCKS") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestNoLocks$", "-test.v")
		cmd.Env = append(os.Environ(), "NO_LOCKS=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	w := newWorld(t)
	if err := lockstest.Refuse(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"locks": "warning"}, w.examine(doctor.ExamineOptions{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
