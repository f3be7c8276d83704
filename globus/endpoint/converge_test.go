package endpoint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chiltepin/globus/process"
)

// Whoever started it was killed before it could note the launch: the daemon is
// known by where it works, and joined.
func TestLaunchNotNoted(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Delay: time.Second})
	var late *TimeoutError
	if _, err := b.Start(t.Context(), "mesa", StartOptions{Timeout: 200 * time.Millisecond}); !errors.As(err, &late) {
		t.Fatal(err)
	}
	if err := b.ep.RemoveLaunchRecord(); err != nil {
		t.Fatal(err)
	}
	s := b.status()
	if s.State != Starting || !s.Evidence.Process.Proven {
		t.Fatalf("State = %s (%s), want Starting", s.State, s.Reason)
	}
	if r := b.start(); r.Outcome != Started || r.Status.Evidence.Process.PID != s.Evidence.Process.PID {
		t.Errorf("Start = %s, process %d, want %d", r.Outcome, r.Status.Evidence.Process.PID, s.Evidence.Process.PID)
	}
}

// Somebody starts the daemon by hand while ours is loading: ours gives way, and
// the caller is told of the one that runs.
func TestOutrun(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Delay: 700 * time.Millisecond})
	done := make(chan StartResult)
	go func() {
		r, err := b.Start(t.Context(), "mesa", StartOptions{Timeout: 5 * time.Minute})
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	for !b.has("chiltepin.json") {
		time.Sleep(time.Millisecond)
	}
	hand := &bed{Manager: &Manager{Dir: b.Dir, Runtime: b.Runtime}, t: t, ep: b.ep, dir: b.dir}
	hand.play(script{})
	rt, _ := b.Runtime(t.Context())
	env, err := hand.daemonEnvironment(t.Context(), rt)
	if err != nil {
		t.Fatal(err)
	}
	d, err := hand.locked("by hand").launchDaemon(rt, env)
	if err != nil {
		t.Fatal(err)
	}
	defer d.handle.Close()
	if r := <-done; r.Outcome != AlreadyRunning || r.Status.Evidence.Process.PID != d.pid {
		t.Errorf("Start = %s, %+v, want process %d", r.Outcome, r.Status.Evidence.Process, d.pid)
	}
}

// Somebody starts the daemon by hand at the same time. That one gives way to
// ours, but has registered the endpoint after it, so that the broker refuses
// ours, which ends or lives on without heartbeats, or had endpoint.json half
// written: in the end one must run whose heartbeats are accepted.
func TestLostRace(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"ends", "mute", "torn"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, script{Supplanted: how})
			r := b.start()
			if r.Outcome != Started || r.Status.Trouble != nil || !b.has("supplanted") {
				t.Errorf("Start = %s, %+v", r.Outcome, r.Status.Trouble)
			}
			if s := b.status(); s.State != Running || s.Trouble != nil || s.Evidence.Process.PID != r.Status.Evidence.Process.PID {
				t.Errorf("State = %s (%s), %+v", s.State, s.Reason, s.Trouble)
			}
		})
	}
}

func TestRemovePIDFile(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	op := b.locked("mesa")
	path := filepath.Join(b.ep.Path(), "daemon.pid")
	look := func() Evidence {
		e, err := b.gatherEvidence(b.ep, lookOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if err := op.removePIDFile(look()); err != nil {
		t.Errorf("without one: %v", err)
	}
	b.file("daemon.pid", "4194000\n")
	if err := op.removePIDFile(look()); err != nil || b.has("daemon.pid") {
		t.Errorf("left over: %v", err)
	}
	b.file("daemon.pid", "4194000\n")
	e := look()
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := op.removePIDFile(e); err == nil || !b.has("daemon.pid") {
		t.Errorf("touched meanwhile: %v, want it put back", err)
	}
	target := filepath.Join(t.TempDir(), "target")
	if err := os.WriteFile(target, []byte("4194000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(path)
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	if err := op.removePIDFile(look()); err != nil || b.has("daemon.pid") {
		t.Errorf("a link: %v", err)
	}
	if _, err := os.Stat(target); err != nil {
		t.Error("what a link leads to was removed")
	}
	names, err := filepath.Glob(filepath.Join(b.ep.Path(), ".daemon.pid*"))
	if err != nil || len(names) != 0 {
		t.Errorf("%q were left", names)
	}
}

// What stands in for daemon.pid is never waited on, taken for a process, or
// removed by start when it is no file.
func TestOddPIDFiles(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, content string
		starts        bool
	}{
		{"empty", "", true}, {"garbage", "hello\n", true}, {"negative", "-1\n", true}, {"zero", "0\n", true}, {"huge", "99999999999999999999\n", true},
		{"init", "1\n", true}, {"directory", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, script{})
			if !process.SoleUserOfDisks() || !process.OnLocalDisk(b.dir) {
				row.starts = false // it would be watched for 17 seconds
			}
			path := filepath.Join(b.ep.Path(), "daemon.pid")
			if row.name == "directory" {
				if err := os.Mkdir(path, 0o700); err != nil {
					t.Fatal(err)
				}
			} else {
				b.file("daemon.pid", row.content)
				if err := os.Chtimes(path, time.Time{}, time.Now().Add(-20*time.Second)); err != nil {
					t.Fatal(err)
				}
			}
			if s := b.status(); s.State != Disconnected && s.State != Unknown {
				t.Errorf("State = %s (%s)", s.State, s.Reason)
			}
			if !row.starts {
				return
			}
			if r := b.start(); r.Outcome != Started {
				t.Errorf("Start = %s", r.Outcome)
			}
		})
	}
	t.Run("directory refuses", func(t *testing.T) {
		t.Parallel()
		b := newBed(t, script{})
		if err := os.Mkdir(filepath.Join(b.ep.Path(), "daemon.pid"), 0o700); err != nil {
			t.Fatal(err)
		}
		var doubt *DoubtError
		if _, err := b.Start(t.Context(), "mesa", StartOptions{}); !errors.As(err, &doubt) || !strings.Contains(fmt.Sprint(doubt.Next()), "daemon.pid") {
			t.Errorf("Start: %v, want it refused with what to remove", err)
		}
	})
}

// The daemon's environment is the caller's, but leads to no other endpoint.
func TestEnviron(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	rt, _ := b.Runtime(t.Context())
	b.Environ = []string{
		"HOME=/home/me", "PATH=/bin", "GLOBUS_COMPUTE_ENDPOINT_DIR=/x", "GLOBUS_COMPUTE_ENDPOINT_NAME=x", "GLOBUS_COMPUTE_LOG_PATH=/x",
		"GLOBUS_COMPUTE_USER_DIR=/x", "GLOBUS_COMPUTE_CLIENT_ID=stale", "GLOBUS_SDK_VERIFY_SSL=launch.go", "SSL_CERT_FILE=/etc/none", "junk",
	}
	b.ChildEnv = func(context.Context) ([]string, error) { return []string{"GLOBUS_COMPUTE_CLIENT_ID=mine"}, nil }
	got, err := b.daemonEnvironment(t.Context(), rt)
	if err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GLOBUS_COMPUTE_CLIENT_ID=mine", "GLOBUS_COMPUTE_USER_DIR=" + b.dir, "GLOBUS_SDK_VERIFY_SSL=" + wd + "/launch.go",
		"HOME=/home/me", "PATH=" + rt.Bin + ":/bin", "SSL_CERT_FILE=/etc/none",
	}
	slices.Sort(got)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
