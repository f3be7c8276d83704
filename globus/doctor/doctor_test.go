package doctor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
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
	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/compute"
	"chiltepin/globus/doctor"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/next"
	"chiltepin/globus/runtime"
	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

// world is a directory with one endpoint that is configured, registered and
// stopped, a real runtime, and the services.
type world struct {
	t    *testing.T
	box  *sandboxtest.Box
	home string
	id   string
	// env is on top of the environment in which the doctor is asked.
	env map[string]string
	// runtime is the program or environment to use.
	runtime string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, box: sandboxtest.Start(t), home: t.TempDir(), env: map[string]string{}, runtime: runtimetest.Env(t, runtimetest.Newest).Dir}
	for _, pair := range append(w.box.Env(), w.box.ClientCredentials()...) {
		name, value, _ := strings.Cut(pair, "=")
		w.env[name] = value
	}
	d := w.doctor()
	if _, err := d.Accounts.(*auth.Manager).Login(t.Context(), auth.LoginOptions{Services: []string{auth.Compute}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Manager.Configure(t.Context(), "mesa", endpoint.ConfigureOptions{Email: "me@example.org"}); err != nil {
		t.Fatal(err)
	}
	w.write("mesa/user_environment.yaml", "PATH: "+w.runtime+"/bin:/usr/bin:/bin\n")
	w.register()
	return w
}

func (w *world) dir() string { return filepath.Join(w.home, ".globus_compute") }

func (w *world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// register does what a daemon does of a start, so that the service knows the
// endpoint.
func (w *world) register() {
	w.t.Helper()
	client, err := w.doctor().Service(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := client.HTTP.Post(client.BaseURL+"/v3/endpoints", "application/json", bytes.NewBufferString(`{"endpoint_name":"mesa"}`))
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		ID string `json:"endpoint_id"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		w.t.Fatalf("%s, %v", resp.Status, err)
	}
	w.id = answer.ID
	w.write("mesa/endpoint.json", fmt.Sprintf(`{"endpoint_id": %q}`, w.id))
}

// doctor is made anew for each examination, as a command makes it.
func (w *world) doctor() *doctor.Doctor {
	w.t.Helper()
	getenv := func(name string) string { return w.env[name] }
	finder := runtime.Finder{Explicit: w.runtime, PathEnv: "/usr/bin:/bin", Environ: []string{"PATH=/usr/bin:/bin", "HOME=" + w.home}}
	d := &doctor.Doctor{
		Manager:  &endpoint.Manager{Dir: endpointfs.Open(w.dir()), Runtime: finder.Find, Version: "test"},
		Runtimes: remembering{finder},
		Getenv:   getenv,
	}
	if d.Env, d.SettingErr = globus.NewEnvironment(getenv); d.SettingErr != nil {
		return d
	}
	accounts, err := auth.New(auth.Config{Env: d.Env, Home: w.home, ComputeDir: w.dir(), Getenv: getenv, Hostname: "test"})
	if err != nil {
		w.t.Fatal(err)
	}
	d.Accounts = accounts
	d.Service = func(ctx context.Context) (*compute.Client, error) {
		client, err := accounts.Authorized(ctx, auth.Compute)
		if err != nil {
			return nil, err
		}
		return &compute.Client{HTTP: client, BaseURL: d.Env.ComputeURL}, nil
	}
	d.Manager.Service = func(ctx context.Context) (endpoint.Service, error) { return d.Service(ctx) }
	return d
}

// remembering starts the real program once for all tests that leave it as it
// is: it takes a second of their machine each time.
type remembering struct{ runtime.Finder }

var sharedVersion = sync.OnceValues(func() (string, error) {
	env, err := runtimetest.Build(context.Background(), runtimetest.Newest)
	if err != nil {
		return "", err
	}
	finder := runtime.Finder{Explicit: env.Dir, PathEnv: "/usr/bin:/bin", Environ: []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent"}}
	rt, err := finder.Find(context.Background())
	if err != nil {
		return "", err
	}
	return finder.Check(context.Background(), rt)
})

func (r remembering) Check(ctx context.Context, rt runtime.Runtime) (string, error) {
	if env, err := runtimetest.Build(ctx, runtimetest.Newest); err == nil && rt.Path == env.Bin(runtime.Program) {
		return sharedVersion()
	}
	return r.Finder.Check(ctx, rt)
}

// examine returns, by check, the gravest verdicts that are neither ok nor
// skipped, and fails for a finding that a person could do nothing with.
func (w *world) examine(o doctor.ExamineOptions) map[string]string {
	w.t.Helper()
	found, err := w.doctor().Examine(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	got, seen := map[string]string{}, map[string]bool{}
	for _, f := range found {
		seen[f.Check] = true
		w.t.Logf("%-8s %-14s %s: %s [%s]", f.Verdict, f.Check, f.Subject, f.Evidence, nextText(f.Next))
		if f.Evidence == "" || (f.Verdict == doctor.Warning || f.Verdict == doctor.Failed) && len(f.Next) == 0 {
			w.t.Errorf("%s: %q, next %q", f.Check, f.Evidence, nextText(f.Next))
		}
		if leaks := w.box.Leaks(f.Evidence + nextText(f.Next)); len(leaks) > 0 {
			w.t.Errorf("%s: the finding holds %v", f.Check, leaks)
		}
		if f.Verdict != doctor.OK && f.Verdict != doctor.Skipped && got[f.Check] != string(doctor.Failed) {
			got[f.Check] = string(f.Verdict)
		}
	}
	want := []string{"broker", "clock", "directory", "disk", "endpoint", "files", "locks", "login", "parsl", "path", "runtime", "service", "settings", "user-endpoints"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(seen))); diff != "" {
		w.t.Errorf("the checks (-want +got):\n%s", diff)
	}
	return got
}

// nextText is what to do in one line.
func nextText(steps []next.Step) string {
	var words []string
	for _, s := range steps {
		words = append(words, fmt.Sprint(s.Operation, " ", map[string]any(s.Args), " ", s.Why))
	}
	return strings.Join(words, "; ")
}

// environment makes what looks like a Python environment that has the daemon of
// one release and parsl of another.
func (w *world) environment(daemon, parsl string) string {
	w.t.Helper()
	root := filepath.Join(w.home, "env")
	site := filepath.Join(root, "lib", "python3.11", "site-packages")
	for _, dir := range []string{filepath.Join(root, "bin"), filepath.Join(site, "globus_compute_endpoint-"+daemon+".dist-info"), filepath.Join(site, "parsl-"+parsl+".dist-info")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			w.t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"pyvenv.cfg": "", "bin/python3.11": "#!/bin/sh\n", "bin/globus-compute-endpoint": "#!" + root + "/bin/python3.11\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o700); err != nil {
			w.t.Fatal(err)
		}
	}
	return root
}

func (w *world) chmod(name string, mode os.FileMode) {
	w.t.Helper()
	if err := os.Chmod(filepath.Join(w.dir(), name), mode); err != nil {
		w.t.Fatal(err)
	}
}

// crash leaves what a daemon that was killed leaves.
func (w *world) crash() {
	w.t.Helper()
	w.write("mesa/daemon.pid", "4194303\n")
	host, err := os.Hostname()
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := w.doctor().Manager.Status(w.t.Context(), "mesa", endpoint.StatusOptions{Offline: true})
	if err != nil {
		w.t.Fatal(err)
	}
	ep, err := endpointfs.Open(w.dir()).Endpoint("mesa")
	if err == nil {
		err = ep.WriteLaunchRecord(endpointfs.LaunchRecord{Host: host, BootID: s.Evidence.Here.BootID, PID: 4194303, StartTime: 1, ID: w.id})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// outlive leaves a process of a user endpoint of mesa whose daemon is gone.
func (w *world) outlive() {
	w.t.Helper()
	const own = "0c5a62d3-9d38-4d43-8d12-0a4f2e9cf6a1"
	name := "uep." + w.id + "." + own
	w.write(name+"/endpoint.log", "")
	cmd := exec.Command("bash", "-c", `echo there; exec -a "$0" sleep 100`, "Globus Compute Endpoint ("+own+", "+name+")")
	cmd.Dir = filepath.Join(w.dir(), name)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		_, err = out.Read(make([]byte, 5))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for { // between "there" and its new name
		title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
		if err != nil || bytes.HasPrefix(title, []byte("Globus ")) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// broker has the service say that its broker is at an address.
func (w *world) broker(address string) {
	w.box.Order(sandbox.Fault{Path: "/v2/get_amqp_result_connection_url", Body: new(`{"queue_prefix":"x","connection_url":"amqp://u:hush@` + address + `/"}`)})
}

func (w *world) date(off time.Duration) {
	w.box.Order(sandbox.Fault{Path: "/v2/version", Header: map[string]string{"Date": time.Now().Add(off).UTC().Format(http.TimeFormat)}})
}

// TestSeededFaults wants a healthy world to be found so, and each fault to be
// found by exactly the check that it is for.
func TestSeededFaults(t *testing.T) {
	t.Parallel()
	newest := runtimetest.Env(t, runtimetest.Newest)
	release, parsl := runtime.PackageVersion(newest.Bin(runtime.Program), "globus-compute-endpoint", ""), runtime.PackageVersion(newest.Bin(runtime.Program), "parsl", "")
	if release != "4.19.0" || parsl == "" {
		t.Fatalf("the runtime is %q with parsl %q", release, parsl)
	}
	for name, tt := range map[string]struct {
		seed func(w *world)
		want map[string]string
		// fixed is what is found when it may repair, nil where it cannot.
		fixed map[string]string
	}{
		"nothing":                  {func(*world) {}, map[string]string{}, nil},
		"variables of a task":      {func(w *world) { w.env["GLOBUS_COMPUTE_ENDPOINT_DIR"] = "/x" }, map[string]string{"settings": "warning"}, nil},
		"a variable that is wrong": {func(w *world) { w.env["GLOBUS_SDK_HTTP_TIMEOUT"] = "soon" }, map[string]string{"settings": "failed"}, nil},
		"a runtime that does not run": {func(w *world) {
			w.runtime = filepath.Join(w.home, runtime.Program)
			if err := os.WriteFile(w.runtime, []byte("#!/bin/sh\nexit 3\n"), 0o700); err != nil {
				w.t.Fatal(err)
			}
		}, map[string]string{"runtime": "failed"}, nil},
		"no runtime":        {func(w *world) { w.runtime = "/nowhere" }, map[string]string{"runtime": "failed"}, nil},
		"a PATH without it": {func(w *world) { w.write("mesa/user_environment.yaml", "PATH: /usr/bin:/bin\n") }, map[string]string{"path": "failed"}, nil},
		"a PATH to another": {func(w *world) {
			w.write("mesa/user_environment.yaml", "PATH: "+w.environment("4.15.0", parsl)+"/bin\n")
		}, map[string]string{"path": "warning"}, nil},
		"another parsl": {func(w *world) {
			w.write("mesa/user_environment.yaml", "PATH: "+w.environment(release, "2020.1.1")+"/bin\n")
		}, map[string]string{"parsl": "warning"}, nil},
		"a directory that all may write": {func(w *world) { w.chmod(".", 0o777) }, map[string]string{"directory": "failed"}, map[string]string{"directory": "fixed"}},
		"tokens that all may read":       {func(w *world) { w.chmod("storage.db", 0o644) }, map[string]string{"directory": "failed"}, map[string]string{"directory": "fixed"}},
		"a template that all may write":  {func(w *world) { w.chmod("mesa/user_config_template.yaml.j2", 0o666) }, map[string]string{"directory": "failed"}, map[string]string{"directory": "fixed"}},
		"Globus Auth refuses":            {func(w *world) { w.box.Order(sandbox.Fault{Path: "/.well-known/openid-configuration", Status: 403}) }, map[string]string{"service": "failed"}, nil},
		"Globus Compute refuses":         {func(w *world) { w.box.Order(sandbox.Fault{Path: "/v2/version", Status: 403}) }, map[string]string{"service": "failed"}, nil},
		"a proxy that refuses": {func(w *world) {
			w.box.Order(sandbox.Fault{Host: "compute.api.globus.org", Method: "CONNECT", Status: 403})
		}, map[string]string{"service": "failed"}, nil},
		"a certificate of nobody": {func(w *world) { w.env["GLOBUS_SDK_VERIFY_SSL"], w.env["SSL_CERT_FILE"] = "", "" }, map[string]string{"service": "failed"}, nil},
		"a daemon too old":        {func(w *world) { w.box.Configure(func(s *sandbox.Settings) { s.MinimumVersion = "99.0" }) }, map[string]string{"service": "failed"}, nil},
		"a clock ahead":           {func(w *world) { w.date(-10 * time.Minute) }, map[string]string{"clock": "failed"}, nil},
		"a clock a bit behind":    {func(w *world) { w.date(90 * time.Second) }, map[string]string{"clock": "warning"}, nil},
		"nobody logged in": {func(w *world) {
			if err := os.Remove(filepath.Join(w.dir(), "storage.db")); err != nil {
				w.t.Fatal(err)
			}
			delete(w.env, "GLOBUS_COMPUTE_CLIENT_ID")
			delete(w.env, "GLOBUS_COMPUTE_CLIENT_SECRET")
		}, map[string]string{"login": "failed"}, nil},
		"a login that is refused": {func(w *world) { w.box.Order(sandbox.Fault{Path: "/v2/endpoints", Status: 403, Code: "FORBIDDEN"}) }, map[string]string{"login": "failed"}, nil},
		"an amqp_port that is closed": {func(w *world) {
			w.write("mesa/config.yaml", "display_name: mesa\nemail: me@example.org\namqp_port: 9\n")
		}, map[string]string{"broker": "failed"}, nil},
		"a config that is none": {func(w *world) { w.write("mesa/config.yaml", "debug: [\n") }, map[string]string{"files": "failed"}, nil},
		"half of endpoint.json": {func(w *world) { w.write("mesa/endpoint.json", `{"endpo`) }, map[string]string{"files": "failed"}, nil},
		"a daemon that crashed": {func(w *world) { w.crash() }, map[string]string{"endpoint": "failed"}, map[string]string{"endpoint": "fixed"}},
		"a registration that is gone": {func(w *world) {
			w.write("mesa/endpoint.json", `{"endpoint_id": "6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11"}`)
		}, map[string]string{"endpoint": "failed"}, nil},
		"a user endpoint without its daemon": {func(w *world) { w.outlive() }, map[string]string{"user-endpoints": "failed"}, nil},
		"a user endpoint's directory": {func(w *world) {
			w.write("uep.6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11.0c5a62d3-9d38-4d43-8d12-0a4f2e9cf6a1/endpoint.log", "")
		}, map[string]string{"user-endpoints": "warning"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.seed(w)
			if diff := cmp.Diff(tt.want, w.examine(doctor.ExamineOptions{})); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			if tt.fixed == nil {
				return
			}
			if diff := cmp.Diff(tt.fixed, w.examine(doctor.ExamineOptions{Fix: true})); diff != "" {
				t.Fatalf("with Fix (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]string{}, w.examine(doctor.ExamineOptions{})); diff != "" {
				t.Errorf("after it was repaired (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBrokers: what keeps a connection from being made reads differently.
func TestBrokers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		seed func(w *world)
		want string
	}{
		"refuses":     {func(w *world) { w.box.OrderBroker(sandbox.BrokerFault{Kind: "refuse"}) }, "the broker accepts the connection and closes it at once"},
		"port closed": {func(w *world) { w.broker("127.0.0.1:9") }, "the broker could not be reached: connection refused"},
		"firewall":    {func(w *world) { w.broker(sandboxtest.BlackHole(w.t)) }, "nothing answered for 10s: something on the way, such as a firewall, drops the packets"},
		"no broker":   {func(w *world) { w.broker(w.listener("SSH-2.0-OpenSSH_9.6\r\n")) }, "what answers at the broker's port does not speak AMQP"},
		"silent":      {func(w *world) { w.broker(w.listener("")) }, "the broker accepts the connection and sends nothing for 10s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.seed(w)
			found, err := w.doctor().Examine(t.Context(), doctor.ExamineOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, f := range found {
				if f.Verdict != doctor.OK {
					_, got[f.Check], _ = strings.Cut(f.Evidence, ": ")
				}
			}
			if diff := cmp.Diff(map[string]string{"broker": tt.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// listener is the address of something that takes connections, says one thing
// and no more.
func (w *world) listener(says string) string {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte(says)) // whether it is heard is the caller's affair
			w.t.Cleanup(func() { conn.Close() })
		}
	}()
	return l.Addr().String()
}

// TestOffline wants nobody asked.
func TestOffline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := len(w.box.Journal())
	if got := w.examine(doctor.ExamineOptions{Offline: true}); len(got) > 0 {
		t.Errorf("found %v", got)
	}
	if after := len(w.box.Journal()); after != before {
		t.Errorf("%d requests", after-before)
	}
}
