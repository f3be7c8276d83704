package endpoint_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/compute"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/runtime"
	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

// world is a manager with the real daemon of one release, in a sandbox.
type world struct {
	*endpoint.Manager
	t    *testing.T
	box  *sandboxtest.Box
	py   runtimetest.PythonEnvironment
	home string
	// accounts makes logins for an environment without the variables hidden.
	accounts func(hidden func(name string) bool) *auth.Manager
}

func newWorld(t *testing.T, set runtimetest.Set) *world {
	t.Helper()
	w := &world{t: t, box: sandboxtest.Start(t), py: runtimetest.Env(t, set), home: t.TempDir()}
	dir := filepath.Join(w.home, "gc")
	env := w.box.ChildEnv(append(w.box.ClientCredentials(), "PATH="+w.py.Path(), "HOME="+w.home)...)
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
	w.accounts = func(hidden func(name string) bool) *auth.Manager {
		accounts, err := auth.New(auth.Config{Env: place, Home: w.home, ComputeDir: dir, Hostname: "test", Getenv: func(name string) string {
			if hidden(name) {
				return ""
			}
			return getenv(name)
		}})
		if err != nil {
			t.Fatal(err)
		}
		return accounts
	}
	accounts := w.accounts(func(string) bool { return false })
	w.Manager = &endpoint.Manager{
		Dir:     endpointfs.Open(dir),
		Environ: env,
		Version: "test",
		Runtime: func(ctx context.Context) (runtime.Runtime, error) {
			return runtime.Finder{Explicit: w.py.Dir}.Find(ctx)
		},
		Service: func(ctx context.Context) (endpoint.Service, error) {
			client, err := accounts.Authorized(ctx, auth.Compute)
			if err != nil {
				return nil, err
			}
			return &compute.Client{HTTP: client, BaseURL: place.ComputeURL}, nil
		},
		ChildEnv: func(context.Context) ([]string, error) { return accounts.DaemonEnv() },
	}
	if _, err := accounts.Login(t.Context(), auth.LoginOptions{Services: []string{auth.Compute}}); err != nil {
		t.Fatal(err)
	}
	// Only the newest release demands an address of root; older ones do not
	// know the key.
	o := endpoint.ConfigureOptions{}
	if set == runtimetest.Newest {
		o.Email = "root@localhost"
	}
	if _, err := w.Configure(t.Context(), "mesa", o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.end)
	return w
}

// end leaves no daemon behind.
func (w *world) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if _, err := w.Stop(ctx, "mesa", endpoint.StopOptions{Now: true, Grace: 2 * time.Minute}); err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Errorf("stopping at the end: %v", err)
	}
	if w.t.Failed() {
		log, _ := os.ReadFile(filepath.Join(w.path(), "endpoint.log"))
		w.t.Logf("the daemon wrote:\n%s", log[max(0, len(log)-8000):])
	}
}

func (w *world) path() string { return filepath.Join(w.Dir.Path(), "mesa") }

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.path(), name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) start() endpoint.StartResult {
	w.t.Helper()
	began := time.Now()
	r, err := w.Start(w.t.Context(), "mesa", endpoint.StartOptions{Timeout: 15 * time.Minute})
	if err != nil {
		w.t.Fatalf("Start: %v", err)
	}
	if r.Outcome == endpoint.Started {
		w.t.Logf("started in %s; proven %s after the log's marker", time.Since(began).Round(time.Millisecond), r.Proven.Sub(r.Status.Evidence.Log.Time).Round(time.Millisecond))
	}
	return r
}

func (w *world) status() endpoint.Status {
	w.t.Helper()
	s, err := w.Status(w.t.Context(), "mesa", endpoint.StatusOptions{})
	if err != nil {
		w.t.Fatalf("Status: %v", err)
	}
	return s
}

// by runs a program of the release to its end, as a person would.
func (w *world) by(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(w.t.Context(), w.py.Bin(name), args...)
	cmd.Env, cmd.Dir = append([]string{"GLOBUS_COMPUTE_USER_DIR=" + w.Dir.Path()}, w.Environ...), w.home
	return cmd
}

// TestRealLife takes the real daemon of each release through its life.
func TestRealLife(t *testing.T) {
	t.Parallel()
	for _, set := range []runtimetest.Set{runtimetest.Newest, runtimetest.V415, runtimetest.V46} {
		t.Run(string(set), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, set)
			if s := w.status(); s.State != endpoint.Initialized {
				t.Fatalf("before: %s (%s)", s.State, s.Reason)
			}
			first := w.start()
			p := first.Status.Evidence.Process
			if first.Outcome != endpoint.Started || !p.Proven || first.Status.State != endpoint.Running {
				t.Fatalf("Start = %+v", first)
			}
			w.box.Await(5*time.Minute, "the endpoint online", func(e sandbox.Entry) bool { return e.IsEvent("online", first.Status.ID) })
			if s := w.status(); s.State != endpoint.Running || s.Service == nil || !s.Service.Online {
				t.Errorf("Status = %s (%s), service %+v; want Running and online", s.State, s.Reason, s.Service)
			}
			if out, err := w.by("globus-compute-endpoint", "start", "mesa").CombinedOutput(); err == nil {
				t.Errorf("a second daemon was started by hand:\n%s", out)
			}
			if again := w.start(); again.Outcome != endpoint.AlreadyRunning || again.Status.Evidence.Process.PID != p.PID {
				t.Errorf("second Start = %s, process %d", again.Outcome, again.Status.Evidence.Process.PID)
			}

			if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			killed := time.Now()
			for s := w.status(); s.State != endpoint.Disconnected; s = w.status() {
				if time.Since(killed) > time.Minute {
					t.Fatalf("a minute after kill -9: %s (%s)", s.State, s.Reason)
				}
			}
			t.Logf("noticed %s after kill -9", time.Since(killed).Round(time.Millisecond))
			second := w.start()
			if second.Outcome != endpoint.Started || second.Status.ID != first.Status.ID {
				t.Errorf("Start after the crash = %s, %s; want the same id", second.Outcome, second.Status.ID)
			}

			began := time.Now()
			stop, err := w.Stop(t.Context(), "mesa", endpoint.StopOptions{})
			if err != nil || stop.Outcome != endpoint.WasStopped || stop.Signal != "SIGTERM" || stop.Status.State != endpoint.Stopped {
				t.Fatalf("Stop = %+v, %v", stop, err)
			}
			t.Logf("stopped in %s", time.Since(began).Round(time.Millisecond))
			gone, err := w.Delete(t.Context(), "mesa", endpoint.DeleteOptions{})
			if err != nil || len(w.box.Requests("DELETE", "/v2/endpoints/"+first.Status.ID)) != 1 {
				t.Errorf("Delete = %+v, %v", gone, err)
			}
			puts := 1
			if set == runtimetest.V46 {
				puts = 2 // the second daemon, started by hand, registered before it gave way
			}
			if n, m := len(w.box.Requests("POST", "/v3/endpoints")), len(w.box.Requests("PUT", "/v3/endpoints/"+first.Status.ID)); n != 1 || m != puts {
				t.Errorf("%d POST and %d PUT of the registration, want 1 and %d", n, m, puts)
			}
		})
	}
}

// TestRealByHand: daemons that somebody started with the daemon's own command,
// in the foreground of another directory or detached, are known and stopped.
func TestRealByHand(t *testing.T) {
	t.Parallel()
	for _, detach := range []bool{false, true} {
		name := "foreground"
		args := []string{"start", "mesa"}
		if detach {
			name, args = "detached", []string{"start", "--detach", "mesa"}
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, runtimetest.Newest)
			cmd := w.by("globus-compute-endpoint", args...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			go cmd.Wait() // a zombie is for its parent to bury
			deadline := time.Now().Add(10 * time.Minute)
			s := w.status()
			for ; s.State != endpoint.Running; s = w.status() {
				if time.Now().After(deadline) {
					t.Fatalf("State = %s (%s), want Running", s.State, s.Reason)
				}
				time.Sleep(20 * time.Millisecond)
			}
			if s.Evidence.Record != nil || s.Evidence.Process.Why != "title and directory are right" {
				t.Errorf("Evidence = %+v, want it proven without a record", s.Evidence.Process)
			}
			r, err := w.Stop(t.Context(), "mesa", endpoint.StopOptions{})
			if err != nil || r.Outcome != endpoint.WasStopped {
				t.Errorf("Stop = %+v, %v", r, err)
			}
		})
	}
}

// TestRealRefused: what the daemon makes of refusals is told with its cause.
func TestRealRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, runtimetest.Newest)
	for _, row := range []struct {
		fault  sandbox.Fault
		status int
		cause  string
	}{
		{sandbox.Fault{Method: "POST", Path: "/v3/endpoints", Status: 423, Code: "ENDPOINT_LOCKED", Detail: "locked"}, 69, "the service has locked the endpoint, as it does after a remote stop"},
		{sandbox.Fault{Method: "POST", Path: "/v3/endpoints", Status: 404, Code: "ENDPOINT_NOT_FOUND", Detail: "as ordered"}, 69, "the service does not know the UUID of endpoint.json: its registration was deleted"},
		{sandbox.Fault{Method: "POST", Path: "/v3/endpoints", Status: 422, Code: "SEMANTICALLY_INVALID", Detail: "as ordered"}, 65, "the service refused to register the endpoint; its words are in the log lines"},
		{sandbox.Fault{Method: "POST", Path: "/v3/endpoints", Status: 403, Code: "ACCESS_FORBIDDEN", Detail: "as ordered"}, 1, "the service answered 403: the login may not register this endpoint"},
		{sandbox.Fault{Method: "GET", Path: "/v2/oauth2/userinfo", Status: 403, Code: "FORBIDDEN", Detail: "as ordered"}, 0, "the login works for the service but Globus Auth did not say who it is"},
	} {
		w.box.ClearFaults()
		w.box.Order(row.fault)
		_, err := w.Start(t.Context(), "mesa", endpoint.StartOptions{Timeout: 15 * time.Minute})
		var ended *endpoint.DaemonError
		if !errors.As(err, &ended) {
			t.Fatalf("%d: Start: %v, want a DaemonError", row.fault.Status, err)
		}
		if ended.ExitStatus != row.status || ended.Cause != row.cause {
			t.Errorf("%+v\ngot  %d (%s) %q\nwant %d %q\n%s", row.fault, ended.ExitStatus, ended.Signal, ended.Cause, row.status, row.cause, strings.Join(ended.Lines, "\n"))
		}
	}
}

// localTemplate keeps parsl from asking the internet for this machine's address.
const localTemplate = `idle_heartbeats_soft: 120
engine:
  type: GlobusComputeEngine
  max_workers_per_node: 1
  address: 127.0.0.1
  provider:
    type: LocalProvider
    init_blocks: 1
    min_blocks: 0
    max_blocks: 1
`

// TestRealTasks: stop lets a running task complete.
func TestRealTasks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, runtimetest.Newest)
	w.write("user_config_template.yaml.j2", localTemplate)
	w.write("user_config_schema.json", "{}")
	w.write("user_environment.yaml", "PATH: "+w.py.Path()+"\nHOME: "+w.home+"\nGLOBUS_COMPUTE_USER_DIR: "+w.Dir.Path()+"\n")
	id := w.start().Status.ID
	task := w.by("python", "-c", `
import os
from globus_compute_sdk import Executor
def slow():
    import os, time
    open("`+w.home+`/begun", "w").close()
    while not os.path.exists("`+w.home+`/finish"):
        time.sleep(0.1)
    return "done"
try:
    print(Executor(endpoint_id="`+id+`").submit(slow).result(timeout=900), flush=True)
finally:
    os._exit(0)
`)
	var out strings.Builder
	task.Stdout, task.Stderr = &out, &out
	if err := task.Start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(w.home, "begun")); err == nil {
			break
		}
		if time.Since(began) > 10*time.Minute {
			t.Fatalf("the task does not begin: %s", out.String())
		}
	}
	time.Sleep(500 * time.Millisecond)
	users := w.status().UserEndpoints
	if len(users) != 1 || users[0].Outstanding != 1 {
		t.Errorf("UserEndpoints = %+v, want one with one task", users)
	}
	pid := users[0].PID
	began := time.Now()
	var late *endpoint.TimeoutError
	if _, err := w.Stop(t.Context(), "mesa", endpoint.StopOptions{Timeout: time.Second}); !errors.As(err, &late) || late.Outstanding != 1 {
		t.Errorf("Stop within a second: %v, want a timeout with one task", err)
	}
	time.AfterFunc(3*time.Second, func() { _ = os.WriteFile(filepath.Join(w.home, "finish"), nil, 0o600) })
	r, err := w.Stop(t.Context(), "mesa", endpoint.StopOptions{})
	if err != nil || r.Outcome != endpoint.WasStopped {
		t.Errorf("Stop = %+v, %v", r, err)
	}
	t.Logf("stopped in %s, %s of it for the daemon's end", time.Since(began).Round(time.Millisecond), r.Took.Round(time.Millisecond))
	if err := task.Wait(); err != nil || !strings.Contains(out.String(), "done") {
		t.Errorf("the task: %v\n%s", err, out.String())
	}
	if syscall.Kill(pid, 0) == nil {
		t.Error("the user endpoint lives on")
	}
}
