// Package python holds nothing but tests: the Python module beside this file,
// built into a wheel, installed into fresh virtual environments and used there
// with the real daemon against the stand-in for Globus.
//
// It is never part of the program.
package python

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// made is where what the tests build goes.
var made string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if made, err = os.MkdirTemp("", "clients-python-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(made)
		return m.Run()
	}())
}

// wheel builds the wheel for this machine, as a person does, once a test run,
// and returns its path.
var wheel = sync.OnceValues(func() (string, error) {
	out := filepath.Join(made, "wheel")
	c := exec.Command("make", "-C", "../..", "--no-print-directory", "wheel", "WHEEL_ARCHS="+runtime.GOARCH, "WHEELS="+out)
	// What a make around this test was told is not for this one.
	c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=") || strings.HasPrefix(v, "VERSION=")
	})
	if text, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make wheel: %w\n%s", err, text)
	}
	found, err := filepath.Glob(filepath.Join(out, "*.whl"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("make wheel made %q", found)
	}
	return found[0], nil
})

func built(t testing.TB) string {
	t.Helper()
	path, err := wheel()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// venv is a fresh virtual environment, the test's own.
type venv struct{ dir, python, site string }

// newVenv makes an environment that is empty, but for the packages of others,
// which it sees as if they had been installed into it, less those whose names
// begin with one of without.
func newVenv(t testing.TB, others *runtimetest.PythonEnvironment, without ...string) venv {
	t.Helper()
	base := runtimetest.Env(t, runtimetest.API)
	if others != nil {
		base = *others
	}
	v := venv{dir: filepath.Join(t.TempDir(), "venv")}
	output(t, nil, base.Python, "-m", "venv", "--without-pip", v.dir)
	v.python = filepath.Join(v.dir, "bin", "python")
	v.site = site(t, v.dir)
	if others == nil {
		return v
	}
	packages := site(t, others.Dir)
	entries, err := os.ReadDir(packages)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if slices.ContainsFunc(without, func(name string) bool { return strings.HasPrefix(e.Name(), name) }) {
			continue
		}
		if err := os.Symlink(filepath.Join(packages, e.Name()), filepath.Join(v.site, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

func site(t testing.TB, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "lib", "python3.*", "site-packages"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the packages of %s are in %q", dir, found)
	}
	return found[0]
}

// pip runs pip on the environment.
func (v venv) pip(t testing.TB, args ...string) {
	t.Helper()
	base := runtimetest.Env(t, runtimetest.API)
	output(t, nil, base.Python, append([]string{"-m", "pip", "--python", v.python, "--disable-pip-version-check", "--no-input", "--no-cache-dir"}, args...)...)
}

// install installs wheels as they are.
func (v venv) install(t testing.TB, wheels ...string) {
	t.Helper()
	v.pip(t, append([]string{"install", "--quiet", "--no-index", "--no-deps"}, wheels...)...)
}

// account is one person's home on this machine, with the stand-in in place of
// Globus and the real daemon.
type account struct {
	home string
	env  []string
}

// newAccount makes a home. Whoever is logged in there is a client with a
// secret, so that no person is asked.
func newAccount(t testing.TB, box *sandboxtest.Box) *account {
	t.Helper()
	a := &account{home: t.TempDir()}
	daemon := runtimetest.Env(t, runtimetest.Newest)
	a.env = []string{
		"HOME=" + a.home,
		"XDG_DATA_HOME=" + filepath.Join(a.home, "data"),
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"CHILTEPIN_RUNTIME=" + daemon.Bin("globus-compute-endpoint"),
		"EMAIL=me@example.org",
		"PYTHONDONTWRITEBYTECODE=1",
	}
	for _, pair := range append(box.Env(), box.ClientCredentials()...) {
		if _, value, _ := strings.Cut(pair, "="); value != "" {
			a.env = append(a.env, pair)
		}
	}
	t.Cleanup(func() {
		// A server takes an instant to see that its client has ended.
		for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
			left := a.processes(t)
			if len(left) == 0 {
				return
			}
			if time.Now().After(deadline) {
				for pid, command := range left {
					t.Errorf("left running: %d %s", pid, command)
					if p, err := os.FindProcess(pid); err == nil {
						_ = p.Kill()
					}
				}
				return
			}
		}
	})
	return a
}

// processes are those that run in the account now: its home is nobody else's.
func (a *account) processes(t testing.TB) map[int]string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]string{}
	for _, file := range files {
		env, err := os.ReadFile(file)
		if err != nil || !slices.Contains(strings.Split(string(env), "\x00"), "HOME="+a.home) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(file, "/proc/%d/", &pid); err != nil {
			t.Fatal(err)
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline")) // it may have ended by now
		found[pid] = strings.ReplaceAll(string(line), "\x00", " ")
	}
	return found
}

// run runs a Python program in the account and returns what it printed.
func (a *account) run(t testing.TB, v venv, args ...string) string {
	t.Helper()
	return output(t, a.env, v.python, args...)
}

// output runs a program to its end and returns all that it printed. A nil
// environment is the test's own.
func output(t testing.TB, env []string, name string, args ...string) string {
	t.Helper()
	text, err := run(t, env, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, text)
	}
	return text
}

func run(t testing.TB, env []string, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Env = env
	var text bytes.Buffer
	c.Stdout, c.Stderr = &text, &text
	c.WaitDelay = 10 * time.Second
	err := c.Run()
	return text.String(), err
}
