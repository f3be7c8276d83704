package endpointfs

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// child runs this test program again as another process, which does what play
// says in the directory dir, and returns its output line by line.
func child(t *testing.T, play, dir string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), "ENDPOINTFS_PLAY="+play, "ENDPOINTFS_DIR="+dir)
	return cmd, start(t, cmd)
}

// start starts the other process.
func start(t *testing.T, cmd *exec.Cmd) *bufio.Scanner {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return bufio.NewScanner(out)
}

// TestChild is the part of the other process. In a run of the tests it has
// nothing to do.
func TestChild(t *testing.T) {
	dir := Open(os.Getenv("ENDPOINTFS_DIR"))
	switch os.Getenv("ENDPOINTFS_PLAY") {
	case "lock":
		if _, err := dir.On(thisBoot{"this"}).Lock(t.Context(), "mesa", "starting"); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("locked\n")
		time.Sleep(time.Hour)
	case "race":
		inside, held := filepath.Join(dir.Path(), "inside"), 0
		for held < 25 {
			lock, err := dir.On(thisBoot{"this"}).Lock(t.Context(), "mesa", "testing")
			var locked *LockedError
			if errors.As(err, &locked) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(inside, 0o700); err != nil {
				t.Fatal("two hold the lock: ", err)
			}
			time.Sleep(time.Millisecond)
			if err := errors.Join(lock.Check(), os.Remove(inside), lock.Release()); err != nil {
				t.Fatal(err)
			}
			held++
			time.Sleep(time.Millisecond) // the other one's turn
		}
		os.Stdout.WriteString("done\n")
	case "lease":
		playLease(t, brisk(dir.Path()))
	case "umask 000", "umask 777":
		mask, _ := strconv.ParseUint(strings.TrimPrefix(os.Getenv("ENDPOINTFS_PLAY"), "umask "), 8, 32)
		syscall.Umask(int(mask))
		ep, err := dir.Configure("mesa", NewEndpoint{})
		if err != nil {
			t.Fatal(err)
		}
		if err := ep.WriteLaunchRecord(LaunchRecord{PID: 1, Host: "a"}); err != nil {
			t.Fatal(err)
		}
		if _, err := ep.Lock(t.Context(), "testing"); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("done\n")
	case "configure":
		os.Stdout.WriteString("ready\n")
		for {
			ep, err := dir.Configure("mesa", NewEndpoint{Path: "/usr/bin"})
			if err == nil {
				err = ep.Remove()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestLockTellsWhoHoldsIt(t *testing.T) {
	t.Parallel()
	dir := Open(t.TempDir()).On(thisBoot{"this"})
	cmd, out := child(t, "lock", dir.Path())
	if !out.Scan() || out.Text() != "locked" {
		t.Fatal(out.Text(), out.Err())
	}
	check := func(what string, h Holder) {
		t.Helper()
		host, _ := os.Hostname()
		if h.Purpose != "starting" || h.PID != cmd.Process.Pid || h.Host != host || time.Since(h.Since) > time.Minute {
			t.Errorf("%s: %+v", what, h)
		}
	}
	_, err := dir.Lock(t.Context(), "mesa", "stopping")
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Name != "mesa" || locked.Next() == "" || !strings.Contains(err.Error(), "starting by process") {
		t.Fatal(err)
	}
	check("error", locked.Holder)
	h, ok := dir.Holder("mesa")
	if !ok {
		t.Error("nobody holds it")
	}
	check("holder", h)

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if h, ok := dir.Holder("mesa"); ok {
		t.Errorf("a killed process holds it: %+v", h)
	}
	lock, err := dir.Lock(t.Context(), "mesa", "stopping")
	if err != nil {
		t.Fatalf("a killed process blocks: %v", err)
	}
	if h, ok := dir.Holder("mesa"); !ok || h.Purpose != "stopping" || h.PID != os.Getpid() {
		t.Errorf("%+v, %v", h, ok)
	}
	for range 2 {
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	}
	if h, ok := dir.Holder("mesa"); ok {
		t.Errorf("it was released: %+v", h)
	}
}

// TestLockExcludes has many take one lock while others look who holds it.
func TestLockExcludes(t *testing.T) {
	t.Parallel()
	dir := Open(t.TempDir())
	var inside, taken atomic.Int32
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for taken.Load() < 20 {
				lock, err := dir.Lock(t.Context(), "mesa", "testing")
				var locked *LockedError
				if errors.As(err, &locked) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				taken.Add(1)
				time.Sleep(time.Millisecond)
				inside.Add(-1)
				lock.Release()
			}
		})
		wait.Go(func() {
			for taken.Load() < 20 {
				dir.Holder("mesa")
			}
		})
	}
	wait.Wait()
}

// TestLockRace has two processes take one lock again and again.
func TestLockRace(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	_, one := child(t, "race", path)
	_, other := child(t, "race", path)
	for _, out := range []*bufio.Scanner{one, other} {
		if !out.Scan() || out.Text() != "done" {
			t.Error(out.Text(), out.Err())
			for out.Scan() {
				t.Log(out.Text())
			}
		}
	}
}

func TestLockSurvivesTheEndpoint(t *testing.T) {
	t.Parallel()
	dir := Open(t.TempDir())
	ep, err := dir.Configure("config", NewEndpoint{}) // its lock file must not make .chiltepin an endpoint
	if err != nil {
		t.Fatal(err)
	}
	lock, err := ep.Lock(t.Context(), "deleting")
	if err != nil {
		t.Fatal(err)
	}
	if err := ep.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, ok := dir.Holder("config"); !ok {
		t.Error("the lock went with the endpoint")
	}
	lock.Release()
	if seen, err := filepath.Glob(filepath.Join(dir.Path(), "*", "config.*")); len(seen) > 0 || err != nil {
		t.Errorf("globus-compute-endpoint would list %v", seen)
	}
}

func TestLockNames(t *testing.T) {
	t.Parallel()
	dir := Open(t.TempDir())
	long := strings.Repeat("ü", 127)
	for _, name := range []string{long, "a b", "-x", "config"} {
		lock, err := dir.Lock(t.Context(), name, "testing")
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		lock.Release()
	}
	var bad *NameError
	for _, name := range []string{"", "..", "../x", ".x"} {
		if _, err := dir.Lock(t.Context(), name, "testing"); !errors.As(err, &bad) {
			t.Errorf("%q: %v", name, err)
		}
		if _, ok := dir.Holder(name); ok {
			t.Errorf("%q is held", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dir.Lock(ctx, "mesa", "testing"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
