package endpoint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/globus/process"
)

// session starts a session whose leader leaves a process behind that has a file
// of dir open, and returns the leader's id and the process's.
func session(t *testing.T, dir, open string) (leader, left int) {
	t.Helper()
	pidFile := filepath.Join(t.TempDir(), "pid")
	cmd := exec.Command("sh", "-c", fmt.Sprintf(`sleep 600 %s & echo $! >%q`, open, pidFile))
	cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(data), &left); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if alive(left) {
			_ = syscall.Kill(left, syscall.SIGKILL) // a child of this test's child
		}
	})
	// Until it has become sleep it may not have opened the file.
	for began := time.Now(); time.Since(began) < 5*time.Minute; time.Sleep(time.Millisecond) {
		if p, ok, _ := (process.System{}).Lookup(left); ok && strings.HasPrefix(p.Title(), "sleep") {
			break
		}
	}
	return cmd.Process.Pid, left
}

// TestSurvivors: what a killed user endpoint has left running is told of, and
// ended by stop, but not in the midst of a task unless asked to.
func TestSurvivors(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	b.start()
	dir := b.userDir()
	write(t, filepath.Join(dir, "manager.log"), "")
	leader, worker := session(t, dir, ">>manager.log")
	write(t, filepath.Join(dir, "daemon.pid"), fmt.Sprintln(leader))
	s := b.status()
	if s.State != Running || s.Trouble == nil || !strings.Contains(s.Trouble.Problem, fmt.Sprint("PID ", worker)) {
		t.Errorf("State = %s, Trouble = %+v", s.State, s.Trouble)
	}
	block := filepath.Join(dir, "Executor", "block-0", "m")
	if err := os.MkdirAll(block, 0o700); err != nil {
		t.Fatal(err)
	}
	now := float64(time.Now().UnixMicro()) / 1e6
	write(t, filepath.Join(block, "worker_0.log"), fmt.Sprintf("%f 2026-11-26 08:00:00 x INFO: Received executor task 1\n", now))
	var late *TimeoutError
	if _, err := b.Stop(t.Context(), "mesa", StopOptions{Timeout: 300 * time.Millisecond}); !errors.As(err, &late) || late.Outstanding != 1 || !alive(worker) {
		t.Errorf("Stop amid a task: %v (alive: %v)", err, alive(worker))
	}
	if s := b.status(); s.State != Running || !strings.Contains(fmt.Sprint(s.Trouble.Next), "wait for their 1 tasks") {
		t.Errorf("State = %s, Trouble = %+v", s.State, s.Trouble)
	}
	r, err := b.Stop(t.Context(), "mesa", StopOptions{Now: true})
	if err != nil || r.Lost != 1 || alive(worker) {
		t.Errorf("Stop now = %+v, %v (alive: %v)", r, err, alive(worker))
	}
	if s := b.status(); s.State != Stopped || s.Trouble != nil {
		t.Errorf("State = %s, Trouble = %+v", s.State, s.Trouble)
	}
}

// A session of that number which only reads what is in the directory, or writes
// another file there, is somebody's own.
func TestNoSurvivors(t *testing.T) {
	t.Parallel()
	for _, open := range []string{"<manager.log", ">>notes.txt", "", ">>/dev/null"} {
		b := newBed(t, script{})
		b.start()
		dir := b.userDir()
		write(t, filepath.Join(dir, "manager.log"), "")
		leader, stranger := session(t, dir, open)
		write(t, filepath.Join(dir, "daemon.pid"), fmt.Sprintln(leader))
		if all := b.status().Survivors; len(all) > 0 {
			t.Errorf("%q: %+v", open, all)
		}
		if _, err := b.Stop(t.Context(), "mesa", StopOptions{Now: true}); err != nil || !alive(stranger) {
			t.Errorf("%q: %v (alive: %v)", open, err, alive(stranger))
		}
	}
}

// noHandles are the processes of a kernel without pidfd_open, but for the
// process that may be held.
type noHandles struct {
	process.System
	but int
}

func (n noHandles) Hold(pid int) (process.Handle, error) {
	if pid == n.but {
		return n.System.Hold(pid)
	}
	return nil, &process.UnsupportedError{Need: "pidfd_open (Linux 5.3 or later)"}
}

// What cannot be ended safely is left alone, and said to be.
func TestSurvivorsNotHeld(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	daemon := b.start().Status.Evidence.Process.PID
	dir := b.userDir()
	write(t, filepath.Join(dir, "manager.log"), "")
	leader, worker := session(t, dir, ">>manager.log")
	write(t, filepath.Join(dir, "daemon.pid"), fmt.Sprintln(leader))
	b.Procs = noHandles{but: daemon}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var lacks *process.UnsupportedError
	if _, err := b.Stop(ctx, "mesa", StopOptions{Now: true}); !errors.As(err, &lacks) || alive(daemon) || !alive(worker) {
		t.Errorf("Stop: %v (the worker is alive: %v)", err, alive(worker))
	}
}
