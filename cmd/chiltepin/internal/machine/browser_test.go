package machine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// with is a machine with these variables, and a PATH of programs that do
// nothing.
func with(t *testing.T, vars map[string]string, programs ...string) Host {
	t.Helper()
	dir := t.TempDir()
	for _, name := range programs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return Host{Getenv: func(name string) string {
		if name == "PATH" {
			return dir
		}
		return vars[name]
	}}
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	all := []string{"xdg-open", "firefox", "lynx", "w3m", "wslview", "rundll32.exe", "helper"}
	for name, test := range map[string]struct {
		vars     map[string]string
		programs []string
		want     string
		remote   bool
	}{
		"nothing is there":         {nil, all, "", false},
		"a desktop":                {map[string]string{"DISPLAY": ":0"}, all, "xdg-open", false},
		"Wayland":                  {map[string]string{"WAYLAND_DISPLAY": "wayland-0"}, []string{"firefox"}, "firefox", false},
		"a desktop without any":    {map[string]string{"DISPLAY": ":0"}, []string{"lynx"}, "", false},
		"by ssh":                   {map[string]string{"SSH_CONNECTION": "1 2 3 4"}, all, "", true},
		"by ssh with X forwarded":  {map[string]string{"SSH_CONNECTION": "1 2 3 4", "DISPLAY": "localhost:10.0"}, all, "", true},
		"an editor by ssh":         {map[string]string{"SSH_CONNECTION": "1 2 3 4", "BROWSER": "helper"}, all, "helper", true},
		"a text browser":           {map[string]string{"BROWSER": "lynx", "DISPLAY": ":0"}, all, "", false},
		"several":                  {map[string]string{"BROWSER": "w3m:gone:firefox -P work %s"}, all, "firefox -P work %s", false},
		"WSL":                      {map[string]string{"WSL_DISTRO_NAME": "Debian", "DISPLAY": ":0"}, all, "wslview", false},
		"WSL without wslview":      {map[string]string{"WSL_INTEROP": "/run/x"}, []string{"rundll32.exe"}, "rundll32.exe url.dll,FileProtocolHandler", false},
		"a terminal by ssh (rsh)":  {map[string]string{"SSH_TTY": "/dev/pts/1"}, all, "", true},
		"a client by ssh (legacy)": {map[string]string{"SSH_CLIENT": "1 2 3"}, all, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := with(t, test.vars, test.programs...)
			command := m.findBrowser()
			if len(command) > 0 {
				command[0] = filepath.Base(command[0])
			}
			if got := strings.Join(command, " "); got != test.want || m.isRemote() != test.remote {
				t.Errorf("browser %q, remote %v; want %q, %v", got, m.isRemote(), test.want, test.remote)
			}
		})
	}
}

// The browser gets the address in its place, no secret, no terminal, and a
// session of its own; one that fails is told.
func TestOpenBrowser(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program, out := filepath.Join(dir, "b"), filepath.Join(dir, "out")
	script := "#!/bin/sh\n{ echo \"$@\"; env; readlink /proc/self/fd/0; } >" + out + ".part; mv " + out + ".part " + out + "\n[ \"$1\" != fail ] || exit 3\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	m := Host{Environ: []string{"PATH=" + os.Getenv("PATH"), "GLOBUS_COMPUTE_CLIENT_SECRET=hush1", "MY_TOKEN=hush2", "KEEP=kept"}}
	if err := m.openBrowser(t.Context(), []string{program, "-u", "%s", "-q"}, "http://127.0.0.1:1/login/x"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	if !strings.HasPrefix(got, "-u http://127.0.0.1:1/login/x -q\n") || strings.Contains(got, "hush") || !strings.Contains(got, "KEEP=kept") || !strings.Contains(got, "/dev/null") {
		t.Errorf("the browser saw:\n%s", got)
	}
	if err := m.openBrowser(t.Context(), []string{program, "fail"}, "u"); err == nil || err.Error() != "opening a browser: b ended with exit status 3" {
		t.Error(err)
	}
	if err := m.openBrowser(t.Context(), []string{filepath.Join(dir, "gone")}, "u"); err == nil {
		t.Error("a browser that is not there was opened")
	}
	began := time.Now()
	if err := m.openBrowser(t.Context(), []string{"/bin/sleep"}, "60"); err != nil || time.Since(began) < patience {
		t.Errorf("one that runs on: %v", err)
	}
}

// A browser on this machine gets a file of ours alone, which leads to the address
// and is gone afterwards; one elsewhere gets the address.
func TestOpenBrowserPrivately(t *testing.T) {
	t.Parallel()
	const address = "http://127.0.0.1:1/login/secret"
	for name, test := range map[string]struct {
		vars map[string]string
		file string // below the home directory, "" for the address
	}{
		"no session":         {map[string]string{"DISPLAY": ":0"}, ".local/state/chiltepin-login/login-"},
		"a session":          {map[string]string{"XDG_RUNTIME_DIR": "run"}, "run/chiltepin-login/login-"},
		"an open session":    {map[string]string{"XDG_RUNTIME_DIR": "open"}, ".local/state/chiltepin-login/login-"},
		"another state":      {map[string]string{"XDG_STATE_HOME": "state"}, "state/chiltepin-login/login-"},
		"by ssh":             {map[string]string{"SSH_CONNECTION": "1 2 3 4"}, ""},
		"WSL":                {map[string]string{"WSL_INTEROP": "/run/x"}, ""},
		"an editor's helper": {map[string]string{"VSCODE_IPC_HOOK_CLI": "/run/x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			for dir, mode := range map[string]os.FileMode{"run": 0o700, "open": 0o755, "state": 0o700} {
				if err := os.Mkdir(filepath.Join(home, dir), mode); err != nil {
					t.Fatal(err)
				}
			}
			program, out := filepath.Join(home, "b"), filepath.Join(home, "out")
			if err := os.WriteFile(program, []byte("#!/bin/sh\nprintf %s \"$*\" >"+out+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			m := Host{Getenv: func(name string) string {
				value := test.vars[name]
				if strings.HasPrefix(name, "XDG_") && value != "" {
					value = filepath.Join(home, value)
				}
				return value
			}}
			forget, err := m.openBrowserPrivately(t.Context(), []string{program}, home, address)
			if err != nil {
				t.Fatal(err)
			}
			saw, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if test.file == "" {
				if string(saw) != address || forget != nil {
					t.Errorf("opened with %s", saw)
				}
				return
			}
			path, ok := strings.CutPrefix(string(saw), "file://")
			if !ok || !strings.HasPrefix(path, filepath.Join(home, test.file)) {
				t.Fatalf("opened with %s", saw)
			}
			text, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(text), `content="0; url=`+address+`"`) {
				t.Errorf("%s, %v", text, err)
			}
			for at, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): os.ModeDir | 0o700} {
				if info, err := os.Stat(at); err != nil || info.Mode() != want {
					t.Errorf("%s: %v, %v", at, info.Mode(), err)
				}
			}
			forget()
			if _, err := os.Stat(filepath.Dir(path)); err == nil {
				t.Error("it is still there")
			}
		})
	}
	// A directory that somebody else has put there is not used.
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".local/state/chiltepin-login"), 0o777); err != nil {
		t.Fatal(err)
	}
	m := Host{Getenv: func(string) string { return "" }}
	if _, err := m.openBrowserPrivately(t.Context(), []string{"/bin/true"}, home, address); err == nil {
		t.Error("a directory that others can read was used")
	}
}

// Who looks for a runtime, or installs one, gets no secret of the login, and
// keeps those of a registry.
func TestRuntimeGetsNoSecret(t *testing.T) {
	t.Parallel()
	f, err := Host{
		Environ: []string{"GLOBUS_COMPUTE_CLIENT_ID=id", "GLOBUS_COMPUTE_CLIENT_SECRET=hush", "ACADEMY_GLOBUS_CLIENT_SECRET=hush", "UV_INDEX_X_PASSWORD=registry"},
		Getenv:  func(string) string { return "" },
	}.runtimeFinder("")
	if diff := cmp.Diff([]string{"GLOBUS_COMPUTE_CLIENT_ID=id", "UV_INDEX_X_PASSWORD=registry"}, f.Environ); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	const good = "# for the robot\nexport GLOBUS_COMPUTE_CLIENT_ID=abc\nGLOBUS_COMPUTE_CLIENT_SECRET=\"hush\"\n"
	for name, test := range map[string]struct {
		text string
		mode os.FileMode
		want string // the end of the message; "" for success
	}{
		"good":           {good, 0o600, ""},
		"read only":      {good, 0o400, ""},
		"world-readable": {good, 0o644, "others may read it"},
		"group-readable": {good, 0o640, "others may read it"},
		"empty":          {"", 0o600, "it does not hold an id and a secret"},
		"no id":          {"GLOBUS_COMPUTE_CLIENT_SECRET=hush\n", 0o600, "it does not hold an id and a secret"},
		"something else": {good + "PATH=/tmp\n", 0o600, "it does not hold an id and a secret"},
		"a script":       {"GLOBUS_COMPUTE_CLIENT_ID=$(id)\nGLOBUS_COMPUTE_CLIENT_SECRET=x", 0o600, "it does not hold an id and a secret"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "robot.env")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, test.mode); err != nil {
				t.Fatal(err)
			}
			vars := map[string]string{"CHILTEPIN_CREDENTIALS": path, "GLOBUS_COMPUTE_CLIENT_ID": "of the environment"}
			m, err := Host{Environ: []string{"A=b", "GLOBUS_COMPUTE_CLIENT_ID=of the environment"}, Getenv: func(name string) string { return vars[name] }}.withCredentials()
			if test.want != "" {
				if err == nil || !strings.HasSuffix(err.Error(), ": "+test.want) || strings.Contains(err.Error(), "hush") {
					t.Errorf("%v, want %q", err, test.want)
				}
				return
			}
			if err != nil || m.Getenv("GLOBUS_COMPUTE_CLIENT_ID") != "abc" || m.Getenv("GLOBUS_COMPUTE_CLIENT_SECRET") != "hush" {
				t.Error(err)
			}
			if diff := cmp.Diff(3, len(m.Environ)); diff != "" || m.Environ[0] != "A=b" {
				t.Error(m.Environ)
			}
		})
	}
	m := Host{Getenv: func(string) string { return filepath.Join(t.TempDir(), "gone") }}
	if _, err := m.withCredentials(); err == nil {
		t.Error("a file that is not there was read")
	}
}

func FuzzCredentials(f *testing.F) {
	f.Add("GLOBUS_COMPUTE_CLIENT_ID=a\nGLOBUS_COMPUTE_CLIENT_SECRET='b'\n")
	f.Add("export GLOBUS_COMPUTE_CLIENT_ID=\"")
	f.Fuzz(func(t *testing.T, text string) {
		given, ok := parseCredentials(text)
		if !ok {
			return
		}
		for name, value := range given {
			if !strings.HasPrefix(name, "GLOBUS_COMPUTE_CLIENT_") || strings.ContainsAny(value, "\n\"'$`\\ ") {
				t.Fatalf("%q gave %q=%q", text, name, value)
			}
		}
	})
}
