package venv

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/progress"
)

// script writes an executable shell script.
func script(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// answers is a script that answers the probe as an interpreter of path would.
func answers(path, version, info string) string {
	return `echo a warning; echo '{"executable":"` + path + `","version":"` + version + `","info":` + info + `,"implementation":"cpython","venv":true}'`
}

func TestFindPython(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	real := script(t, filepath.Join(dir, "real"), "exit 0")
	script(t, filepath.Join(dir, "python3"), answers(real, "3.9.18", "[3,9]"))
	script(t, filepath.Join(dir, "python3.13"), "echo 'pyenv: python3.13: command not found' >&2; exit 127")
	script(t, filepath.Join(dir, "python3.12"), strings.Replace(answers(real, "3.12.1", "[3,12]"), "true", "false", 1))
	script(t, filepath.Join(dir, "python3.11"), answers(real, "3.11.7", "[3,11]"))
	script(t, filepath.Join(dir, "pypy"), strings.Replace(answers(real, "3.11.7", "[3,11]"), "cpython", "pypy", 1))
	script(t, filepath.Join(dir, "python3.14"), answers(real, "3.14.0", "[3,14]"))
	script(t, filepath.Join(dir, "chatty"), "echo hello")
	for _, test := range []struct {
		want     string
		needVenv bool
		found    Interpreter
		err      string
	}{
		{"", true, Interpreter{Path: real, Version: "3.11.7", Venv: true}, ""},
		{"", false, Interpreter{Path: real, Version: "3.12.1"}, ""},
		{filepath.Join(dir, "python3.11"), true, Interpreter{Path: real, Version: "3.11.7", Venv: true}, ""},
		{"python3", true, Interpreter{}, "finding Python 3.10 to 3.13: DIR/python3 is Python 3.9.18"},
		{"python3.14", true, Interpreter{}, "finding Python 3.10 to 3.13: DIR/python3.14 is Python 3.14.0"},
		{"python3.12", true, Interpreter{}, "finding Python 3.10 to 3.13: DIR/python3.12 (3.12.1) was packaged without venv and ensurepip"},
		{"python3.13", true, Interpreter{}, "finding Python 3.10 to 3.13: DIR/python3.13 does not start (running python3.13: exit status 127: pyenv: python3.13: command not found)"},
		{"pypy", true, Interpreter{}, "finding Python 3.10 to 3.13: DIR/pypy is pypy, not CPython"},
		{"chatty", true, Interpreter{}, "finding Python 3.10 to 3.13: DIR/chatty is not a Python (invalid character 'h' looking for beginning of value)"},
		{"python2", true, Interpreter{}, "finding Python 3.10 to 3.13: python2 is not there"},
	} {
		got, err := FindPython(t.Context(), test.want, "relative::"+dir, nil, test.needVenv)
		said := ""
		if err != nil {
			said = strings.ReplaceAll(err.Error(), dir, "DIR")
		}
		if got != test.found || said != test.err {
			t.Errorf("FindPython(%q, venv %v) =\n     %+v, %q\nwant %+v, %q", test.want, test.needVenv, got, said, test.found, test.err)
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", keptBytes-len("https://me:secret"))
	var log strings.Builder
	l := &outputLines{log: &log}
	for _, part := range []string{"first\r\nsec", "ond\n\nLooking in https://me:sec@ret@host/simple and git+", "ssh://you:pw@host\n", long + "https://me:secret@host/\n", "last"} {
		if n, err := l.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	l.flushLine()
	want := []string{"first", "second", "Looking in https://***@host/simple and git+ssh://***@host", long + "https://***…", "last"}
	if diff := cmp.Diff(want, l.tail); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if log.String() != strings.Join(want, "\n")+"\n" {
		t.Errorf("the log is %q", log.String())
	}
	for range 100 {
		_, _ = l.Write([]byte("more\n"))
	}
	if len(l.tail) != 20 {
		t.Errorf("%d lines are kept, want 20", len(l.tail))
	}
}

// FuzzLines: however a stream is cut into writes, its lines are the same.
func FuzzLines(f *testing.F) {
	f.Add("one\ntwo https://me:secret@host/\n", 7)
	f.Add(strings.Repeat("long ", 2000)+"\nend", 4095)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		var whole, parts outputLines
		_, _ = whole.Write([]byte(text))
		whole.flushLine()
		cut = min(max(cut, 0), len(text))
		_, _ = parts.Write([]byte(text[:cut]))
		_, _ = parts.Write([]byte(text[cut:]))
		parts.flushLine()
		if diff := cmp.Diff(whole.tail, parts.tail); diff != "" {
			t.Errorf("written at once and in two (-once +two):\n%s", diff)
		}
		for _, line := range whole.tail {
			if len(line) > 2*keptBytes {
				t.Errorf("a line of %d bytes is kept", len(line))
			}
		}
	})
}

func TestEnviron(t *testing.T) {
	t.Parallel()
	got := Environ([]string{"HOME=/home/me", "PIP_INDEX_URL=https://registry.example", "PIP_USER=1", "PIP_TARGET=/t", "PYTHONPATH=/p", "GLOBUS_COMPUTE_ENDPOINT_DIR=/e", "UV_PYTHON=3.9", "UV_CACHE_DIR=/c"})
	want := []string{"HOME=/home/me", "PIP_INDEX_URL=https://registry.example", "UV_CACHE_DIR=/c", "PIP_USER=0", "PYTHONUNBUFFERED=1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Environ (-want +got):\n%s", diff)
	}
}

func TestCreateFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := filepath.Join(dir, "env")
	python := Interpreter{Path: script(t, filepath.Join(dir, "python"), `mkdir "$3"; echo no room; exit 3`), Version: "3.12.1", Venv: true}
	err := Create(t.Context(), BuildOptions{Dir: env, Python: python})
	var failed *CommandError
	if !errors.As(err, &failed) || err.Error() != "running python -m venv: exit status 3: no room" {
		t.Errorf("Create: %v", err)
	}
	if _, err := os.Stat(env); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was begun is still there (%v)", err)
	}
	if err := Create(t.Context(), BuildOptions{Dir: "env", Python: python}); err == nil {
		t.Error("Create in a relative directory succeeded")
	}
}

func TestPipWatch(t *testing.T) {
	t.Parallel()
	var got []progress.Event
	watch := &pipWatch{ctx: progress.With(t.Context(), func(e progress.Event) { got = append(got, e) }), total: 4}
	for _, line := range []string{
		"Ignoring tomli: markers 'python_full_version < \"3.11\"' don't match your environment",
		"Collecting click==8.3.3 (from -r list (line 5))",
		"  Downloading click-8.3.3-py3-none-any.whl (98 kB)",
		"Collecting dill==0.3.9",
		"Collecting pika==1.4.4",
		"Installing collected packages: click, dill, pika",
	} {
		watch.watchLine(line)
	}
	want := []progress.Event{
		{Stage: "collecting", Text: "collecting click", Done: 1, Total: 3},
		{Stage: "collecting", Text: "collecting dill", Done: 2, Total: 3},
		{Stage: "collecting", Text: "collecting pika", Done: 3, Total: 3},
		{Stage: "installing", Text: "installing 3 packages", Done: 3, Total: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

// TestRunEnds: a program that does not end by itself ends with the context,
// together with what it started.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pid := filepath.Join(dir, "pid")
	path := script(t, filepath.Join(dir, "stubborn"), "trap '' TERM; sleep 600 & echo $! > "+pid+".tmp; mv "+pid+".tmp "+pid+"; wait; sleep 600")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started := make(chan struct{})
	go func() {
		for {
			if _, err := os.Stat(pid); err == nil {
				close(started)
				cancel()
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	err := Job{Dir: dir}.Run(ctx, path)
	<-started
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v, want it canceled", err)
	}
	text, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		state, err := os.ReadFile("/proc/" + strings.TrimSpace(string(text)) + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("what it started still runs: %s", state)
		}
	}
}

func TestMaskUserinfo(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][2]string{ // whole, and cut
		"nothing to hide":               {"nothing to hide", "nothing to hide"},
		"https://host/simple":           {"https://host/simple", "https://host/simple"},
		"https://host":                  {"https://host", "https://***"},
		"https://u:p@host/simple":       {"https://***@host/simple", "https://***@host/simple"},
		"https://u:p@q@host x":          {"https://***@host x", "https://***@host x"},
		"https://u:p@host":              {"https://***@host", "https://***"},
		"a://u@h b://v:w@i/ c://":       {"a://***@h b://***@i/ c://", "a://***@h b://***@i/ c://***"},
		"https://@host/":                {"https://@host/", "https://@host/"},
		"mail@host: see https://x/u@y/": {"mail@host: see https://x/u@y/", "mail@host: see https://x/u@y/"},
	} {
		for i, cut := range []bool{false, true} {
			if got := maskUserinfo(line, cut); got != want[i] {
				t.Errorf("%q, cut %v: %q, want %q", line, cut, got, want[i])
			}
		}
	}
}
