package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs"
	"chiltepin/globus/compute"
	"chiltepin/globus/next"
	"chiltepin/globus/process"
)

// TestCrash is the promise: after kill -9 the status is Disconnected at once,
// and start works at once.
func TestCrash(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	killed(t, b.start().Status.Evidence.Process.PID)
	if s := b.status(); s.State != Disconnected {
		t.Fatalf("State = %s (%s), want Disconnected", s.State, s.Reason)
	}
	r := b.start()
	if r.Outcome != Started {
		t.Errorf("Outcome = %s, want started", r.Outcome)
	}
	killed(t, r.Status.Evidence.Process.PID)
	stop, err := b.Stop(t.Context(), "mesa", StopOptions{})
	if err != nil || stop.Outcome != NotRunning || stop.Status.State != Stopped {
		t.Errorf("Stop after a crash = %+v, %v; want not_running and Stopped", stop, err)
	}
	if b.has("daemon.pid") {
		t.Error("daemon.pid is still there")
	}
}

// A stranger whose process id stands in daemon.pid survives everything, however
// its own command line looks.
func TestStranger(t *testing.T) {
	t.Parallel()
	title := func(id, name string) string { return fmt.Sprintf("Globus Compute Endpoint *(%s, %s) [x]", id, name) }
	for _, row := range []struct {
		name  string
		argv  []string
		doubt bool
	}{
		{"another program", []string{"sleep", "1000"}, false},
		{"the endpoint of another directory", []string{title(testID, "mesa")}, true},
		{"another endpoint", []string{title("11111111-1111-1111-1111-111111111111", "mesa")}, false},
		{"a starting daemon of another directory", []string{"/usr/bin/python3", "/opt/bin/globus-compute-endpoint", "start", "mesa"}, false},
		{"an editor", []string{"vi", "globus-compute-endpoint", "start"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, script{})
			p := stranger(t, row.argv...)
			b.file("endpoint.json", `{"endpoint_id": "`+testID+`"}`)
			rounds := 100
			if testing.Short() {
				rounds = 5
			}
			for range rounds {
				for _, age := range []time.Duration{time.Second, time.Hour} {
					b.file("daemon.pid", fmt.Sprintf("%d\n", p.Pid))
					at := time.Now().Add(-age)
					if err := os.Chtimes(filepath.Join(b.ep.Path(), "daemon.pid"), at, at); err != nil {
						t.Fatal(err)
					}
					// Where there is no doubt it waits to see whether another
					// machine touches the file; that is not awaited here.
					limit := 20 * time.Millisecond
					if row.doubt {
						limit = 5 * time.Minute
					}
					ctx, cancel := context.WithTimeout(t.Context(), limit)
					_, err := b.Stop(ctx, "mesa", StopOptions{Now: true})
					var doubt *DoubtError
					if row.doubt != errors.As(err, &doubt) {
						t.Fatalf("Stop: %v, doubt wanted: %v", err, row.doubt)
					}
					cancel()
					if _, err := b.Status(t.Context(), "mesa", StatusOptions{}); err != nil {
						t.Fatal(err)
					}
				}
			}
			if !alive(p.Pid) {
				t.Fatal("the stranger was killed")
			}
		})
	}
}

// The pid of the daemon has come round again, to a stranger.
func TestReusedPID(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	r := b.start()
	killed(t, r.Status.Evidence.Process.PID)
	p := stranger(t, "sleep", "1000")
	record := *r.Status.Evidence.Record
	record.PID = p.Pid
	if err := b.ep.WriteLaunchRecord(record); err != nil {
		t.Fatal(err)
	}
	b.file("daemon.pid", fmt.Sprintf("%d\n", p.Pid))
	if s := b.status(); s.State != Disconnected {
		t.Errorf("State = %s (%s), want Disconnected", s.State, s.Reason)
	}
	if stop, err := b.Stop(t.Context(), "mesa", StopOptions{Now: true}); err != nil || stop.Outcome != NotRunning {
		t.Errorf("Stop = %+v, %v; want not_running", stop, err)
	}
	if !alive(p.Pid) {
		t.Error("the stranger was killed")
	}
}

func TestStopIgnored(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{IgnoreTERM: true})
	pid := b.start().Status.Evidence.Process.PID
	_, err := b.Stop(t.Context(), "mesa", StopOptions{Timeout: 300 * time.Millisecond})
	var late *TimeoutError
	if !errors.As(err, &late) || !alive(pid) {
		t.Fatalf("Stop: %v (alive: %v), want a timeout and nothing killed", err, alive(pid))
	}
	r, err := b.Stop(t.Context(), "mesa", StopOptions{Now: true, Grace: 100 * time.Millisecond})
	if err != nil || r.Signal != "SIGKILL" || r.Outcome != WasStopped || r.Status.State != Stopped || alive(pid) {
		t.Errorf("Stop now = %+v, %v; want it killed", r, err)
	}
}

// A daemon that has shut down and hangs, as the real one does when the broker
// does not answer, is left alone as well, but it is said that it has shut down.
func TestStopHangs(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Hangs: true})
	pid := b.start().Status.Evidence.Process.PID
	_, err := b.Stop(t.Context(), "mesa", StopOptions{Timeout: 500 * time.Millisecond})
	var late *TimeoutError
	if !errors.As(err, &late) || !strings.Contains(late.Known, "has logged the end of its work, but its process hangs") || !alive(pid) {
		t.Errorf("Stop: %v (alive: %v)", err, alive(pid))
	}
}

func TestStopSuspended(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	pid := b.start().Status.Evidence.Process.PID
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for !b.status().Evidence.Process.Suspended {
		time.Sleep(time.Millisecond)
	}
	if s := b.status(); s.State != Running || !strings.Contains(s.Reason, "suspended") {
		t.Errorf("State = %s (%s), want Running and suspended", s.State, s.Reason)
	}
	if r := b.start(); r.Outcome != AlreadyRunning || r.Status.Evidence.Process.Suspended {
		t.Errorf("Start = %s, %+v, want it to go on", r.Outcome, r.Status.Evidence.Process)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if r, err := b.Stop(t.Context(), "mesa", StopOptions{}); err != nil || r.Signal != "SIGTERM" || alive(pid) {
		t.Errorf("Stop = %+v, %v, want it to end in an orderly way", r, err)
	}
}

// One that is shutting down already is waited for, and start waits too.
func TestStopEnding(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Dying: 300 * time.Millisecond})
	pid := b.start().Status.Evidence.Process.PID
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	b.state(Stopping)
	r := b.start()
	if r.Outcome != Started || r.Status.Evidence.Process.PID == pid {
		t.Errorf("Start = %s; want a new daemon", r.Outcome)
	}
}

func TestStopWhileLaunching(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Hang: "launch"})
	_, err := b.Start(t.Context(), "mesa", StartOptions{Timeout: 100 * time.Millisecond})
	var late *TimeoutError
	if !errors.As(err, &late) {
		t.Fatal(err)
	}
	pid := b.state(Starting).Evidence.Process.PID
	if _, err := b.Stop(t.Context(), "mesa", StopOptions{Timeout: 100 * time.Millisecond}); !errors.As(err, &late) || !alive(pid) {
		t.Fatalf("Stop: %v, want a timeout that leaves it alone", err)
	}
	if r, err := b.Stop(t.Context(), "mesa", StopOptions{Now: true}); err != nil || r.Outcome != WasStopped || alive(pid) {
		t.Errorf("Stop now = %+v, %v", r, err)
	}
}

// fakeService says what the test tells it to.
type fakeService struct {
	mu          sync.Mutex
	outstanding map[string]int
	deleted     []string
	err         error
}

func (f *fakeService) Status(_ context.Context, id string) (compute.Availability, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.outstanding[id]
	if !ok {
		return compute.Availability{}, errors.New("no such endpoint")
	}
	return compute.Availability{Online: true, Word: "online", Details: json.RawMessage(fmt.Sprintf(`{"outstanding_tasks": %d}`, n))}, nil
}

func (f *fakeService) Delete(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.deleted = append(f.deleted, id)
	}
	return f.err
}

func (f *fakeService) set(id string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.outstanding[id] = n
}

func (b *bed) serve(f *fakeService) {
	b.Service = func(context.Context) (Service, error) { return f, nil }
}

const testUser = "7b0f7a52-12f4-4a83-9a7e-6a4c6ee0e1d4"

func (b *bed) userDir() string {
	b.t.Helper()
	dir := filepath.Join(b.dir, "uep."+testID+"."+testUser)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.t.Fatal(err)
	}
	return dir
}

func TestStopWaitsForTasks(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Users: []string{testUser}})
	f := &fakeService{outstanding: map[string]int{testUser: 3, testID: 0}}
	b.serve(f)
	worker := filepath.Join(b.userDir(), "Engine-HighThroughputExecutor", "block-0", "3d57be9154e1", "worker_0.log")
	if err := os.MkdirAll(filepath.Dir(worker), 0o700); err != nil {
		t.Fatal(err)
	}
	pid := b.start().Status.Evidence.Process.PID
	for len(b.status().UserEndpoints) == 0 || b.status().UserEndpoints[0].State != Running {
		time.Sleep(5 * time.Millisecond)
	}
	if u := b.status().UserEndpoints[0]; u.ID != testUser || u.Outstanding != 3 || u.Why != "its last heartbeat" {
		t.Errorf("UserEndpoints = %+v, want 3 tasks", u)
	}
	_, err := b.Stop(t.Context(), "mesa", StopOptions{Timeout: 100 * time.Millisecond})
	var late *TimeoutError
	if !errors.As(err, &late) || late.Outstanding != 3 || !alive(pid) {
		t.Fatalf("Stop: %v, want a timeout with 3 tasks, and nothing stopped", err)
	}
	// Its report of no tasks is not believed so soon after it began, but that a
	// worker has nothing to do is.
	time.AfterFunc(200*time.Millisecond, func() {
		f.set(testUser, 0)
		line := fmt.Sprintf("%d.250000 2026-11-23 12:00:00 HTEX-Worker-0-1 MainThread-1 parsl:821 worker INFO: All processing finished for executor task 1\n", time.Now().Unix())
		if err := os.WriteFile(worker, []byte(line), 0o600); err != nil {
			t.Error(err)
		}
	})
	began := time.Now()
	r, err := b.Stop(t.Context(), "mesa", StopOptions{})
	if err != nil || r.Outcome != WasStopped || alive(pid) {
		t.Errorf("Stop = %+v, %v; want it stopped when the tasks are done", r, err)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("Stop took %s", took)
	}
}

func TestStopNowLosesTasks(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Users: []string{testUser}, IgnoreTERM: true})
	b.Environ = append(b.Environ, "FAKE_STUBBORN=1")
	b.serve(&fakeService{outstanding: map[string]int{testUser: 3}})
	b.userDir()
	b.start()
	var user UserEndpoint
	for user.PID == 0 {
		if all := b.status().UserEndpoints; len(all) > 0 {
			user = all[0]
		}
	}
	r, err := b.Stop(t.Context(), "mesa", StopOptions{Now: true, Grace: 100 * time.Millisecond})
	if err != nil || r.Lost != 3 || r.Signal != "SIGKILL" || alive(user.PID) {
		t.Errorf("Stop now = %+v, %v (user endpoint alive: %v)", r, err, alive(user.PID))
	}
}

func TestElsewhere(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	b.file("endpoint.json", `{"endpoint_id": "`+testID+`"}`)
	p := stranger(t, "sleep", "1000")
	if err := b.ep.WriteLaunchRecord(endpointfs.LaunchRecord{Host: "login2", BootID: "other", PID: p.Pid, StartTime: 5}); err != nil {
		t.Fatal(err)
	}
	b.file("daemon.pid", fmt.Sprintf("%d\n", p.Pid))
	if s := b.status(); s.State != Running || s.Host != "login2" {
		t.Errorf("Status = %s on %q (%s), want Running on login2", s.State, s.Host, s.Reason)
	}
	b.touching()
	var there *ElsewhereError
	wantNext := []next.Step{{Operation: next.EndpointStop, Args: next.Args{"name": "mesa"}, Host: "login2"}}
	if _, err := b.Start(t.Context(), "mesa", StartOptions{}); !errors.As(err, &there) || !cmp.Equal(there.Next(), wantNext) {
		t.Errorf("Start: %v (%v), want it refused with the step %v", err, there.Next(), wantNext)
	}
	var late *TimeoutError
	if _, err := b.Stop(t.Context(), "mesa", StopOptions{Now: true, Timeout: 10 * time.Second}); !errors.As(err, &late) {
		t.Errorf("Stop: %v, want it to say that it takes longer", err)
	}
	// Its user endpoint may have tasks.
	b.userDir()
	if _, err := b.Stop(t.Context(), "mesa", StopOptions{}); !errors.As(err, &there) || !strings.Contains(err.Error(), testUser) {
		t.Errorf("Stop: %v, want it refused for the tasks", err)
	}
	if _, err := b.Delete(t.Context(), "mesa", DeleteOptions{Force: true, LocalOnly: true}); !errors.As(err, &there) {
		t.Errorf("Delete: %v, want it refused", err)
	}
	if !alive(p.Pid) || !b.has("daemon.pid") {
		t.Error("something was touched")
	}
}

// A daemon on another machine misses its file, ends and says so in its log; one
// that does not gets its file back.
func TestStopElsewhere(t *testing.T) {
	t.Parallel()
	for _, ends := range []bool{true, false} {
		t.Run(fmt.Sprint(ends), func(t *testing.T) {
			t.Parallel()
			b := newBed(t, script{})
			b.file("endpoint.json", `{"endpoint_id": "`+testID+`"}`)
			if err := b.ep.WriteLaunchRecord(endpointfs.LaunchRecord{Host: "login2", BootID: "other", PID: 4194000, StartTime: 5}); err != nil {
				t.Fatal(err)
			}
			b.file("daemon.pid", "4194000\n")
			b.touching()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				for b.has("daemon.pid") {
					time.Sleep(10 * time.Millisecond)
				}
				if ends {
					fakeLog(b.ep.Path(), "INFO Shutdown complete.\n---------- Core Endpoint ends: "+testID+"\n\n")
				} else {
					cancel()
				}
			}()
			r, err := b.Stop(ctx, "mesa", StopOptions{})
			if ends && (err != nil || r.Outcome != WasStopped || r.Status.State != Stopped || !strings.Contains(r.Status.Reason, "login2")) {
				t.Errorf("Stop = %+v, %v", r, err)
			}
			var cut *InterruptedError
			if !ends && (!errors.As(err, &cut) || !b.has("daemon.pid")) {
				t.Errorf("Stop: %v, want it interrupted and the file put back", err)
			}
			names, err := filepath.Glob(filepath.Join(b.ep.Path(), ".daemon.pid*"))
			if err != nil || len(names) != 0 {
				t.Errorf("%q were left", names)
			}
		})
	}
}

// touching touches daemon.pid often, as long as it is there.
func (b *bed) touching() {
	ctx := b.t.Context()
	go func() {
		for ctx.Err() == nil {
			_ = os.Chtimes(filepath.Join(b.ep.Path(), "daemon.pid"), time.Time{}, time.Now())
			time.Sleep(50 * time.Millisecond)
		}
	}()
}

// On a directory that other machines may share, a fresh pid file is watched.
func TestWatchTouched(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	b.Procs = process.System{} // an assumed machine owns no disk
	b.file("endpoint.json", `{"endpoint_id": "`+testID+`"}`)
	b.file("daemon.pid", "4194000\n")
	if s := b.status(); s.State != Unknown {
		t.Errorf("State = %s (%s), want Unknown", s.State, s.Reason)
	}
	path := filepath.Join(b.ep.Path(), "daemon.pid")
	time.AfterFunc(300*time.Millisecond, func() { os.Chtimes(path, time.Time{}, time.Now()) })
	s, err := b.Status(t.Context(), "mesa", StatusOptions{Watch: true})
	if err != nil || s.State != Running || !s.Evidence.Watch.Touched {
		t.Errorf("Status = %s (%s), %v; want Running elsewhere", s.State, s.Reason, err)
	}
	time.AfterFunc(300*time.Millisecond, func() { os.Chtimes(path, time.Time{}, time.Now()) })
	var there *ElsewhereError
	if _, err := b.Start(t.Context(), "mesa", StartOptions{}); !errors.As(err, &there) {
		t.Errorf("Start: %v, want it refused", err)
	}
}

// The daemon was started by hand: no record. On a disk of this machine its end
// is known at once.
func TestStartedByHand(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	pid := b.start().Status.Evidence.Process.PID
	if err := b.ep.RemoveLaunchRecord(); err != nil {
		t.Fatal(err)
	}
	if s := b.status(); s.State != Running || s.Evidence.Process.PID != pid || s.Evidence.Record != nil {
		t.Fatalf("Status = %s (%s), want Running without a record", s.State, s.Reason)
	}
	if b.has("chiltepin.json") {
		t.Error("status has written a record")
	}
	if r := b.start(); r.Outcome != AlreadyRunning || r.Status.Evidence.Record == nil || r.Status.Evidence.Record.PID != pid {
		t.Errorf("Start = %s, %+v; want it noted", r.Outcome, r.Status.Evidence.Record)
	}
	if err := b.ep.RemoveLaunchRecord(); err != nil {
		t.Fatal(err)
	}
	killed(t, pid)
	s := b.status()
	if (process.SoleUserOfDisks() && process.OnLocalDisk(b.dir)) != (s.State == Disconnected) {
		t.Errorf("State = %s (%s) although a disk of this machine: %v", s.State, s.Reason, (process.SoleUserOfDisks() && process.OnLocalDisk(b.dir)))
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	lock, err := b.ep.Lock(t.Context(), "starting")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if s := b.status(); s.State != Starting {
		t.Errorf("State = %s, want Starting", s.State)
	}
	var busy *BusyError
	if _, err := b.Stop(t.Context(), "mesa", StopOptions{Timeout: 100 * time.Millisecond}); !errors.As(err, &busy) || busy.Purpose != "starting" || busy.PID != os.Getpid() {
		t.Errorf("Stop: %v, want it busy", err)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	first := b.start().Status.Evidence.Process.PID
	r, err := b.Restart(t.Context(), "mesa", StopOptions{})
	if err != nil || r.Stop.Outcome != WasStopped || r.Start.Outcome != Started || alive(first) {
		t.Errorf("Restart = %+v, %v", r, err)
	}
	// What cannot start again is not stopped.
	b.file("config.yaml", "engine: [")
	second := b.status().Evidence.Process.PID
	var check *CheckError
	if _, err := b.Restart(t.Context(), "mesa", StopOptions{}); !errors.As(err, &check) || !alive(second) {
		t.Errorf("Restart: %v (alive: %v), want it refused", err, alive(second))
	}
}
