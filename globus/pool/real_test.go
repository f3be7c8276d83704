package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/compute"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/next"
	"chiltepin/globus/pool"
	"chiltepin/globus/progress"
	"chiltepin/globus/runtime"
	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

// world is the real daemon with one endpoint, mesa, in a sandbox.
type world struct {
	*pool.Manager
	t        *testing.T
	box      *sandboxtest.Box
	home, id string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	py := runtimetest.Env(t, runtimetest.Newest)
	w := &world{t: t, box: sandboxtest.Start(t), home: t.TempDir()}
	dir := filepath.Join(w.home, "gc")
	env := w.box.ChildEnv(append(w.box.ClientCredentials(), "PATH="+py.Path(), "HOME="+w.home)...)
	getenv := func(name string) string {
		value := ""
		for _, v := range env {
			if rest, ok := strings.CutPrefix(v, name+"="); ok {
				value = rest
			}
		}
		return value
	}
	place, err := globus.NewEnvironment(getenv)
	if err != nil {
		t.Fatal(err)
	}
	accounts, err := auth.New(auth.Config{Env: place, Home: w.home, ComputeDir: dir, Getenv: getenv, Hostname: "test"})
	if err != nil {
		t.Fatal(err)
	}
	find := func(ctx context.Context) (runtime.Runtime, error) { return runtime.Finder{Explicit: py.Dir}.Find(ctx) }
	service := func(ctx context.Context) (*compute.Client, error) {
		client, err := accounts.Authorized(ctx, auth.Compute)
		if err != nil {
			return nil, err
		}
		return &compute.Client{HTTP: client, BaseURL: place.ComputeURL}, nil
	}
	w.Manager = &pool.Manager{Service: service, Runtime: find, Environ: env, Endpoints: &endpoint.Manager{
		Dir: endpointfs.Open(dir), Environ: env, Version: "test", Runtime: find,
		Service:  func(ctx context.Context) (endpoint.Service, error) { return service(ctx) },
		ChildEnv: func(context.Context) ([]string, error) { return accounts.DaemonEnv() },
	}}
	if _, err := accounts.Login(t.Context(), auth.LoginOptions{Services: []string{auth.Compute}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Endpoints.Configure(t.Context(), "mesa", endpoint.ConfigureOptions{Email: "root@localhost"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.end)
	return w
}

// end leaves no daemon behind.
func (w *world) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if _, err := w.Endpoints.Stop(ctx, "mesa", endpoint.StopOptions{Now: true, Grace: 2 * time.Minute}); err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Errorf("stopping at the end: %v", err)
	}
	if w.t.Failed() {
		log, _ := os.ReadFile(filepath.Join(w.Endpoints.Dir.Path(), "mesa", "endpoint.log"))
		w.t.Logf("the daemon wrote:\n%s", log[max(0, len(log)-8000):])
	}
}

func (w *world) start() {
	w.t.Helper()
	r, err := w.Endpoints.Start(w.t.Context(), "mesa", endpoint.StartOptions{Timeout: 15 * time.Minute})
	if err != nil {
		w.t.Fatal(err)
	}
	w.id = r.Status.ID
}

// file is a configuration with the pool gpu of these options, a line each.
func (w *world) file(options ...string) []byte {
	return fmt.Appendf(nil, "gpu:\n  endpoint: %q\n  %s\n", w.id, strings.Join(options, "\n  "))
}

// probe probes and holds it to leaving nothing behind.
func (w *world) probe(ctx context.Context, timeout time.Duration, options ...string) (pool.Probe, error) {
	w.t.Helper()
	if timeout == 0 {
		timeout = 15 * time.Minute
	}
	p, err := w.Probe(ctx, "pools.yaml", w.file(options...), "gpu", pool.ProbeOptions{Timeout: timeout})
	w.nothingLeft(p)
	return p, err
}

func (w *world) nothingLeft(p pool.Probe) {
	w.t.Helper()
	if left, _ := filepath.Glob(filepath.Join(w.Endpoints.Dir.Path(), "uep.*")); len(left) > 0 || len(p.Left) > 0 {
		w.t.Errorf("left behind: %v, %v", left, p.Left)
	}
	st, err := w.Endpoints.Status(w.t.Context(), "mesa", endpoint.StatusOptions{Offline: true})
	if err != nil || len(st.UserEndpoints) > 0 {
		w.t.Errorf("left behind: %+v, %v", st.UserEndpoints, err)
	}
	made, gone := len(w.box.Requests("POST", "/v3/functions")), len(w.box.Requests("DELETE", "/v2/functions/*"))
	if made != gone {
		w.t.Errorf("%d functions were registered, %d deleted", made, gone)
	}
}

func reached(p pool.Probe) string {
	var words []string
	for _, r := range p.Reached {
		words = append(words, string(r.Stage))
	}
	return strings.Join(words, " ")
}

const every = "accepted commanded started submitted running connected returned"

// TestProbe proves pools with the real daemon, has every stage fail in its own
// way, and wants each explained and nothing left behind.
func TestProbe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	if _, err := w.Endpoints.Stop(t.Context(), "mesa", endpoint.StopOptions{Now: true}); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()

	t.Run("EndpointStopped", func(t *testing.T) {
		p, err := w.probe(ctx, 0, "provider: localhost")
		stopped(t, p, err, pool.Accepted, "", "endpoint mesa is Stopped", "endpoint.start map[name:mesa]")
	})
	w.start()
	w.box.Await(5*time.Minute, "the endpoint online", func(e sandbox.Entry) bool { return e.IsEvent("online", w.id) })

	// The two pools of the documentation, on the endpoint's own host.
	t.Run("Works", func(t *testing.T) {
		var stages []string
		watched := progress.With(ctx, func(e progress.Event) { stages = append(stages, e.Stage) })
		p, err := w.probe(watched, 0, "provider: localhost", "cores_per_node: 1", "nodes_per_block: 1", "environment:", "  - cd "+w.home)
		if err != nil || p.Failure != nil || reached(p) != every || p.Worker.Python == "" || p.UserEndpoint == "" {
			t.Fatalf("%+v, %v", p, err)
		}
		if got := slices.Compact(stages); len(got) < 5 || got[0] != "accepted" {
			t.Errorf("progress told of %v", got)
		}
	})
	t.Run("WorksMPI", func(t *testing.T) {
		nodes := filepath.Join(w.home, "nodes")
		if err := os.WriteFile(nodes, []byte("one\ntwo\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := w.probe(ctx, 0, "mpi: True", "max_mpi_apps: 2", "provider: localhost", "environment:", "  - export PBS_NODEFILE="+nodes)
		if err != nil || p.Failure != nil || reached(p) != every {
			t.Fatalf("%+v, %v", p, err)
		}
	})

	t.Run("ServiceRefuses", func(t *testing.T) {
		w.box.Order(sandbox.Fault{Method: "POST", Path: "/v3/endpoints/*/submit", Status: 403, Code: "ENDPOINT_ACCESS_FORBIDDEN", Detail: "not yours", Times: 1})
		p, err := w.probe(ctx, 0, "provider: localhost")
		stopped(t, p, err, pool.Accepted, "", "does not let this identity use the endpoint", "whoami")
	})
	t.Run("OptionsRefused", func(t *testing.T) {
		p, err := w.probe(ctx, 0, "provider: localhost", "max_blocks: 0")
		stopped(t, p, err, pool.Started, "accepted commanded", "the endpoint's schema refuses the options", "pool.check map[file:pools.yaml]")
		if !strings.Contains(strings.Join(p.Failure.Lines, "\n"), "minimum") {
			t.Errorf("lines %q", p.Failure.Lines)
		}
	})
	t.Run("NoProgramOnPath", func(t *testing.T) {
		file := w.setUserPath(t, func(string) string { return "/usr/bin:/bin" })
		p, err := w.probe(ctx, 0, "provider: localhost")
		stopped(t, p, err, pool.Started, "accepted commanded", "", "PATH in "+file)
	})
	t.Run("NoScheduler", func(t *testing.T) {
		// Whether Slurm is not there, not set up or knows no such partition, it is
		// explained; make test-slurm has one that answers.
		p, err := w.probe(ctx, 0, "provider: slurm", "partition: nowhere")
		stopped(t, p, err, pool.Submitted, "accepted commanded started", "", "")
		if p.Failure != nil && p.Failure.Cause == "the provider could not submit a block" {
			t.Errorf("not explained: %+v", *p.Failure)
		}
	})
	t.Run("BlockEnds", func(t *testing.T) {
		p, err := w.probe(ctx, 0, "provider: localhost", "environment:", "  - no-such-command-at-all", "  - exit 3")
		stopped(t, p, err, pool.Connected, "accepted commanded started submitted running", "with status 3: a command of the block is not found", "correct environment")
		if !strings.Contains(strings.Join(p.Failure.Lines, "\n"), "no-such-command-at-all") {
			t.Errorf("lines %q", p.Failure.Lines)
		}
	})
	t.Run("TaskFails", func(t *testing.T) {
		body := `{"task_id":"x","status":"failed","exception":"Traceback:\n  in it\nValueError: as ordered"}`
		w.box.Order(sandbox.Fault{Method: "GET", Path: "/v2/tasks/*", Body: &body, Times: 1})
		p, err := w.probe(ctx, 0, "provider: localhost")
		stopped(t, p, err, "", "", "the task failed: ValueError: as ordered", "endpoint.logs map[name:mesa]")
	})
	t.Run("TooLate", func(t *testing.T) {
		p, err := w.probe(ctx, 15*time.Second, "provider: localhost", "environment: [sleep 600]")
		stopped(t, p, err, "", "", "no result after 15s: still waiting for ", "timeout:30s")
		if p.Failure != nil && !p.Failure.Timeout {
			t.Error("it is no timeout")
		}
	})
	t.Run("Interrupted", func(t *testing.T) {
		interrupted, cancel := context.WithCancel(progress.With(ctx, nil))
		defer cancel()
		interrupted = progress.With(interrupted, func(e progress.Event) {
			if e.Stage == string(pool.Started) {
				cancel()
			}
		})
		p, err := w.probe(interrupted, 0, "provider: localhost")
		var e *pool.ProbeInterruptedError
		if !errors.As(err, &e) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "nothing is left behind") {
			t.Errorf("%+v, %v", p, err)
		}
	})
	t.Run("Elsewhere", func(t *testing.T) {
		// The same endpoint, from a machine that has not its directory.
		other := *w.Manager
		other.Endpoints = &endpoint.Manager{Dir: endpointfs.Open(t.TempDir())}
		r, err := other.Check(ctx, w.file("provider: localhost", "cores_per_worker: 2"), pool.CheckOptions{})
		target := r.Endpoints[w.id]
		if err != nil || target.Here || target.Name != "mesa" || target.Up != 1 || target.Template == "" || target.Schema == "" || len(r.Problems) != 1 {
			t.Errorf("%+v, %v", r, err)
		}
		here, err := w.Render(ctx, "pools.yaml", w.file("provider: slurm"), "gpu")
		if err != nil {
			t.Fatal(err)
		}
		there, err := other.Render(ctx, "pools.yaml", w.file("provider: slurm"), "gpu")
		if err != nil || there.Config != here.Config {
			t.Errorf("rendered otherwise: %v\n%s", err, there.Config)
		}
		p, err := other.Probe(ctx, "pools.yaml", w.file("provider: localhost"), "gpu", pool.ProbeOptions{Timeout: 15 * time.Minute})
		if err != nil || p.Failure != nil || reached(p) != "accepted commanded started connected returned" || len(p.Left) != 1 {
			t.Errorf("%+v, %v", p, err)
		}
		if r, err := other.Check(ctx, []byte("gpu:\n  endpoint: 33333333-3333-3333-3333-333333333333\n"), pool.CheckOptions{}); err != nil || len(r.Problems) != 1 || !r.Endpoints["33333333-3333-3333-3333-333333333333"].Missing {
			t.Errorf("%+v, %v", r, err)
		}
	})
	t.Run("NotCommanded", func(t *testing.T) {
		w.box.Configure(func(s *sandbox.Settings) { s.StartTimeout = 3 * time.Second })
		pid := w.pid()
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		p, err := w.Probe(ctx, "pools.yaml", w.file("provider: localhost"), "gpu", pool.ProbeOptions{})
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if len(p.Left) != 1 || !strings.Contains(p.Left[0], "if the endpoint receives the task later") {
			t.Errorf("left %q", p.Left)
		}
		stopped(t, p, err, pool.Commanded, "accepted", "the endpoint did not receive the task", "endpoint.restart map[name:mesa]")
	})
}

// setUserPath changes the PATH of user endpoints, and nothing else of their
// environment, for as long as the test lasts. It returns the file.
func (w *world) setUserPath(t *testing.T, change func(string) string) string {
	t.Helper()
	file := filepath.Join(w.Endpoints.Dir.Path(), "mesa", "user_environment.yaml")
	was, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^PATH: "?([^"\n]*)"?$`)
	path := line.FindSubmatch(was)
	if path == nil {
		t.Fatalf("no PATH in\n%s", was)
	}
	if err := os.WriteFile(file, line.ReplaceAll(was, []byte("PATH: "+change(string(path[1])))), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(file, was, 0o600); err != nil {
			t.Error(err)
		}
	})
	return file
}

// nextText is what to do in one line: an operation by its name and arguments.
func nextText(steps []next.Step) string {
	var words []string
	for _, s := range steps {
		words = append(words, fmt.Sprint(s.Operation, " ", map[string]any(s.Args), " ", s.Why))
	}
	return strings.Join(words, "; ")
}

// pid is that of the daemon, which the world has started.
func (w *world) pid() int {
	w.t.Helper()
	st, err := w.Endpoints.Status(w.t.Context(), "mesa", endpoint.StatusOptions{Offline: true})
	if err != nil || st.Evidence.Process == nil || !st.Evidence.Process.Proven {
		w.t.Fatalf("%+v, %v", st, err)
	}
	return st.Evidence.Process.PID
}

// stopped wants a probe to have stopped at a stage; empty texts stand for
// anything.
func stopped(t *testing.T, p pool.Probe, err error, stage pool.Stage, before, cause, remedy string) {
	t.Helper()
	if err != nil || p.Failure == nil {
		t.Errorf("%+v, %v", p, err)
		return
	}
	s := p.Failure
	if stage != "" && (s.Stage != stage || reached(p) != before) || !strings.Contains(s.Cause, cause) || !strings.Contains(nextText(s.Next), remedy) || len(s.Next) == 0 {
		t.Errorf("after %q stopped at %+v", reached(p), *s)
	}
}
