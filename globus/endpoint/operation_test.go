package endpoint

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/lockstest"
	"chiltepin/globus/process"
)

// TestLeaseLost runs in a process of its own, where nothing locks: start and
// stop lose their lease in the middle, and leave the daemon alone from then on.
func TestLeaseLost(t *testing.T) {
	t.Parallel()
	if os.Getenv("WITHOUT_LOCKS") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestLeaseLost$", "-test.v")
		cmd.Env = append(os.Environ(), "WITHOUT_LOCKS=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestLeaseLost") {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	if err := lockstest.Refuse(); err != nil {
		t.Fatal(err)
	}
	b := newBed(t, script{Hang: "launch"})
	lease := filepath.Join(b.dir, ".chiltepin", "locks", "mesa.lease")
	pid := 0
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"start", func() error { _, err := b.Start(t.Context(), "mesa", StartOptions{}); return err }},
		{"stop", func() error { _, err := b.Stop(t.Context(), "mesa", StopOptions{}); return err }},
		{"delete", func() error { _, err := b.Delete(t.Context(), "mesa", DeleteOptions{Force: true}); return err }},
	} {
		done := make(chan error, 1)
		go func() { done <- c.do() }()
		// It waits for the daemon, which never comes up.
		for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
			s := b.status()
			if p := s.Evidence.Process; p != nil && p.Proven && s.Evidence.Holder != nil && s.Evidence.Holder.PID == os.Getpid() {
				pid = p.PID
				break
			}
			if time.Since(began) > 5*time.Minute {
				t.Fatalf("%s: the daemon is not launched", c.name)
			}
		}
		if err := os.WriteFile(lease, []byte("somebody else's\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		err := <-done
		var lost *endpointfs.LostError
		if !errors.As(err, &lost) {
			t.Errorf("%s: %v, want the lease lost", c.name, err)
		}
		if !alive(pid) {
			t.Errorf("%s has ended a daemon that was no longer its own", c.name)
		}
		if err := os.Remove(lease); err != nil {
			t.Fatal(err)
		}
	}
	// It is lost at the last moment, before anybody can have noticed.
	b.Procs = thief{process.System{}, lease}
	var lost *endpointfs.LostError
	if _, err := b.Stop(t.Context(), "mesa", StopOptions{Now: true}); !errors.As(err, &lost) || !alive(pid) {
		t.Errorf("stop: %v (alive: %v), want the lease lost and nothing signalled", err, alive(pid))
	}
	b.Procs = process.System{}
	if err := os.Remove(lease); err != nil {
		t.Fatal(err)
	}
	// Without anybody in the way it is as ever.
	if _, err := b.Stop(t.Context(), "mesa", StopOptions{Now: true}); err != nil || alive(pid) {
		t.Errorf("stop: %v (alive: %v)", err, alive(pid))
	}
	if _, err := os.Stat(lease); err == nil {
		t.Error("stop has left its lease")
	}
}

// thief takes the lease away as soon as a process is held.
type thief struct {
	process.System
	lease string
}

func (th thief) Hold(pid int) (process.Handle, error) {
	if err := os.WriteFile(th.lease, []byte("somebody else's\n"), 0o600); err != nil {
		return nil, err
	}
	return th.System.Hold(pid)
}

// TestWithoutLock: an operation that does not hold its lock, or has given it
// back, signals nothing, launches nothing and removes nothing.
func TestWithoutLock(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Users: []string{testUser}})
	dir := b.userDir()
	pid := b.start().Status.Evidence.Process.PID
	for len(b.status().UserEndpoints) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	user := b.status().UserEndpoints[0]
	all, err := b.ep.UserEndpoints()
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	rt, err := b.Runtime(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	given := b.locked("given back")
	given.end()
	never := b.newOperation("mesa", "testing", time.Second)
	never.ep = b.ep
	for name, op := range map[string]*operation{"given back": given, "never held": never} {
		held := op.holdUserEndpoints(b.status().Evidence, true)
		if len(held) == 0 {
			t.Fatal("the user endpoint is not held")
		}
		evidence := b.status().Evidence
		for what, do := range map[string]func() error{
			"check":              op.checkLockHeld,
			"signal":             func() error { return op.signal(user.PID, held[0].Handle, syscall.SIGTERM) },
			"kill":               func() error { return op.killAll(held) },
			"end a session":      func() error { return op.endSession(t.Context(), held, time.Second) },
			"remove daemon.pid":  func() error { return op.removePIDFile(evidence) },
			"restore daemon.pid": op.restorePIDFile,
			"change files":       func() error { return op.changeFiles(func(*os.Root) error { t.Error("changed"); return nil }) },
			"remove a directory": func() error { return op.removeUserEndpointDir(all[0]) },
			"launch":             func() error { _, err := op.launchDaemon(rt, nil); return err },
			"stop":               func() error { _, err := op.stop(t.Context(), StopOptions{Now: true}); return err },
			"stop user endpoint": func() error { return op.stopUserEndpoint(t.Context(), testUser, 0, time.Second) },
			"stop a lost launch": func() error { return op.stopLoser(t.Context(), &awaitedDaemon{pid: pid, handle: held[0].Handle}) },
			"end a registration": func() error {
				return (&deletion{operation: op, result: DeleteResult{ID: testID}}).endRegistration(t.Context())
			},
			"remove an endpoint": func() error { return (&deletion{operation: op}).removeFiles(t.Context()) },
			"end an orphan":      func() error { _, _, err := op.endOrphan(t.Context(), &fakeService{}, Pair{ID: testUser}); return err },
		} {
			if err := do(); !errors.Is(err, errNoLock) {
				t.Errorf("%s, %s: %v, want it refused", name, what, err)
			}
		}
		held.Close()
	}
	if !alive(pid) || !alive(user.PID) || !b.has("daemon.pid") {
		t.Errorf("alive: the daemon %v, its user endpoint %v; daemon.pid is there: %v", alive(pid), alive(user.PID), b.has("daemon.pid"))
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}
