package endpointfs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"chiltepin/endpointfs/lockstest"
)

// TestMain runs the tests as they are, or as on a file system without locks.
func TestMain(m *testing.M) {
	if withoutLocks() {
		if err := lockstest.Refuse(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func withoutLocks() bool { return os.Getenv("ENDPOINTFS_WITHOUT_LOCKS") != "" }

// TestWithoutLocks runs every test of locks once more where the kernel does
// not lock: one contract for both kinds. The tests of leases run there only.
func TestWithoutLocks(t *testing.T) {
	t.Parallel()
	if withoutLocks() {
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^Test(Lock|Lease)", "-test.v", "-test.timeout=1h")
	cmd.Env = append(os.Environ(), "ENDPOINTFS_WITHOUT_LOCKS=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, name := range []string{"TestLockTellsWhoHoldsIt", "TestLockExcludes", "TestLockRace", "TestLeaseOfAnotherMachine", "TestLeaseTakenOverOnce"} {
		if !strings.Contains(string(out), "--- PASS: "+name) {
			t.Errorf("%s has not run:\n%s", name, out)
		}
	}
}

// thisBoot is a machine on which processes are looked up for real.
type thisBoot struct{ boot string }

func (m thisBoot) Boot() string { return m.boot }

func (thisBoot) Started(pid int) (uint64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if os.IsNotExist(err) || errors.Is(err, unix.ESRCH) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 20 || fields[0] == "Z" {
		return 0, nil
	}
	var start uint64
	_, err = fmt.Sscan(fields[19], &start)
	return start, err
}

// brisk is a directory whose leases run out within seconds.
func brisk(path string) *Dir {
	dir := Open(path)
	dir.leases.times = leaseTimes{check: 50 * time.Millisecond, renewal: 100 * time.Millisecond, limit: time.Second, expiry: 1500 * time.Millisecond, shown: time.Hour}
	return dir
}

// eventually takes the lock as soon as it can be had.
func eventually(t *testing.T, dir *Dir, name string) *Lock {
	t.Helper()
	for began := time.Now(); ; {
		lock, err := dir.Lock(t.Context(), name, "stopping")
		var locked *LockedError
		if errors.As(err, &locked) && time.Since(began) < 2*time.Minute {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { lock.Release() })
		return lock
	}
}

// TestLeaseOfAnotherMachine has a holder that does not touch its lease and
// cannot be seen: it is waited for as long as a lease lasts, and no longer.
func TestLeaseOfAnotherMachine(t *testing.T) {
	t.Parallel()
	if !withoutLocks() {
		return
	}
	path := t.TempDir()
	cmd, out := child(t, "lock", path)
	if !out.Scan() || out.Text() != "locked" {
		t.Fatal(out.Text(), out.Err())
	}
	cmd.Process.Kill()
	cmd.Wait()
	synctest.Test(t, func(t *testing.T) {
		dir := Open(path).On(thisBoot{"another"})
		began := time.Now()
		for {
			lock, err := dir.Lock(t.Context(), "mesa", "stopping")
			if err == nil {
				lock.Release()
				break
			}
			var locked *LockedError
			if !errors.As(err, &locked) || locked.PID != cmd.Process.Pid || time.Since(began) > 2*time.Minute {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if took := time.Since(began); took < time.Minute || took > 61*time.Second {
			t.Errorf("it was taken over after %s", took)
		}
	})
}

// TestLeaseLasts has one who wants a lease wait in vain while it is touched.
func TestLeaseLasts(t *testing.T) {
	t.Parallel()
	if !withoutLocks() {
		return
	}
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		lock, err := Open(path).Lock(t.Context(), "mesa", "starting")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := lock.Context(t.Context())
		defer cancel()
		other := Open(path)
		for began := time.Now(); time.Since(began) < 10*time.Minute; time.Sleep(time.Second) {
			var locked *LockedError
			if _, err := other.Lock(t.Context(), "mesa", "stopping"); !errors.As(err, &locked) || locked.Purpose != "starting" {
				t.Fatalf("after %s: %v", time.Since(began), err)
			}
			if h, ok := other.Holder("mesa"); !ok || h.Purpose != "starting" {
				t.Fatalf("after %s: holder %+v, %v", time.Since(began), h, ok)
			}
		}
		if err := lock.Check(); err != nil || ctx.Err() != nil {
			t.Errorf("%v, %v", err, ctx.Err())
		}
		lock.Release()
		if lock, err = other.Lock(t.Context(), "mesa", "stopping"); err != nil {
			t.Fatal(err)
		}
		lock.Release()
		if h, ok := other.Holder("mesa"); ok {
			t.Errorf("it was released: %+v", h)
		}
	})
}

// TestLeaseLost tells the holder of a lease that was taken away.
func TestLeaseLost(t *testing.T) {
	t.Parallel()
	if !withoutLocks() {
		return
	}
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		dir := Open(path)
		lock, err := dir.Lock(t.Context(), "mesa", "starting")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := lock.Context(t.Context())
		defer cancel()
		if err := os.WriteFile(dir.leasePath("mesa"), []byte("somebody else's\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		var lost *LostError
		if !errors.As(context.Cause(ctx), &lost) || lost.Name != "mesa" || lost.Next() == "" || !strings.Contains(lost.Error(), "another process has taken it over") {
			t.Error(context.Cause(ctx))
		}
		if !errors.As(lock.Check(), &lost) {
			t.Error(lock.Check())
		}
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
		if data, err := os.ReadFile(dir.leasePath("mesa")); err != nil || string(data) != "somebody else's\n" {
			t.Errorf("it released somebody else's: %q, %v", data, err)
		}
		// Nobody touches that one.
		if _, err := dir.Lock(t.Context(), "mesa", "stopping"); err == nil {
			t.Error("it was taken at once")
		}
		time.Sleep(time.Minute)
		if lock, err = dir.Lock(t.Context(), "mesa", "stopping"); err != nil {
			t.Fatal(err)
		}
		lock.Release()
	})
}

// TestLeaseNotRenewed has a holder that cannot touch its lease: it gives up
// before anybody can take over, and then gives the lease back.
func TestLeaseNotRenewed(t *testing.T) {
	t.Parallel()
	if !withoutLocks() {
		return
	}
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		dir := Open(path)
		lock, err := dir.Lock(t.Context(), "mesa", "starting")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		ctx, cancel := lock.Context(t.Context())
		defer cancel()
		lock.lease.mu.Lock()
		lock.lease.file.Close()
		lock.lease.mu.Unlock()
		<-ctx.Done()
		if took := time.Since(began); took < 45*time.Second || took > 47*time.Second {
			t.Errorf("it gave up after %s", took)
		}
		var lost *LostError
		if !errors.As(context.Cause(ctx), &lost) || !strings.Contains(lost.Error(), "it was not renewed for 4") {
			t.Error(context.Cause(ctx))
		}
		var locked *LockedError
		if _, err := Open(path).Lock(t.Context(), "mesa", "stopping"); !errors.As(err, &locked) {
			t.Errorf("it was taken over at once: %v", err)
		}
		for range 2 {
			if err := lock.Release(); err != nil {
				t.Error(err)
			}
		}
		if lock, err = Open(path).Lock(t.Context(), "mesa", "stopping"); err != nil {
			t.Fatal(err)
		}
		lock.Release()
	})
}

// TestLeaseOfAKilledProcess is free at once on its own machine.
func TestLeaseOfAKilledProcess(t *testing.T) {
	t.Parallel()
	if !withoutLocks() {
		return
	}
	cmd, out := child(t, "lock", t.TempDir())
	if !out.Scan() || out.Text() != "locked" {
		t.Fatal(out.Text(), out.Err())
	}
	dir := Open(strings.TrimPrefix(cmd.Env[len(cmd.Env)-1], "ENDPOINTFS_DIR=")).On(thisBoot{"this"})
	if h, ok := dir.Holder("mesa"); !ok || h.PID != cmd.Process.Pid {
		t.Errorf("holder %+v, %v", h, ok)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if h, ok := dir.Holder("mesa"); ok {
		t.Errorf("a killed process holds it: %+v", h)
	}
	lock, err := dir.Lock(t.Context(), "mesa", "stopping")
	if err != nil {
		t.Fatal(err)
	}
	lock.Release()
}

// TestLeaseOfASuspendedProcess is taken over, and the process does not go on
// when it wakes.
func TestLeaseOfASuspendedProcess(t *testing.T) {
	t.Parallel()
	if !withoutLocks() {
		return
	}
	path := t.TempDir()
	cmd, out := child(t, "lease", path)
	if !out.Scan() || out.Text() != "locked" {
		t.Fatal(out.Text(), out.Err())
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	lock := eventually(t, brisk(path).On(thisBoot{"this"}), "mesa")
	done := deeds(t, path)
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if !out.Scan() || !strings.HasPrefix(out.Text(), "lost: ") {
		t.Errorf("it went on: %q, %v", out.Text(), out.Err())
	}
	if !out.Scan() || out.Text() != "context ended" {
		t.Errorf("its context: %q, %v", out.Text(), out.Err())
	}
	// One it had asked for before it was suspended.
	if more := deeds(t, path) - done; more > 1 {
		t.Errorf("it did %d more deeds", more)
	}
	if data, err := os.ReadFile(Open(path).leasePath("mesa")); err != nil || !strings.Contains(string(data), fmt.Sprintf(`"pid":%d,`, os.Getpid())) {
		t.Errorf("the lease is no longer the taker's: %q, %v", data, err)
	}
	if err := lock.Check(); err != nil {
		t.Log(err) // a machine that starves us for a second is no mistake
	}
}

func deeds(t *testing.T, path string) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path, "deeds"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return len(data)
}

// playLease is the part of the process that is suspended.
func playLease(t *testing.T, dir *Dir) {
	lock, err := dir.On(thisBoot{"this"}).Lock(t.Context(), "mesa", "starting")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := lock.Context(t.Context())
	defer cancel()
	os.Stdout.WriteString("locked\n")
	deeds, err := os.Create(filepath.Join(dir.Path(), "deeds"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		deeds.WriteString("x")
		time.Sleep(time.Millisecond)
		err = lock.Check()
	}
	os.Stdout.WriteString("lost: " + err.Error() + "\n")
	<-ctx.Done()
	os.Stdout.WriteString("context ended\n")
}

// TestLeaseTakenOverOnce has several take over one expired lease.
func TestLeaseTakenOverOnce(t *testing.T) {
	t.Parallel()
	if !withoutLocks() {
		return
	}
	path := t.TempDir()
	if err := makeDir(filepath.Join(path, privateDir, "locks")); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for batch := range 10 {
		wait.Go(func() {
			for round := range 5 {
				takeOver(t, path, fmt.Sprintf("mesa%d.%d", batch, round))
			}
		})
	}
	wait.Wait()
}

// takeOver is one round.
func takeOver(t *testing.T, path, name string) {
	lease := Open(path).leasePath(name)
	if err := os.WriteFile(lease, []byte("left behind\n"), 0o600); err != nil {
		t.Error(err)
		return
	}
	seen, err := readLease(lease)
	if err != nil {
		t.Error(err)
		return
	}
	const takers = 4
	var taken atomic.Int32
	var tried, wait sync.WaitGroup
	tried.Add(takers)
	for range takers {
		dir := Open(path)
		// Each has seen it for long enough.
		dir.leases.watched = map[string]watchedLease{lease: {seen, time.Now().Add(-time.Hour)}}
		wait.Go(func() {
			lock, err := dir.Lock(t.Context(), name, "testing")
			tried.Done()
			var locked *LockedError
			if errors.As(err, &locked) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			taken.Add(1)
			tried.Wait() // nobody gives it back before
			if err := lock.Check(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := lock.Release(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if taken.Load() != 1 {
		t.Errorf("%s: %d have taken it", name, taken.Load())
	}
}

// TestLeasePutBack has one who judged a lease expired come too late.
func TestLeasePutBack(t *testing.T) {
	t.Parallel()
	if !withoutLocks() {
		return
	}
	dir := Open(t.TempDir())
	lock, err := dir.Lock(t.Context(), "mesa", "starting")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	judged, err := readLease(dir.leasePath("mesa"))
	if err != nil {
		t.Fatal(err)
	}
	judged.touched = judged.touched.Add(-time.Minute)
	if gone, err := dir.removeLease(dir.leasePath("mesa"), judged); gone || err != nil {
		t.Errorf("%v, %v", gone, err)
	}
	if gone, err := dir.moveLease(dir.leasePath("mesa"), judged); gone || err != nil {
		t.Errorf("%v, %v", gone, err)
	}
	if err := lock.Check(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir.Path(), privateDir, unfinishedPrefix+"*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestLockRespectsLeases has a process with locks meet a lease: of one who sees the
// same directory through a mount that does not lock.
func TestLockRespectsLeases(t *testing.T) {
	t.Parallel()
	if withoutLocks() {
		return
	}
	path := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), "ENDPOINTFS_PLAY=lock", "ENDPOINTFS_DIR="+path, "ENDPOINTFS_WITHOUT_LOCKS=1")
	out := start(t, cmd)
	if !out.Scan() || out.Text() != "locked" {
		t.Fatal(out.Text(), out.Err())
	}
	dir := Open(path).On(thisBoot{"this"})
	var locked *LockedError
	if _, err := dir.Lock(t.Context(), "mesa", "stopping"); !errors.As(err, &locked) || locked.PID != cmd.Process.Pid || locked.Purpose != "starting" {
		t.Errorf("a lock was given beside a lease: %v", err)
	}
	if h, ok := dir.Holder("mesa"); !ok || h.PID != cmd.Process.Pid {
		t.Errorf("holder %+v, %v", h, ok)
	}
	cmd.Process.Kill()
	cmd.Wait()
	lock, err := dir.Lock(t.Context(), "mesa", "stopping")
	if err != nil {
		t.Fatal(err)
	}
	if pathExists(dir.leasePath("mesa")) {
		t.Error("the lease of the killed one is still there")
	}
	if err := lock.Check(); err != nil {
		t.Error(err)
	}
	lock.Release()
}

// TestLeaseThatIsNoFile is told, and not waited for.
func TestLeaseThatIsNoFile(t *testing.T) {
	t.Parallel()
	if !withoutLocks() {
		return
	}
	dir := Open(t.TempDir())
	if err := os.MkdirAll(dir.leasePath("mesa"), 0o700); err != nil {
		t.Fatal(err)
	}
	var format *FormatError
	if _, err := dir.Lock(t.Context(), "mesa", "starting"); !errors.As(err, &format) {
		t.Error(err)
	}
	if h, ok := dir.Holder("mesa"); ok {
		t.Errorf("%+v", h)
	}
}
