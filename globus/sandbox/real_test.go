package sandbox_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

// userTemplate keeps parsl from asking the internet for this machine's address.
const userTemplate = `engine:
  type: GlobusComputeEngine
  label: {{ pool }}
  max_workers_per_node: 1
  address: 127.0.0.1
  provider:
    type: LocalProvider
    init_blocks: 1
    min_blocks: 0
    max_blocks: 1
`

// real is a home with one endpoint of the real daemon, in a sandbox.
type real struct {
	t   *testing.T
	box *sandboxtest.Box
	py  runtimetest.Environment
	env []string
	dir string // of the endpoint
}

// newReal configures the endpoint "mesa" by the daemon's own command.
func newReal(t *testing.T, set runtimetest.Set, more ...string) *real {
	t.Helper()
	box := sandboxtest.Start(t)
	py := runtimetest.Env(t, set)
	home := t.TempDir()
	compute := filepath.Join(home, ".globus_compute")
	r := &real{t: t, box: box, py: py, dir: filepath.Join(compute, "mesa")}
	own := []string{"PATH=" + py.Path(), "HOME=" + home, "GLOBUS_COMPUTE_USER_DIR=" + compute, "PYTHONUNBUFFERED=1"}
	r.env = box.ChildEnv(append(own, more...)...)
	r.gce("configure", "--multi-user", "false", "mesa")
	// Started as root the daemon demands an address to complain to (since
	// 4.16), and gives user endpoints no environment but this file's.
	r.write("user_config_template.yaml.j2", userTemplate)
	r.write("user_environment.yaml", "PATH: "+py.Path()+"\nHOME: "+home+"\nGLOBUS_COMPUTE_USER_DIR: "+compute+"\n")
	if os.Geteuid() == 0 && set == runtimetest.Newest {
		r.write("config.yaml", "display_name: null\nemail: root@localhost\ndebug: true\n")
	}
	return r
}

func (r *real) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// run runs a program of the environment to its end and returns its output.
func (r *real) run(name string, args ...string) (string, error) {
	cmd := exec.CommandContext(r.t.Context(), r.py.Bin(name), args...)
	cmd.Env, cmd.Dir = r.env, filepath.Dir(filepath.Dir(r.dir))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (r *real) gce(args ...string) string {
	r.t.Helper()
	out, err := r.run("globus-compute-endpoint", args...)
	if err != nil {
		r.t.Fatalf("globus-compute-endpoint %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// start runs the daemon in a session of its own until the test ends, and
// returns its endpoint's id once the service has heard a heartbeat.
func (r *real) start() (id string, stopped <-chan error) {
	r.t.Helper()
	seen := 0
	if all := r.box.Journal(); len(all) > 0 {
		seen = all[len(all)-1].Seq
	}
	cmd := exec.Command(r.py.Bin("globus-compute-endpoint"), "start", "mesa")
	cmd.Env, cmd.Dir = r.env, filepath.Dir(filepath.Dir(r.dir))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it signals its whole group when it stops
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	done, ended := make(chan error, 1), make(chan struct{})
	go func() {
		done <- cmd.Wait()
		close(ended)
	}()
	r.t.Cleanup(func() {
		select {
		case <-ended:
		default:
			_ = cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-ended:
			case <-time.After(30 * time.Second):
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
				<-ended
			}
		}
		if r.t.Failed() {
			log, _ := os.ReadFile(filepath.Join(r.dir, "endpoint.log"))
			r.t.Logf("the daemon said:\n%s\nand wrote:\n%s", out.Bytes(), log[max(0, len(log)-8000):])
		}
	})
	e := r.box.Await(60*time.Second, "the endpoint online", func(e sandbox.Entry) bool {
		return e.Seq > seen && e.IsEvent("online", "")
	})
	return e.Endpoint, done
}

func (r *real) stop(stopped <-chan error) {
	r.t.Helper()
	r.gce("stop", "mesa")
	select {
	case err := <-stopped:
		// The daemon's farewell to its process group reaches itself.
		if err != nil && !strings.Contains(err.Error(), "signal: terminated") {
			r.t.Errorf("the daemon ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		r.t.Error("the daemon did not end")
	}
}

// login goes through the daemon's own login, as a person with a browser.
func (r *real) login() {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), r.py.Bin("globus-compute-endpoint"), "login")
	cmd.Env, cmd.Dir = r.env, filepath.Dir(filepath.Dir(r.dir))
	in, err := cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	var text strings.Builder
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		text.WriteString(line)
		if strings.HasPrefix(line, "https://auth.globus.org/v2/oauth2/authorize?") {
			io.WriteString(in, r.box.AuthorizeCode(strings.TrimSpace(line))+"\n")
			in.Close()
			break
		}
		if err != nil {
			r.t.Fatalf("login showed no URL:\n%s", text.String())
		}
	}
	rest, _ := io.ReadAll(lines)
	if err := cmd.Wait(); err != nil {
		r.t.Fatalf("login: %v\n%s%s", err, text.String(), rest)
	}
}

// TestRealDaemonAndSDK is the proof that the sandbox is true: the newest
// daemon and SDK, unchanged, go through the whole life of an endpoint with it.
func TestRealDaemonAndSDK(t *testing.T) {
	t.Parallel()
	r := newReal(t, runtimetest.Newest)
	step := stopwatch(t)
	r.login()
	step("login")
	id, stopped := r.start()
	step("start to online")

	var got struct {
		One, Two         map[string]any
		Reloaded, Polled int
	}
	out, err := r.run("python", filepath.Join(sourceDir(t), "testdata/real/tasks.py"), id, "one", "two")
	if err != nil {
		t.Fatalf("tasks: %v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	step("tasks of two pools")
	want := map[string]any{
		"add": 3.0, "fail": []any{"TaskExecutionFailed", true}, "say": "said",
		"slow": "slow", "big": 300000.0, "argument": 200000.0,
	}
	if diff := cmp.Diff(want, got.One); diff != "" {
		t.Errorf("pool one (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, got.Two); diff != "" {
		t.Errorf("pool two (-want +got):\n%s", diff)
	}
	if got.Reloaded != 6 || got.Polled != 2 {
		t.Errorf("reloaded %d tasks, want 6; polled %d, want 2", got.Reloaded, got.Polled)
	}
	if users := r.box.State().UserEndpoints; len(users) != 2 || !users[0].Online || !users[1].Online {
		t.Errorf("user endpoints = %+v, want two online", users)
	}

	r.stop(stopped)
	step("stop")
	r.box.Await(10*time.Second, "the endpoint offline", func(e sandbox.Entry) bool { return e.IsEvent("offline", id) && e.UserEndpoint == "" })
	again, stopped := r.start()
	if again != id {
		t.Errorf("the second start is endpoint %s, want %s", again, id)
	}
	r.stop(stopped)
	step("second start and stop")
	r.gce("delete", "--yes", "mesa")
	r.gce("logout", "--force")
	step("delete and logout")

	proof := map[string]int{
		"POST registration": len(r.box.Requests("POST", "/v3/endpoints")),
		"PUT registration":  len(r.box.Requests("PUT", "/v3/endpoints/"+id)),
		"DELETE":            len(r.box.Requests("DELETE", "/v2/endpoints/"+id)),
		"tasks":             len(r.box.State().Tasks),
		"unrevoked":         len(r.box.Unrevoked()),
	}
	if diff := cmp.Diff(map[string]int{"POST registration": 1, "PUT registration": 1, "DELETE": 1, "tasks": 13, "unrevoked": 0}, proof); diff != "" {
		t.Errorf("the journal shows (-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(r.box.Requests("POST", "/v2/oauth2/token"), func(e sandbox.Entry) bool { return e.PKCE }) {
		t.Error("the journal shows no PKCE login")
	}
}

// TestRealOldReleases: endpoints that are years old are still about.
func TestRealOldReleases(t *testing.T) {
	t.Parallel()
	for _, set := range []runtimetest.Set{runtimetest.V415, runtimetest.V46} {
		t.Run(string(set), func(t *testing.T) {
			t.Parallel()
			r := newReal(t, set)
			r.env = append(r.env, r.box.ClientCredentials()...)
			id, stopped := r.start()
			r.stop(stopped)
			r.gce("delete", "--yes", "mesa")
			if n := len(r.box.Requests("DELETE", "/v2/endpoints/"+id)); n != 1 {
				t.Errorf("%d DELETE requests", n)
			}
		})
	}
}

// TestRealRefusals: what the daemon makes of the service's refusals is its
// affair; that it recognises them as such is ours.
func TestRealRefusals(t *testing.T) {
	t.Parallel()
	r := newReal(t, runtimetest.Newest)
	r.env = append(r.env, r.box.ClientCredentials()...)
	for status, want := range map[int]int{404: 69, 409: 69, 423: 69, 400: 65, 422: 65, 403: 1} {
		r.box.ClearFaults()
		r.box.Order(sandbox.Fault{Method: "POST", Path: "/v3/endpoints", Status: status, Code: "ORDERED", Detail: "as ordered"})
		out, err := r.run("globus-compute-endpoint", "start", "mesa")
		exit, ok := err.(*exec.ExitError)
		if !ok || exit.ExitCode() != want || !strings.Contains(out, "as ordered") {
			t.Errorf("%d: %v, want exit status %d\n%s", status, err, want, out)
		}
	}
}

// stopwatch logs how long each step took.
func stopwatch(t *testing.T) func(step string) {
	last := time.Now()
	return func(step string) {
		t.Logf("%-22s %5.1f s", step, time.Since(last).Seconds())
		last = time.Now()
	}
}

func sourceDir(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
