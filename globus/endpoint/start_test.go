package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
	"chiltepin/globus/process"
	"chiltepin/globus/progress"
	"chiltepin/globus/runtime"
)

func exit(n int) *int { return &n }

func TestStartStop(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	if s := b.status(); s.State != Initialized {
		t.Errorf("before: %s, want Initialized", s.State)
	}
	r := b.start()
	if r.Outcome != Started || r.Status.State != Running || r.Status.ID != testID {
		t.Errorf("Start = %s, %s, %q; want started, Running, %s", r.Outcome, r.Status.State, r.Status.ID, testID)
	}
	p := r.Status.Evidence.Process
	if !p.Proven || p.Phase != Up || p.PID != r.Status.Evidence.PIDFile.PID {
		t.Errorf("Process = %+v, want the one in daemon.pid, proven and up", p)
	}
	if got := r.Status.Evidence.Record; got == nil || got.PID != p.PID || got.StartTime != p.StartTime || got.ID != testID || got.ChiltepinVersion != "test" {
		t.Errorf("Record = %+v, want the process and its id", got)
	}
	if m := r.Status.Evidence.Log; m == nil || m.Kind != log.Begins {
		t.Errorf("Log = %+v, want a beginning", m)
	}
	again := b.start()
	if again.Outcome != AlreadyRunning || again.Status.Evidence.Process.PID != p.PID {
		t.Errorf("second Start = %s, process %d; want already_running, %d", again.Outcome, again.Status.Evidence.Process.PID, p.PID)
	}
	stop, err := b.Stop(t.Context(), "mesa", StopOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if stop.Outcome != WasStopped || stop.Status.State != Stopped || stop.Signal != "SIGTERM" || alive(p.PID) {
		t.Errorf("Stop = %+v", stop)
	}
	if b.has("daemon.pid") || b.has("chiltepin.json") {
		t.Error("stop left daemon.pid or chiltepin.json")
	}
	stop, err = b.Stop(t.Context(), "mesa", StopOptions{})
	if err != nil || stop.Outcome != NotRunning {
		t.Errorf("second Stop = %+v, %v; want not_running", stop, err)
	}
}

func TestStartOldMarker(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Old: true})
	if r := b.start(); r.Status.State != Running {
		t.Errorf("State = %s, want Running", r.Status.State)
	}
}

// A daemon that does not log at DEBUG is given time to find out whom it serves.
func TestStartQuiet(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Quiet: true})
	r := b.start()
	if took := r.Proven.Sub(r.Launched); took < identityGrace {
		t.Errorf("proven after %s, want %s at least", took, identityGrace)
	}
}

func TestStartDaemonEnds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		script  script
		want    DaemonError
		message string
	}{
		{"silent", script{Exit: exit(73), At: "launch"},
			DaemonError{Name: "mesa", ExitStatus: 73, Meaning: "daemon.pid says that another daemon of this endpoint runs"},
			`starting endpoint "mesa": the daemon ended with exit status 73 (daemon.pid says that another daemon of this endpoint runs)`},
		{"blocked", script{Exit: exit(69), At: "launch", Print: "Endpoint registration blocked.  [{\"code\": \"LOCKED\"}]\n"},
			DaemonError{Name: "mesa", ExitStatus: 69, Meaning: "the service refused to register the endpoint",
				Cause:     "the service has locked the endpoint, as it does after a remote stop",
				NextSteps: []next.Step{next.Do("wait a few minutes and try again")},
				Lines:     []string{`Endpoint registration blocked.  [{"code": "LOCKED"}]`}},
			`starting endpoint "mesa": the daemon ended with exit status 69 (the service refused to register the endpoint): the service has locked the endpoint, as it does after a remote stop`},
		{"after its pid file", script{Exit: exit(70), At: "pid file"},
			DaemonError{Name: "mesa", ExitStatus: 70, Meaning: "the service's answer did not fit the endpoint"},
			`starting endpoint "mesa": the daemon ended with exit status 70 (the service's answer did not fit the endpoint)`},
		{"unknown identity", script{Exit: exit(0), At: "marker"},
			DaemonError{Name: "mesa", ExitStatus: 0, Meaning: "it ended in an orderly way, without serving",
				Cause:     "the login works for the service but Globus Auth did not say who it is",
				NextSteps: []next.Step{next.Call(next.Login, next.Args{"force": true}, "get a new login")}},
			`starting endpoint "mesa": the daemon ended with exit status 0 (it ended in an orderly way, without serving): the login works for the service but Globus Auth did not say who it is`},
		{"unknown identity, quiet", script{Exit: exit(0), At: "marker", Quiet: true},
			DaemonError{Name: "mesa", ExitStatus: 0, Meaning: "it ended in an orderly way, without serving",
				Cause:     "the login works for the service but Globus Auth did not say who it is",
				NextSteps: []next.Step{next.Call(next.Login, next.Args{"force": true}, "get a new login")}},
			`starting endpoint "mesa": the daemon ended with exit status 0 (it ended in an orderly way, without serving): the login works for the service but Globus Auth did not say who it is`},
		{"warnings alone do not matter", script{Exit: exit(1), At: "launch", Log: "WARNING something odd"},
			DaemonError{Name: "mesa", ExitStatus: 1, Meaning: "it reported an error"},
			`starting endpoint "mesa": the daemon ended with exit status 1 (it reported an error)`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, row.script)
			_, err := b.Start(t.Context(), "mesa", StartOptions{})
			var got *DaemonError
			if !errors.As(err, &got) {
				t.Fatalf("Start: %v, want a DaemonError", err)
			}
			if err.Error() != row.message {
				t.Errorf("message %q\nwant    %q", err, row.message)
			}
			lines := got.Lines
			want := row.want
			if want.Lines == nil {
				got.Lines = nil
			}
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Error(diff)
			}
			if row.script.Log != "" && !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "something odd") }) {
				t.Errorf("Lines = %q, want the log's", lines)
			}
			b.play(script{})
			b.start()
		})
	}
}

// What an earlier daemon has logged is not taken for the words of this one.
func TestStartLinesSinceLaunch(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Exit: exit(1), At: "launch", Log: "ERROR new trouble"})
	b.file("endpoint.log", "2026-01-01 00:00:00,000000 ERROR old trouble Failed to determine identity set\n========== Core Endpoint begins: "+testID+"\n")
	_, err := b.Start(t.Context(), "mesa", StartOptions{})
	var got *DaemonError
	if !errors.As(err, &got) || got.Cause != "" || len(got.Lines) != 1 || !strings.HasSuffix(got.Lines[0], "new trouble") {
		t.Errorf("Start: %#v, want only the new trouble", got)
	}
}

func TestStartTimeoutAndJoin(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Gate: true})
	_, err := b.Start(t.Context(), "mesa", StartOptions{Timeout: 2 * time.Second})
	var late *TimeoutError
	if !errors.As(err, &late) || !strings.Contains(late.Known, "is left alone") {
		t.Fatalf("Start: %v, want a timeout that leaves the daemon alone", err)
	}
	s := b.status()
	if s.State != Starting || !s.Evidence.Process.Proven {
		t.Fatalf("State = %s (%s), want Starting and proven", s.State, s.Reason)
	}
	// It comes up when the second start waits for it.
	waits := progress.With(t.Context(), func(e progress.Event) {
		if e.Stage == "waiting" {
			b.file("gate", "")
		}
	})
	r, err := b.Start(waits, "mesa", StartOptions{Timeout: 5 * time.Minute})
	if err != nil || r.Outcome != Started || r.Status.Evidence.Process.PID != s.Evidence.Process.PID {
		t.Errorf("Start = %s, process %d; want the one that was left, %d", r.Outcome, r.Status.Evidence.Process.PID, s.Evidence.Process.PID)
	}
}

func TestStartInterrupted(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Gate: true})
	ctx, cancel := context.WithCancel(progress.With(t.Context(), func(progress.Event) {}))
	go func() {
		for !b.has("chiltepin.json") {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
	}()
	_, err := b.Start(ctx, "mesa", StartOptions{})
	var broken *InterruptedError
	if !errors.As(err, &broken) || !errors.Is(err, context.Canceled) {
		t.Fatalf("Start: %v, want an InterruptedError", err)
	}
	b.file("gate", "")
	if r := b.start(); r.Status.State != Running {
		t.Errorf("State = %s, want the daemon that was left to run", r.Status.State)
	}
}

// TestStartConcurrently has many callers at once: one daemon, and the truth for
// everybody.
func TestStartConcurrently(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{Delay: 50 * time.Millisecond})
	var wg sync.WaitGroup
	results := make([]StartResult, 8)
	errs := make([]error, len(results))
	for i := range results {
		wg.Go(func() { results[i], errs[i] = b.Start(t.Context(), "mesa", StartOptions{Timeout: 5 * time.Minute}) })
	}
	wg.Wait()
	started := 0
	for i, r := range results {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if r.Outcome == Started {
			started++
		}
		if r.Status.Evidence.Process.PID != results[0].Status.Evidence.Process.PID {
			t.Error("two daemons")
		}
	}
	if started != 1 {
		t.Errorf("%d callers started it, want 1", started)
	}
}

func TestStartRefusals(t *testing.T) {
	t.Parallel()
	noLogin := errors.New("not logged in")
	for _, row := range []struct {
		name   string
		change func(*bed)
		want   string
	}{
		{"login", func(b *bed) { b.Service = func(context.Context) (Service, error) { return nil, noLogin } },
			`starting endpoint "mesa": not logged in`},
		{"runtime", func(b *bed) {
			b.Runtime = func(context.Context) (runtime.Runtime, error) { return runtime.Runtime{}, errors.New("no runtime") }
		}, `starting endpoint "mesa": no runtime`},
		{"environment", func(b *bed) {
			b.ChildEnv = func(context.Context) ([]string, error) { return nil, noLogin }
		}, `starting endpoint "mesa": not logged in`},
		{"root without an address", func(b *bed) { b.Privileged = func() bool { return true } },
			`starting endpoint "mesa": as root the daemon demands a contact address, and config.yaml has none`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, script{})
			row.change(b)
			_, err := b.Start(t.Context(), "mesa", StartOptions{})
			if err == nil || err.Error() != row.want {
				t.Errorf("Start: %v\nwant %s", err, row.want)
			}
			if b.has("chiltepin.out") {
				t.Error("something was launched")
			}
		})
	}
	t.Run("path of user endpoints", func(t *testing.T) {
		t.Parallel()
		b := newBed(t, script{})
		b.file("user_environment.yaml", "PATH: /nowhere:/usr/bin\n")
		_, err := b.Start(t.Context(), "mesa", StartOptions{})
		var check *CheckError
		if !errors.As(err, &check) || !strings.Contains(err.Error(), "does not lead to globus-compute-endpoint") || !strings.HasSuffix(check.Next()[0].Why, "first in PATH there") {
			t.Errorf("Start: %v", err)
		}
		if b.has("chiltepin.out") {
			t.Error("something was launched")
		}
	})
	t.Run("an address that an old release does not take", func(t *testing.T) {
		t.Parallel()
		b := newBed(t, script{})
		b.file("config.yaml", "email: you@example.org\n")
		find := b.Runtime
		b.Runtime = func(ctx context.Context) (runtime.Runtime, error) {
			rt, err := find(ctx)
			rt.Version = "4.15.0"
			return rt, err
		}
		_, err := b.Start(t.Context(), "mesa", StartOptions{})
		var check *CheckError
		if !errors.As(err, &check) || !strings.Contains(err.Error(), "email") {
			t.Errorf("Start: %v", err)
		}
	})
	t.Run("configuration", func(t *testing.T) {
		t.Parallel()
		b := newBed(t, script{})
		b.file("config.yaml", "display_name: [\n")
		_, err := b.Start(t.Context(), "mesa", StartOptions{})
		var check *CheckError
		var format *endpointfs.FormatError
		if !errors.As(err, &check) || !errors.As(err, &format) {
			t.Errorf("Start: %v, want a CheckError with a FormatError", err)
		}
	})
}

// fakeStarter starts an endpoint and ends, as a command does. Its
// configuration directory is in DIR, and the manager's environment in SCRIPT.
func fakeStarter() int {
	var environ []string
	if err := json.Unmarshal([]byte(os.Getenv("SCRIPT")), &environ); err != nil {
		panic(err)
	}
	bin := os.Getenv("BIN")
	m := &Manager{
		Dir: endpointfs.Open(os.Getenv("DIR")),
		Runtime: func(context.Context) (runtime.Runtime, error) {
			return runtime.Runtime{Path: filepath.Join(bin, daemon.Program), Bin: bin}, nil
		},
		Environ:    environ,
		Privileged: func() bool { return false },
	}
	if _, err := m.Start(context.Background(), "mesa", StartOptions{}); err != nil {
		println(err.Error())
		return 1
	}
	return 0
}

// The daemon outlives whoever started it, and holds nothing of theirs open.
func TestStartOutlivesStarter(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	environ, _ := json.Marshal(b.Environ)
	rt, _ := b.Runtime(t.Context())
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = []string{"FAKE=starter", "SCRIPT=" + string(environ), "DIR=" + b.dir, "BIN=" + rt.Bin}
	// A descriptor that the starter was born with and that somebody waits on.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{w}
	if out, err := cmd.CombinedOutput(); err != nil { // waits until nobody has its output open
		t.Fatalf("%v: %s", err, out)
	}
	w.Close()
	r.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the daemon holds a descriptor of its starter open: %v", err)
	}
	s := b.status()
	if s.State != Running {
		t.Fatalf("State = %s (%s), want Running", s.State, s.Reason)
	}
	p, _, err := (process.System{}).Lookup(s.Evidence.Process.PID)
	if err != nil || p.Session != p.PID {
		t.Errorf("session %d of process %d, want its own (%v)", p.Session, p.PID, err)
	}
}
