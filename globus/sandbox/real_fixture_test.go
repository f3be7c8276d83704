package sandbox_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

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
	py  runtimetest.PythonEnvironment
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
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a daemon signals its whole group when it stops
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
			case <-time.After(5 * time.Minute):
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
				<-ended
			}
		}
		if r.t.Failed() {
			log, _ := os.ReadFile(filepath.Join(r.dir, "endpoint.log"))
			r.t.Logf("the daemon said:\n%s\nand wrote:\n%s", out.Bytes(), log[max(0, len(log)-8000):])
		}
	})
	e := r.box.Await(10*time.Minute, "the endpoint online", func(e sandbox.Entry) bool {
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
	case <-time.After(5 * time.Minute):
		r.t.Error("the daemon did not end")
	}
}

// login goes through a program's own paste flow, as a person with a browser:
// every URL that it shows is answered with the code. It returns the output.
func (r *real) login(name string, args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), r.py.Bin(name), args...)
	cmd.Env, cmd.Dir = r.env, filepath.Dir(filepath.Dir(r.dir))
	in, err := cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	var text strings.Builder
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		text.WriteString(line)
		if strings.HasPrefix(line, "https://auth.globus.org/v2/oauth2/authorize?") {
			_, _ = io.WriteString(in, r.box.AuthorizeCode(line)+"\n")
		}
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		r.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, text.String())
	}
	return text.String()
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
