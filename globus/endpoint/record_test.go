package endpoint_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"chiltepin/globus/auth"
	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

var record = flag.Bool("record", false, "record the daemon's failures anew, in globus/daemon/testdata/failures")

// failing is a way in which the real daemon fails.
type failing struct {
	// order brings the failure about, before the daemon is launched by hand.
	order func(w *world)
	// env is added to its environment, args replace "start mesa".
	env, args []string
	// in is a command that the daemon is run in, such as a namespace of its own.
	in []string
	// person is true when a person logged in, not client credentials; nobody
	// when none did.
	person, nobody bool
	// lives is a text in the log of a daemon that does not end by itself.
	lives string
}

func ordered(f sandbox.Fault) failing {
	return failing{order: func(w *world) { w.box.Order(f) }}
}

func registration(status int, code string) failing {
	return ordered(sandbox.Fault{Method: "POST", Path: "/v3/endpoints", Status: status, Code: code, Detail: "as ordered"})
}

func brokerFault(lives string, f sandbox.BrokerFault) failing {
	return failing{order: func(w *world) { w.box.OrderBroker(f) }, lives: lives}
}

// shadow puts a Python module before the runtime's own.
func shadow(name, text string) failing {
	return failing{order: func(w *world) {
		w.write(name, text)
	}, env: []string{"PYTHONPATH=HOME/gc/mesa"}}
}

func failings() map[string]failing {
	expire := func(w *world) {
		w.box.ExpireTokens("access")
		w.box.SetClock(72 * time.Hour)
	}
	const mount = "mount -t tmpfs -o size=%s tmpfs HOME/small && cp -a HOME/gc HOME/small/ && %s; exec \"$@\""
	small := func(size, then string) failing {
		return failing{
			order: func(w *world) {
				if err := os.Mkdir(filepath.Join(w.home, "small"), 0o700); err != nil {
					w.t.Fatal(err)
				}
			},
			in:  []string{"unshare", "-rm", "sh", "-c", fmt.Sprintf(mount, size, then), "sh"},
			env: []string{"GLOBUS_COMPUTE_USER_DIR=HOME/small/gc"},
		}
	}
	return map[string]failing{
		"identity-unknown": ordered(sandbox.Fault{Method: "GET", Path: "/v2/oauth2/userinfo", Status: 403, Code: "FORBIDDEN", Detail: "as ordered"}),
		"login-expired": {person: true, order: func(w *world) {
			expire(w)
			w.box.RevokeTokens("refresh")
		}},
		"login-refused": {person: true, order: func(w *world) {
			expire(w)
			w.box.Order(sandbox.Fault{Path: "/v2/oauth2/token", Status: 403, Code: "access_denied", Detail: "as ordered"})
		}},
		"login-missing": {nobody: true},
		"another-runs": {order: func(w *world) {
			w.write("daemon.pid", "1\n")
		}},
		"registration-locked":  registration(423, "ENDPOINT_LOCKED"),
		"registration-gone":    registration(404, "ENDPOINT_NOT_FOUND"),
		"registration-refused": registration(422, "SEMANTICALLY_INVALID"),
		"email-missing":        {order: func(w *world) { w.write("config.yaml", "display_name: mesa\n") }},
		"config-engine":        {order: func(w *world) { w.write("config.yaml", "engine:\n  type: ThreadPoolEngine\n") }},
		"config-invalid":       {order: func(w *world) { w.write("config.yaml", "display_name: mesa\nno_such_option: true\n") }},
		"config-missing":       {args: []string{"start", "nomesa"}},
		"daemon-too-old":       {order: func(w *world) { w.box.Configure(func(s *sandbox.Settings) { s.MinimumVersion = "99.0.0" }) }},
		"answer-401":           registration(401, "UNAUTHORIZED"),
		"answer-403":           registration(403, "ACCESS_FORBIDDEN"),
		"answer-429":           registration(429, "TOO_MANY_REQUESTS"),
		"answer-500":           registration(500, "INTERNAL_ERROR"),
		"broker-login":         brokerFault("", sandbox.BrokerFault{Kind: "auth"}),
		"certificate":          {env: []string{"GLOBUS_SDK_VERIFY_SSL=yes"}},
		"name-unknown":         {env: []string{"HTTPS_PROXY=", "https_proxy=", "GLOBUS_SDK_SERVICE_URL_AUTH=https://auth.invalid/", "GLOBUS_SDK_ENVIRONMENT=preview"}},
		"proxy-unreachable":    {env: []string{"HTTPS_PROXY=http://127.0.0.1:9", "https_proxy=http://127.0.0.1:9"}},
		"proxy-refuses":        ordered(sandbox.Fault{Host: "compute.api.globus.org", Method: "CONNECT", Status: 403}),
		"service-silent":       {order: func(w *world) { w.box.Order(sandbox.Fault{Method: "POST", Path: "/v3/endpoints", Hang: true}) }, env: []string{"GLOBUS_SDK_HTTP_TIMEOUT=1"}},
		"service-unreachable":  ordered(sandbox.Fault{Method: "POST", Path: "/v3/endpoints", Drop: true}),
		"disk-full":            small("256k", "head -c 1m /dev/zero > HOME/small/fill 2>/dev/null"),
		"disk-read-only":       small("1m", "mount -o remount,ro HOME/small"),
		"module-missing":       shadow("pika.py", "import no_such_module\n"),
		"module-unfit":         shadow("cachetools.py", "# another release\n"),
		"store-unreadable": {order: func(w *world) {
			store := filepath.Join(w.Dir.Path(), "storage.db")
			if err := errors.Join(os.Remove(store), os.Mkdir(store, 0o700)); err != nil {
				w.t.Fatal(err)
			}
		}},
		"store-locked": {order: func(w *world) {
			holder := exec.Command(w.py.Python, "-c", "import sqlite3,sys,time; c=sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('begin exclusive'); print('held', flush=True); time.sleep(120)", filepath.Join(w.Dir.Path(), "storage.db"))
			out, err := holder.StdoutPipe()
			if err == nil {
				err = holder.Start()
			}
			if err == nil {
				_, err = out.Read(make([]byte, 4))
			}
			if err != nil {
				w.t.Fatal(err)
			}
			w.t.Cleanup(func() { _ = holder.Process.Kill(); _ = holder.Wait() })
		}},

		// These do not end it.
		"broker-refused": brokerFault(`ResultPublisher.*Failed to open connection`, sandbox.BrokerFault{Kind: "refuse"}),
		"broker-silent": {order: func(w *world) {
			silent, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				w.t.Fatal(err)
			}
			w.t.Cleanup(func() { silent.Close() })
			w.box.Order(sandbox.Fault{Method: "POST", Path: "/v3/endpoints", Body: new(strings.ReplaceAll(registered, "BROKER", silent.Addr().String()))})
		}, lives: `ResultPublisher.*Failed to open connection`},
		"broker-closes": brokerFault(`ResultPublisher.*Unable to sustain connection`, sandbox.BrokerFault{Kind: "close", Method: "basic.publish"}),
		"broker-mute": {order: func(w *world) {
			// The password is right for commands and wrong for heartbeats.
			right := regexp.MustCompile(`"(heartbeat|result)_queue_info": \{"connection_url": "amqp://[^:]*:`)
			body := right.ReplaceAllString(w.register(), "${0}not-")
			w.box.Order(sandbox.Fault{Method: "POST", Path: "/v3/endpoints", Body: &body})
		}, lives: `(?s)Awaiting messages.*unrecoverable|unrecoverable.*Awaiting messages`},
		"broker-blocked": {order: func(w *world) {
			w.box.Order(sandbox.Fault{Method: "POST", Path: "/v3/endpoints", Body: new(strings.ReplaceAll(registered, "BROKER", sandboxtest.BlackHole(w.t)))})
		}, lives: `ResultPublisher.*Failed to open connection`},
		"broker-port-closed": {order: func(w *world) {
			w.box.Order(sandbox.Fault{Method: "POST", Path: "/v3/endpoints", Body: new(strings.ReplaceAll(registered, "BROKER", "127.0.0.1:9"))})
		}, lives: `ResultPublisher.*Failed to open connection`},
	}
}

// registered is the service's answer to a registration.
const registered = `{"endpoint_id":"6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11","warnings":[],
"command_queue_info":{"connection_url":"amqp://someone:nothing@BROKER/","queue":"6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11.commands"},
"heartbeat_queue_info":{"connection_url":"amqp://someone:nothing@BROKER/","queue":"heartbeats","exchange":"heartbeats","queue_publish_kwargs":{"exchange":"heartbeats","routing_key":"6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11.heartbeats","mandatory":true,"properties":{"delivery_mode":2}}}}`

// register registers an endpoint as the daemon does, and returns the service's
// answer.
func (w *world) register() string {
	w.t.Helper()
	const code = `import json; from globus_compute_sdk import Client
print(json.dumps(Client().register_endpoint("mesa", None, multi_user=True), default=dict, sort_keys=True))`
	cmd := exec.Command(w.py.Bin("python"), "-c", code)
	cmd.Env, cmd.Dir = append(append([]string{}, w.Environ...), "GLOBUS_COMPUTE_USER_DIR="+w.Dir.Path()), w.home
	answer, err := cmd.Output()
	if err != nil {
		w.t.Fatal(err)
	}
	return string(answer)
}

// TestRecords wants a record of every failure that can be brought about, and
// with -record makes them, which takes minutes.
func TestRecords(t *testing.T) {
	t.Parallel()
	for name, f := range failings() {
		path := filepath.Join("..", "daemon", "testdata", "failures", name+".txtar")
		if *record {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, runtimetest.Newest)
				if err := os.WriteFile(path, f.record(w), 0o644); err != nil {
					t.Fatal(err)
				}
			})
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%v; record it with: make record", err)
		}
	}
}

// record runs the daemon to its end, or until it has said what it lives
// through, and returns what it left.
func (f failing) record(w *world) []byte {
	w.t.Helper()
	if f.person || f.nobody {
		w.relogin(f.person)
	}
	if f.order != nil {
		f.order(w)
	}
	fill := strings.NewReplacer("HOME", w.home)
	args := []string{w.py.Bin("globus-compute-endpoint"), "start", "mesa"}
	if f.args != nil {
		args = append(args[:1], f.args...)
	}
	args = append(append([]string(nil), f.in...), args...)
	for i := range args {
		args[i] = fill.Replace(args[i])
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(append([]string{}, w.Environ...), "GLOBUS_COMPUTE_USER_DIR="+w.Dir.Path())
	for _, v := range f.env {
		cmd.Env = append(cmd.Env, fill.Replace(v))
	}
	if f.person || f.nobody {
		cmd.Env = append(cmd.Env, "GLOBUS_COMPUTE_CLIENT_SECRET=", "GLOBUS_COMPUTE_CLIENT_ID=")
	}
	cmd.Dir = w.home
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var printed strings.Builder
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	log := filepath.Join(w.path(), "endpoint.log")
	if f.lives != "" {
		said := regexp.MustCompile(f.lives)
		for text := ""; !said.MatchString(text); {
			if ctx.Err() != nil {
				w.t.Fatalf("it never said %s:\n%s", said, text)
			}
			time.Sleep(100 * time.Millisecond)
			data, _ := os.ReadFile(log)
			text = string(data)
		}
		_ = cmd.Process.Signal(syscall.SIGKILL)
	}
	_ = cmd.Wait() // its status is looked at
	if ctx.Err() != nil {
		w.t.Fatalf("it did not end:\n%s", printed.String())
	}
	data, err := os.ReadFile(log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Fatal(err)
	}
	status := fmt.Sprintln(cmd.ProcessState.ExitCode())
	if f.lives != "" {
		status = "lives\n"
	}
	a := &txtar.Archive{Comment: []byte("What globus-compute-endpoint 4.19.0 left of a start; see record_test.go.\n"), Files: []txtar.File{
		{Name: "status", Data: []byte(status)},
		{Name: "endpoint.log", Data: w.neutral(string(data))},
		{Name: "printed", Data: w.neutral(printed.String())},
	}}
	return txtar.Format(a)
}

// neutral takes out of a text what says on which machine it was recorded, and
// fails if a secret is in it.
func (w *world) neutral(text string) []byte {
	w.t.Helper()
	host, err := os.Hostname()
	if err != nil {
		w.t.Fatal(err)
	}
	text = strings.NewReplacer(w.home, "/home/robin", host, "login1").Replace(text)
	text = regexp.MustCompile(`/[^\s"']*/build/python/[a-z0-9]+-[0-9a-f]{12}`).ReplaceAllString(text, "/opt/gce")
	text = regexp.MustCompile(`/[^\s"']*/lib/python3\.`).ReplaceAllStringFunc(text, func(path string) string {
		if strings.HasPrefix(path, "/opt/gce/") {
			return path
		}
		return "/usr/lib/python3."
	})
	text = regexp.MustCompile(`127\.0\.0\.1(:|', )\d+`).ReplaceAllString(text, "127.0.0.1${1}4711")
	text = regexp.MustCompile(`(code_challenge|client_id|state)=[^&\s]+`).ReplaceAllString(text, "$1=…")
	if leaks := w.box.Leaks(text); len(leaks) > 0 {
		w.t.Fatalf("the record holds %v", leaks)
	}
	return []byte(text)
}

// relogin forgets the login by client credentials, and has a person log in.
func (w *world) relogin(person bool) {
	w.t.Helper()
	if err := os.Remove(filepath.Join(w.Dir.Path(), "storage.db")); err != nil {
		w.t.Fatal(err)
	}
	if !person {
		return
	}
	accounts := w.accounts(func(name string) bool { return strings.HasPrefix(name, "GLOBUS_COMPUTE_CLIENT_") })
	_, err := accounts.Login(w.t.Context(), auth.LoginOptions{Services: []string{auth.Compute}, Ask: func(ctx context.Context, url string) (string, error) {
		return sandboxtest.Consent(ctx, w.box.RoundTripper(), url)
	}})
	if err != nil {
		w.t.Fatal(err)
	}
}
