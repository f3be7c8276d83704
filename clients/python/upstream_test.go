package python

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofrs/flock"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// upstream returns the directory in which Python Chiltepin's source
// distribution, unpacked, and its wheel are, as PyPI has them. They are
// downloaded once in a clone, into build at its top, and checked against the
// hashes that the lock of the environments has.
func upstream(t testing.TB) string {
	t.Helper()
	const root = "../../build/upstream"
	dir, err := filepath.Abs(filepath.Join(root, "chiltepin-0.1.7"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(dir + ".lock")
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return dir
	}
	tmp := dir + ".tmp"
	if err := errors.Join(os.RemoveAll(tmp), os.Mkdir(tmp, 0o700)); err != nil {
		t.Fatal(err)
	}
	pin := filepath.Join(tmp, "requirements.txt")
	if err := os.WriteFile(pin, []byte(locked(t, "chiltepin")), 0o600); err != nil {
		t.Fatal(err)
	}
	base := runtimetest.Env(t, runtimetest.API)
	for _, kind := range []string{"--no-binary", "--only-binary"} {
		out, err := run(t, nil, base.Python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps",
			"--no-build-isolation", "--require-hashes", kind, ":all:", "--dest", tmp, "-r", pin)
		if err != nil {
			t.Fatalf("downloading Python Chiltepin: %v\n%s\nnext: see that pip reaches a package registry, then run the test again", err, out)
		}
	}
	output(t, nil, base.Python, "-m", "tarfile", "-e", filepath.Join(tmp, "chiltepin-0.1.7.tar.gz"), tmp)
	// Only what is complete gets the name.
	if err := os.Rename(tmp, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// locked returns the lines that pin a package in the lock of the newest
// environment, with its hashes.
func locked(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../testdata/python/newest.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n"+name+"==")
	if !found {
		t.Fatalf("no pin of %s", name)
	}
	pin := name + "=="
	for line := range strings.Lines(rest) {
		pin += line
		if !strings.HasSuffix(line, "\\\n") {
			break
		}
	}
	return pin
}

// testUpstream runs Python Chiltepin's own tests of its endpoint module and of
// its command line with our module in the place of the original. Each that
// fails must be in the list, and each in the list must fail.
func testUpstream(t *testing.T, box *sandboxtest.Box, v venv) {
	a := newAccount(t, box)
	source := filepath.Join(upstream(t), "chiltepin-0.1.7")
	// They write beside themselves.
	dir := t.TempDir()
	for _, name := range []string{"test_endpoint.py", "test_cli.py"} {
		text, err := os.ReadFile(filepath.Join(source, "tests", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plugins, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	outcomes := filepath.Join(dir, "outcomes")
	a.env = append(a.env, "PYTHONPATH="+filepath.Join(source, "src")+string(os.PathListSeparator)+plugins, "OUTCOMES="+outcomes)
	a.run(t, v, "-m", "chiltepin_endpoint", "login")
	text, err := run(t, a.env, v.python, "-m", "pytest", "-q", "--rootdir", dir, "-p", "no:cacheprovider", "-p", "instead",
		"--import-mode=importlib", "--tb=short", filepath.Join(dir, "test_endpoint.py"), filepath.Join(dir, "test_cli.py"))
	// 1 is pytest's status for tests that failed.
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) {
		t.Fatalf("pytest: %v\n%s", err, text)
	}
	got := map[string]string{}
	for line := range strings.Lines(read(t, outcomes)) {
		outcome, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		got[name] = outcome
	}
	failed := false
	expected := expectedFailures(t)
	for name, outcome := range got {
		_, listed := expected[name]
		switch {
		case outcome == "passed" && listed:
			t.Errorf("%s passes now: take it out of the list", name)
		case outcome != "passed" && !listed:
			t.Errorf("%s: %s", name, outcome)
			failed = true
		}
	}
	for name := range expected {
		if got[name] == "" {
			t.Errorf("%s is in the list, and there is no such test", name)
		}
	}
	if len(got) != 91 {
		t.Errorf("%d tests were run, want 91", len(got))
	}
	if failed {
		t.Logf("pytest said:\n%s", text)
	}
	for _, leak := range box.Leaks(text) {
		t.Errorf("the output holds %v", leak)
	}
}

// expectedFailures reads the list: the tests that may fail, each with why.
func expectedFailures(t *testing.T) map[string]string {
	t.Helper()
	list := map[string]string{}
	for line := range strings.Lines(read(t, "testdata/upstream-failures.txt")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, ok := strings.Cut(line, " because ")
		if _, twice := list[name]; !ok || reason == "" || twice {
			t.Errorf("upstream-failures.txt: %s", line)
		}
		list[name] = reason
	}
	return list
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(fmt.Errorf("reading what was written: %w", err))
	}
	return string(text)
}
