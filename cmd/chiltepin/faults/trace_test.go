package faults

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tracer runs a program and stops it before every step: each system call that
// writes, renames, removes, locks, spawns, signals or sends. Children of the
// program are not followed.
type tracer struct {
	// kill is the number of the step before which the program is killed with
	// SIGKILL; 0 lets it run to its end.
	kill int
	// full is the number of the step from which on the disk is full: what would
	// need room there fails with ENOSPC; 0 is never.
	full int
	// unlocked has the file system answer that it has no locks.
	unlocked bool
	// failing are the threads whose system call is about to fail, and how.
	failing map[int]unix.Errno
	// exit is the exit status in the end.
	exit int
	// steps are the ones that were seen, in order; the last one was not taken
	// when the program was killed.
	steps []string
	pid   int
}

// syscallInfo is struct ptrace_syscall_info, see ptrace(2).
type syscallInfo struct {
	op     uint8
	_      [3]uint8
	arch   uint32
	ip, sp uint64
	nr     uint64
	args   [6]uint64
	_      uint64
}

// run runs the command, which is the leader of a session and was not started,
// and says whether it was killed.
func (tr *tracer) run(cmd *exec.Cmd) (killed bool, err error) {
	// Only the thread that has begun to trace may go on.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr.Ptrace = true
	if err := cmd.Start(); err != nil {
		return false, err
	}
	tr.pid = cmd.Process.Pid
	var ws unix.WaitStatus
	if _, err := unix.Wait4(tr.pid, &ws, unix.WALL, nil); err != nil {
		return false, err
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	if err := unix.PtraceSetOptions(tr.pid, options); err != nil {
		return false, err
	}
	if err := unix.PtraceSyscall(tr.pid, 0); err != nil {
		return false, err
	}
	for {
		// Other children of this process are for others to bury.
		tid, err := unix.Wait4(-tr.pid, &ws, unix.WALL, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return killed, fmt.Errorf("waiting for a thread of the program: %w", err)
		}
		if !ws.Stopped() {
			if tid == tr.pid {
				tr.exit = ws.ExitStatus()
				return killed, nil
			}
			continue
		}
		signal := 0
		switch s := ws.StopSignal(); {
		case s == unix.SIGTRAP|0x80:
			if !killed && tr.step(tid) {
				killed = true
				_ = unix.Kill(tr.pid, unix.SIGKILL)
			}
		case s == unix.SIGTRAP, s == unix.SIGSTOP: // a thread was made, or begins
		default:
			signal = int(s)
		}
		_ = unix.PtraceSyscall(tid, signal) // it may be dead
	}
}

// step looks at a thread that stands at a system call, and says whether it is
// time to kill.
func (tr *tracer) step(tid int) bool {
	var info syscallInfo
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, ptraceGetSyscallInfo, uintptr(tid), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if fail, ok := tr.failing[tid]; ok && errno == 0 && info.op == 2 { // the exit
		delete(tr.failing, tid)
		answerCall(tid, fail)
	}
	if errno != 0 || info.op != 1 { // the entry
		return false
	}
	what := tr.changes(info)
	if what == "" {
		return false
	}
	tr.steps = append(tr.steps, what)
	fail := unix.Errno(0)
	switch {
	case tr.full != 0 && len(tr.steps) >= tr.full && needsRoom(what):
		fail = unix.ENOSPC
	case tr.unlocked && what == "flock":
		fail = unix.ENOLCK
	}
	if fail != 0 && skipCall(tid) {
		if tr.failing == nil {
			tr.failing = map[int]unix.Errno{}
		}
		tr.failing[tid] = fail
	}
	return len(tr.steps) == tr.kill
}

// needsRoom says whether a step fails on a full disk.
func needsRoom(step string) bool {
	name, to, _ := strings.Cut(step, " ")
	switch name {
	case "open", "openat", "creat", "mkdir", "mkdirat":
		return true
	}
	return strings.Contains(name, "write") && to != "socket"
}

const ptraceGetSyscallInfo = 0x420e

// changes names the system call if it changes anything outside the program.
func (tr *tracer) changes(info syscallInfo) string {
	name, ok := stepCalls()[info.nr]
	switch {
	case !ok:
		return ""
	case name == "openat" && info.args[2]&(unix.O_CREAT|unix.O_TRUNC) == 0:
		return ""
	case name == "open" && info.args[1]&(unix.O_CREAT|unix.O_TRUNC) == 0:
		return ""
	case name == "clone" && info.args[0]&unix.CLONE_THREAD != 0:
		return ""
	case strings.Contains(name, "write") || name == "sendto":
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tr.pid, int32(info.args[0])))
		if err != nil || info.args[0] <= 2 || to == "/dev/null" || !strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "socket:") {
			return "" // its own pipes and events, and what it tells its caller
		}
		if strings.HasPrefix(to, "socket:") {
			return name + " socket"
		}
		return name + " " + to[strings.LastIndexByte(to, '/')+1:]
	}
	return name
}

// commonCalls are the steps that every architecture has under the same name.
func commonCalls() map[uint64]string {
	return map[uint64]string{
		unix.SYS_OPENAT: "openat", unix.SYS_MKDIRAT: "mkdirat", unix.SYS_UNLINKAT: "unlinkat", unix.SYS_RENAMEAT: "renameat",
		unix.SYS_RENAMEAT2: "renameat2", unix.SYS_LINKAT: "linkat", unix.SYS_SYMLINKAT: "symlinkat", unix.SYS_FCHMOD: "fchmod",
		unix.SYS_FCHMODAT: "fchmodat", unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_TRUNCATE: "truncate", unix.SYS_FLOCK: "flock",
		unix.SYS_WRITE: "write", unix.SYS_PWRITE64: "pwrite64", unix.SYS_WRITEV: "writev", unix.SYS_SENDTO: "sendto",
		unix.SYS_CLONE: "clone", unix.SYS_CLONE3: "clone3", unix.SYS_KILL: "kill", unix.SYS_PIDFD_SEND_SIGNAL: "pidfd_send_signal",
	}
}

// traced runs the program under a tracer.
func (b *fixture) traced(tr tracer, args ...string) (tracer, bool) {
	b.Helper()
	cmd := b.command(args...)
	out, err := os.CreateTemp(b.TempDir(), "out")
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	type result struct {
		killed bool
		err    error
	}
	done := make(chan result, 1)
	go func() {
		killed, err := tr.run(cmd)
		done <- result{killed, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			b.Fatalf("tracing %q: %v", args, r.err)
		}
		return tr, r.killed
	case <-time.After(patience):
		_ = syscall.Kill(tr.pid, syscall.SIGKILL)
		b.Fatalf("%q does not end under the tracer after %q", args, tr.steps)
		return tr, false
	}
}

// TestTracer holds the tracer against a program whose steps are known.
func TestTracer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for kill, want := range []string{"abc", "", "a", "ab", "abc"} {
		_ = os.RemoveAll(dir + "/x")
		if err := os.Mkdir(dir+"/x", 0o700); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", "-c", "cd "+dir+"/x; : > a; : > b; : > c")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		tr := tracer{kill: kill}
		done := make(chan bool)
		go func() {
			killed, err := tr.run(cmd)
			if err != nil {
				t.Error(err)
			}
			done <- killed
		}()
		killed := <-done
		entries, err := os.ReadDir(dir + "/x")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, e := range entries {
			got += e.Name()
		}
		if got != want || killed != (kill > 0 && kill < 4) {
			t.Errorf("killed at %d: files %q, killed %v, want %q (%q)", kill, got, killed, want, tr.steps)
		}
	}
	// On a disk that is full from the second step on there is room for one.
	cmd := exec.Command("sh", "-c", "cd "+dir+"; : > a; : > b || echo full > /dev/null")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	tr := tracer{full: 2}
	done := make(chan error)
	go func() {
		_, err := tr.run(cmd)
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	_, a := os.Stat(dir + "/a")
	_, b := os.Stat(dir + "/b")
	if a != nil || !os.IsNotExist(b) {
		t.Errorf("on a full disk: %v, %v, want only the first file", a, b)
	}
}
