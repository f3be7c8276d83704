package clients

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
	"chiltepin/tools/operation"
)

// build builds the program in a directory once a test run and returns its path.
func build(dir, name string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		out := filepath.Join(built, name)
		c := exec.Command("go", "build", "-o", out, ".")
		c.Dir = dir
		if text, err := c.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building %s: %w\n%s", name, err, text)
		}
		return out, nil
	})
}

// world is one person's account on a machine: a home of its own, the stand-in
// in place of Globus, and the server that the client starts in it.
type world struct {
	box    *sandboxtest.Box
	home   string
	server string
	env    map[string]string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	runtimetest.Long(t)
	w := &world{box: sandboxtest.Start(t), home: t.TempDir()}
	var err error
	if w.server, err = chiltepin(); err != nil {
		t.Fatal(err)
	}
	daemon := runtimetest.Env(t, runtimetest.Newest)
	w.env = map[string]string{
		"HOME":              w.home,
		"XDG_DATA_HOME":     filepath.Join(w.home, "data"),
		"PATH":              "/usr/local/bin:/usr/bin:/bin",
		"CHILTEPIN_RUNTIME": daemon.Bin("globus-compute-endpoint"),
	}
	for _, pair := range append(w.box.Env(), w.box.ClientCredentials()...) {
		// What is set to nothing is not there to begin with.
		if name, value, _ := strings.Cut(pair, "="); value != "" {
			w.env[name] = value
		}
	}
	t.Cleanup(func() {
		for _, p := range w.processes(t) {
			t.Errorf("left running: %d %s", p.pid, p.command)
			if left, err := os.FindProcess(p.pid); err == nil {
				_ = left.Kill()
			}
		}
	})
	return w
}

type process struct {
	pid     int
	command string
}

// processes are those that run in the world now: its home is nobody else's.
func (w *world) processes(t *testing.T) []process {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var found []process
	for _, file := range files {
		env, err := os.ReadFile(file)
		if err != nil || !slices.Contains(strings.Split(string(env), "\x00"), "HOME="+w.home) {
			continue
		}
		var p process
		if _, err := fmt.Sscanf(file, "/proc/%d/", &p.pid); err != nil {
			t.Fatal(err)
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline")) // it may have ended by now
		p.command = strings.ReplaceAll(string(line), "\x00", " ")
		found = append(found, p)
	}
	return found
}

// gone waits until every server of the world has ended.
func (w *world) gone(t *testing.T) {
	t.Helper()
	serving := func(p process) bool { return strings.HasPrefix(p.command, w.server+" ") }
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		left := w.processes(t)
		if !slices.ContainsFunc(left, serving) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the client has closed and its server runs on: %v", left)
		}
	}
}

// puppet is a program around a real client.
type puppet struct {
	world *world
	era   string
	in    io.Writer
	out   *bufio.Reader
	said  bytes.Buffer // all it ever answered
}

// pull starts a puppet. It ends with the test.
func (w *world) pull(t *testing.T, era string, program ...string) *puppet {
	t.Helper()
	// The context of the test ends too early: a puppet ends with its input.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Minute)
	c := exec.CommandContext(ctx, program[0], program[1:]...)
	// A puppet has nothing of the world: what the server is to know, the
	// client has to give it.
	c.Env = []string{"PATH=" + w.env["PATH"], "HOME=/nonexistent", "PYTHONDONTWRITEBYTECODE=1"}
	var stderr bytes.Buffer
	c.Stderr = &stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer cancel()
		in.Close()
		if err := c.Wait(); err != nil {
			t.Errorf("the client ended with %v", err)
		}
		// Stray lines on standard output are what the Python clients complain
		// of here; and a server to which nothing happens has nothing to say.
		if stderr.Len() > 0 {
			t.Errorf("the client and the server wrote to stderr:\n%s", stderr.String())
		}
		if leaks := w.box.Leaks(stderr.String()); len(leaks) > 0 {
			t.Errorf("on stderr stand %v", leaks)
		}
	})
	return &puppet{world: w, era: era, in: in, out: bufio.NewReader(out)}
}

// do has the puppet do something and reads its answer into out.
func (p *puppet) do(t *testing.T, out any, command map[string]any) {
	t.Helper()
	line, err := json.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	answer, err := p.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("%s: no answer: %v", line, err)
	}
	p.said.Write(answer)
	var broken struct{ Puppet string }
	if err := json.Unmarshal(answer, &broken); err != nil || broken.Puppet != "" {
		t.Fatalf("%s:\n%s%v", line, broken.Puppet, err)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatalf("%s: %v in %s", line, err, answer)
	}
}

// connect connects, as a client that can ask its person or as one that cannot,
// and returns the revision that was agreed on.
func (p *puppet) connect(t *testing.T, asks bool) (version string) {
	t.Helper()
	var hello struct{ Version string }
	p.do(t, &hello, map[string]any{"op": "connect", "command": p.world.server, "args": []string{"mcp"}, "env": p.world.env, "era": p.era, "asks": asks})
	return hello.Version
}

func (p *puppet) close(t *testing.T) {
	t.Helper()
	p.do(t, &struct{}{}, map[string]any{"op": "close"})
	p.world.gone(t)
}

// person is what the person behind the client answers when asked.
type person struct {
	Action  string         `json:"action"`
	Content map[string]any `json:"content,omitempty"`
}

// called is what became of a call of a tool.
type called struct {
	Result struct {
		Content           []struct{ Type, Text string }
		StructuredContent json.RawMessage
		IsError           bool
	}
	Failure  *struct{ Message string }
	Progress []string // seen before the answer
	Asked    []string // what the person was shown
}

// try calls a tool; answer is what a person says if asked.
func (p *puppet) try(t *testing.T, answer *person, tool string, args map[string]any) called {
	t.Helper()
	var c called
	p.do(t, &c, map[string]any{"op": "call", "tool": tool, "arguments": args, "person": answer})
	if c.Failure != nil {
		t.Fatalf("%s %v failed in the protocol: %s", tool, args, c.Failure.Message)
	}
	if len(c.Result.Content) != 1 || c.Result.Content[0].Type != "text" || c.Result.Content[0].Text == "" {
		t.Errorf("%s %v: the content is %+v, want one text", tool, args, c.Result.Content)
	}
	return c
}

// call calls a tool that must succeed, and reads its result into out.
func (p *puppet) call(t *testing.T, out any, tool string, args map[string]any) called {
	t.Helper()
	c := p.try(t, nil, tool, args)
	if c.Result.IsError {
		t.Fatalf("%s %v: %s", tool, args, c.Result.Content[0].Text)
	}
	if err := json.Unmarshal(c.Result.StructuredContent, out); err != nil {
		t.Fatalf("%s %v: %v in %s", tool, args, err, c.Result.StructuredContent)
	}
	return c
}

// refusal is the error of a call that must fail.
type refusal struct {
	Code, Message string
	Next          []operation.Next
}

func (c called) refusal(t *testing.T) refusal {
	t.Helper()
	var res struct{ Error refusal }
	if err := json.Unmarshal(c.Result.StructuredContent, &res); err != nil || !c.Result.IsError {
		t.Fatalf("the call should have failed: %+v (%v)", c, err)
	}
	parts := []string{res.Error.Message}
	for _, next := range res.Error.Next {
		parts = append(parts, next.Why)
	}
	for _, part := range parts {
		if !strings.Contains(c.Result.Content[0].Text, part) {
			t.Errorf("the text lacks %q:\n%s", part, c.Result.Content[0].Text)
		}
	}
	return res.Error
}
