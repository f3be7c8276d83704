package doctor_test

import (
	"os"
	"os/exec"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"chiltepin/globus/doctor"
)

// TestNoLocks is the seeded fault of a file system without locks: in a process
// of its own, for which the kernel answers flock as such a file system does.
func TestNoLocks(t *testing.T) {
	t.Parallel()
	if os.Getenv("NO_LOCKS") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestNoLocks$", "-test.v")
		cmd.Env = append(os.Environ(), "NO_LOCKS=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	w := newWorld(t)
	refuseLocks(t)
	if diff := cmp.Diff(map[string]string{"locks": "warning"}, w.examine(doctor.Options{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// refuseLocks has the kernel answer flock with ENOLCK, in this process and its
// children, for good.
func refuseLocks(t *testing.T) {
	t.Helper()
	const answer = uint32(unix.SECCOMP_RET_ERRNO) | uint32(unix.ENOLCK)
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the number of the system call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_FLOCK},
		{Code: unix.BPF_RET | unix.BPF_K, K: answer},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	const allThreads = unix.SECCOMP_FILTER_FLAG_TSYNC
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, allThreads, uintptr(unsafe.Pointer(&program))); errno != 0 {
		t.Fatal(errno)
	}
}
