package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
	"chiltepin/tools"
)

// mcpServer is a "chiltepin mcp" under test: a process of its own, with a
// home of its own, over real pipes.
type mcpServer struct {
	cmd    *exec.Cmd
	home   string
	in     io.WriteCloser
	lines  chan string // of standard output; closed at its end
	seen   []string
	stderr string // a file
	ended  chan error
}

// startMCP starts a server. What env says wins over what the home has.
func startMCP(t *testing.T, home string, env []string, args ...string) *mcpServer {
	t.Helper()
	return startServer(t, home, env, append([]string{"mcp"}, args...)...)
}

// startServer starts the program as a server of either dialect.
func startServer(t *testing.T, home string, env []string, args ...string) *mcpServer {
	t.Helper()
	s := &mcpServer{home: home, lines: make(chan string, 10_000), ended: make(chan error, 1), stderr: filepath.Join(t.TempDir(), "stderr")}
	s.cmd = exec.Command("chiltepin", args...)
	s.cmd.Env = append([]string{"HOME=" + home, "XDG_DATA_HOME=" + filepath.Join(home, "data"), "PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=10"}, env...)
	stderr, err := os.Create(s.stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	s.cmd.Stderr = stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stdout = w
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() {
		defer close(s.lines)
		defer out.Close()
		for r := bufio.NewReader(out); ; {
			line, err := r.ReadString('\n')
			if line != "" {
				s.lines <- line
			}
			if err != nil {
				return
			}
		}
	}()
	go func() { s.ended <- s.cmd.Wait() }()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		if text, err := os.ReadFile(s.stderr); t.Failed() && err == nil && len(text) > 0 {
			t.Logf("on stderr:\n%.4000s", text)
		}
	})
	return s
}

// send sends lines as they are; a line feed is the caller's affair.
func (s *mcpServer) send(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(s.in, text); err != nil {
		t.Fatalf("sending: %v", err)
	}
}

// mcpMessage is what a server says.
type mcpMessage struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   *struct {
		Code    int
		Message string
	} `json:"error"`
}

// next returns the next message; any line that is none fails the test. ok is
// false at the end of output.
func (s *mcpServer) next(t *testing.T) (m mcpMessage, ok bool) {
	t.Helper()
	select {
	case line, ok := <-s.lines:
		if !ok {
			return m, false
		}
		s.seen = append(s.seen, line)
		if err := json.Unmarshal([]byte(line), &m); err != nil || m.JSONRPC != "2.0" || !strings.HasSuffix(line, "\n") || m.Method == "" && m.ID == nil {
			t.Fatalf("on stdout stands %.300q, which is no message (%v)", line, err)
		}
		return m, true
	case <-time.After(5 * time.Minute):
		t.Fatal("the server says nothing")
	}
	return m, false
}

// answer reads up to the answer with that id.
func (s *mcpServer) answer(t *testing.T, id string) mcpMessage {
	t.Helper()
	for {
		m, ok := s.next(t)
		if !ok {
			t.Fatalf("the output ended without an answer to %s", id)
		}
		if m.Method == "" && string(m.ID) == id {
			return m
		}
	}
}

// ask sends a request and returns its answer.
func (s *mcpServer) ask(t *testing.T, id, method, params string) mcpMessage {
	t.Helper()
	s.send(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q,"params":%s}`+"\n", id, method, params))
	return s.answer(t, id)
}

// alive fails unless the server answers a ping.
func (s *mcpServer) alive(t *testing.T) {
	t.Helper()
	if m := s.ask(t, `"alive"`, "ping", "{}"); m.Error != nil {
		t.Fatalf("a ping is answered %+v", m.Error)
	}
}

// finish waits for the end of the output and of the process, and returns the
// messages left. That the output ends shows that nobody else, such as a
// daemon, holds it.
func (s *mcpServer) finish(t *testing.T) []mcpMessage {
	t.Helper()
	var left []mcpMessage
	for m, ok := s.next(t); ok; m, ok = s.next(t) {
		left = append(left, m)
	}
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("the server ended with %v", err)
		}
	case <-time.After(5 * time.Minute):
		t.Fatal("the server runs on after its last answer")
	}
	if text, err := os.ReadFile(s.stderr); err != nil || strings.Contains(string(text), "panic") || strings.Contains(string(text), "goroutine ") {
		t.Errorf("on stderr stands %.2000q (%v)", text, err)
	}
	return left
}

// called is the result of a call of a tool.
type called struct {
	Content           []struct{ Text string }
	StructuredContent json.RawMessage
	IsError           bool
	InputRequests     map[string]json.RawMessage
	RequestState      string
}

// call calls a tool, in the old era.
func (s *mcpServer) call(t *testing.T, id, tool, args string) called {
	t.Helper()
	m := s.ask(t, id, "tools/call", fmt.Sprintf(`{"name":%q,"arguments":%s}`, tool, args))
	return m.called(t)
}

func (m mcpMessage) called(t *testing.T) (c called) {
	t.Helper()
	if m.Error != nil {
		t.Fatalf("answered with the error %+v", *m.Error)
	}
	if err := json.Unmarshal(m.Result, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// code is that of the error in the result, "" if the call went well.
func (c called) code(t *testing.T) string {
	t.Helper()
	var v struct{ Error struct{ Code string } }
	if err := json.Unmarshal(c.StructuredContent, &v); err != nil {
		t.Fatal(err)
	}
	return v.Error.Code
}

// running are the processes whose home is home, by what they were started as.
func running(t *testing.T, home string) map[int]string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]string{}
	for _, file := range files {
		env, err := os.ReadFile(file)
		if err != nil || !slices.Contains(strings.Split(string(env), "\x00"), "HOME="+home) {
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

// stubbed is the environment of a server whose daemon is the shell script
// body, in place of the real one. Nothing of it is on the network.
func stubbed(t *testing.T, home, body string) []string {
	t.Helper()
	path := filepath.Join(home, "globus-compute-endpoint")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for pid := range running(t, home) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return []string{"CHILTEPIN_RUNTIME=" + path}
}

const (
	legacyHello = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}` + "\n"
	modernMeta  = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{}}}}`
)

// TestMCPEnd ends servers while a daemon that will never come up is being
// started, and chatters: by the end of input the call goes on to its own time
// limit; by a signal it is given up. Either way it is answered, the server
// ends well, and nothing is left but the daemon.
func TestMCPEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		end  func(*mcpServer) error
		code string
	}{
		{"Input", func(s *mcpServer) error { return s.in.Close() }, "timeout"},
		{"Signal", func(s *mcpServer) error { return s.cmd.Process.Signal(syscall.SIGTERM) }, "canceled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			box, home := sandboxtest.Start(t), t.TempDir()
			env := append(box.ClientCredentials(), box.Env()...)
			env = append(env, stubbed(t, home, "echo chatter; echo '{\"jsonrpc\":\"2.0\"}'; echo chatter >&2; exec sleep 3600\n")...)
			s := startMCP(t, home, env)
			s.send(t, legacyHello)
			s.answer(t, "0")
			for tool, args := range map[string]string{"login": "{}", "endpoint_configure": `{"name":"mesa","email":"me@example.org"}`} {
				if c := s.call(t, "1", tool, args); c.IsError {
					t.Fatalf("%s: %s", tool, c.StructuredContent)
				}
			}
			limit := "6s"
			if tt.code == "canceled" {
				limit = "10m"
			}
			s.send(t, `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"_meta":{"progressToken":"p"},"name":"endpoint_start","arguments":{"name":"mesa","timeout":"`+limit+`"}}}`+"\n"+
				`{"jsonrpc":"2.0","id":3,"method":"ping"}`) // no line feed
			s.awaitDaemon(t)
			if err := tt.end(s); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			var answered []string
			for _, m := range s.finish(t) {
				if m.Method != "" {
					continue
				}
				answered = append(answered, string(m.ID))
				if string(m.ID) == "2" {
					if code := m.called(t).code(t); code != tt.code {
						t.Errorf("the start is answered %s, want %s", m.Result, tt.code)
					}
				}
			}
			want := []string{"3", "2"}
			if tt.code == "canceled" { // a line without its end is half a message then
				want = []string{"2"}
				if took := time.Since(began); took > 5*time.Minute {
					t.Errorf("the server took %s to end after the signal, and did not cut the start short", took)
				}
			}
			if diff := cmp.Diff(want, answered); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
			left := slices.Collect(maps.Values(running(t, home)))
			if len(left) != 1 || !strings.HasPrefix(left[0], "sleep 3600") {
				t.Errorf("left running: %q, want the daemon alone", left)
			}
		})
	}
}

// awaitDaemon waits until the stubbed daemon runs.
func (s *mcpServer) awaitDaemon(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		for _, command := range running(t, s.home) {
			if strings.HasPrefix(command, "sleep 3600") {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no daemon was launched; the server said %q", s.seen)
		}
	}
}

// TestMCPReal starts and stops the real daemon, each call under way when the
// input ends. The log of the wire shows everything but secrets.
func TestMCPReal(t *testing.T) {
	t.Parallel()
	box, home := sandboxtest.Start(t), t.TempDir()
	credentials := box.ClientCredentials()
	env := append(append(credentials, box.Env()...), "CHILTEPIN_RUNTIME="+runtimetest.Env(t, runtimetest.Newest).Bin("globus-compute-endpoint"))
	_, secret, _ := strings.Cut(credentials[slices.IndexFunc(credentials, func(s string) bool { return strings.Contains(s, "SECRET=") })], "=")
	log := filepath.Join(home, "log.jsonl")
	var said strings.Builder
	for _, tool := range []string{"endpoint_start", "endpoint_stop"} {
		s := startMCP(t, home, env, "--trace", "--log-level", "debug", "--log-file", log)
		s.send(t, legacyHello)
		s.call(t, "1", "login", "{}")
		s.call(t, "2", "whoami", `{"client_secret":"`+secret+`"}`) // a model that tells what it should not
		s.call(t, "3", "endpoint_configure", `{"name":"mesa","email":"me@example.org"}`)
		s.send(t, `{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"`+tool+`","arguments":{"name":"mesa"}}}`+"\n")
		s.in.Close()
		left := s.finish(t)
		if len(left) != 1 || left[0].called(t).IsError {
			t.Fatalf("%s is answered %+v", tool, left)
		}
		said.WriteString(strings.Join(s.seen, ""))
		if text, err := os.ReadFile(s.stderr); err != nil || len(text) > 0 {
			t.Errorf("on stderr stands %q (%v)", text, err)
		}
		for _, command := range running(t, home) {
			if tool == "endpoint_stop" || strings.Contains(command, "chiltepin mcp") || !strings.Contains(strings.ToLower(command), "globus") {
				t.Errorf("after %s runs %q", tool, command)
			}
		}
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"message":"received"`, `"message":"sent"`, `"client_secret":"***"`, "endpoint_stop"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	for what, text := range map[string]string{"the log": string(text), "stdout": said.String()} {
		if leaks := box.Leaks(text); len(leaks) > 0 {
			t.Errorf("%s shows %v", what, leaks)
		}
	}
	if info, err := os.Stat(log); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the log file: %v, %v", info.Mode(), err)
	}
}

// TestMCPBad sends one server everything that is wrong. Each is answered with
// its error, and what comes behind it is answered.
func TestMCPBad(t *testing.T) {
	t.Parallel()
	s := startMCP(t, t.TempDir(), nil)
	list := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	call := `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":`
	for _, tt := range []struct {
		name, text, id string
		code           int
	}{
		{"Garbage", "\x00\xff\xfe\x80binary\x01", "null", -32700},
		{"Words", "Welcome to login1!", "null", -32700},
		{"Half", `{"jsonrpc":"2.0","id":7,"method":"ping"`, "null", -32700},
		{"HalfHeader", "Content-Length: -5\r\n", "null", -32700},
		{"Batch", `[{"jsonrpc":"2.0","id":7,"method":"ping"}]`, "null", -32600},
		{"Number", `7`, "null", -32600},
		{"NoVersion", `{"id":7,"method":"ping"}`, "7", -32600},
		{"IDList", `{"jsonrpc":"2.0","id":[7],"method":"ping"}`, "null", -32600},
		{"IDFraction", `{"jsonrpc":"2.0","id":7.5,"method":"ping"}`, "7.5", -32600},
		{"MethodNumber", `{"jsonrpc":"2.0","id":7,"method":7}`, "7", -32600},
		{"MethodUnknown", `{"jsonrpc":"2.0","id":7,"method":"no/such"}`, "7", -32601},
		{"ParamsList", call + `[]}`, "7", -32602},
		{"MetaNumber", call + `{"_meta":7,"name":"whoami"}}`, "7", -32602},
		{"NameNumber", call + `{"name":7}}`, "7", -32602},
		{"ArgumentsList", call + `{"name":"whoami","arguments":[]}}`, "7", -32602},
		{"StateNumber", call + `{"name":"whoami","requestState":7}}`, "7", -32602},
		{"ResponsesList", call + `{"name":"whoami","inputResponses":[7]}}`, "7", -32602},
		{"Revision", call + `{"_meta":{"io.modelcontextprotocol/protocolVersion":"1999-01-01","io.modelcontextprotocol/clientCapabilities":{}},"name":"whoami"}}`, "7", -32022},
		{"RevisionNumber", call + `{"_meta":{"io.modelcontextprotocol/protocolVersion":7},"name":"whoami"}}`, "7", -32602},
		{"TooDeep", call + `{"name":"endpoint_status","arguments":{"name":` + list(10_000) + `}}}`, "null", -32700},
		{"DeepUnknown", `{"jsonrpc":"2.0","id":7,"method":"no/such","params":{"x":` + list(9_990) + `}}`, "7", -32601},
		{"TooLong", call + `{"name":"whoami","x":"` + strings.Repeat("x", 33<<20) + `"}}`, "null", -32600},
		{"Forged", call + `{"name":"endpoint_delete","arguments":{"name":"mesa"},"requestState":"Zm9yZ2Vk","inputResponses":{"consent":{"action":"accept","content":{"name":"mesa"}}},` + modernMeta + `}}`, "7", -32602},
	} {
		s.send(t, tt.text+"\n")
		if tt.name == "HalfHeader" {
			s.send(t, "\r\n")
		}
		m := s.answer(t, tt.id)
		if m.Error == nil || m.Error.Code != tt.code {
			t.Errorf("%s is answered %.300s, want the error %d", tt.name, s.seen[len(s.seen)-1], tt.code)
		}
		s.alive(t)
	}
	// Deep, and well-formed: it is the argument that is wrong.
	if c := s.call(t, "8", "endpoint_status", `{"name":`+list(9_990)+`}`); c.code(t) != "invalid" || len(c.StructuredContent) > 1000 {
		t.Errorf("a deep argument is answered %.300s", c.StructuredContent)
	}
	s.send(t, `{"jsonrpc":"2.0","id":9,"method":"ping"`) // half a message, and the end
	s.in.Close()
	if left := s.finish(t); len(left) != 1 || left[0].Error == nil || left[0].Error.Code != -32700 {
		t.Errorf("half a message at the end is answered %+v", left)
	}
}

// TestMCPConsentIsSpent answers a question wrongly, then sends the same state
// again with the right answer, with other arguments and for another server:
// only a state of its own, unspent and of the same call deletes anything.
func TestMCPConsentIsSpent(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	path := filepath.Join(home, ".globus_compute", "mesa", "config.yaml")
	s, other := startMCP(t, home, nil), startMCP(t, home, nil)
	for _, name := range []string{"mesa", "dry"} {
		if c := s.call(t, "1", "endpoint_configure", `{"name":"`+name+`","email":"me@example.org"}`); c.IsError {
			t.Fatalf("%s", c.StructuredContent)
		}
	}
	send := func(s *mcpServer, name, state, typed string) mcpMessage {
		round := ""
		if state != "" {
			round = fmt.Sprintf(`"requestState":%q,"inputResponses":{"consent":{"action":"accept","content":{"name":%q}}},`, state, typed)
		}
		return s.ask(t, "2", "tools/call", fmt.Sprintf(`{"name":"endpoint_delete","arguments":{"name":%q},%s%s}`, name, round, modernMeta))
	}
	refused := func(m mcpMessage, what, words string) {
		t.Helper()
		if m.Error == nil || m.Error.Code != -32602 || !strings.Contains(m.Error.Message, words) {
			t.Errorf("%s is answered %s %+v", what, m.Result, m.Error)
		}
	}
	question := send(s, "mesa", "", "").called(t)
	state := question.RequestState
	if state == "" || len(question.InputRequests) != 1 {
		t.Fatalf("nobody is asked: %+v", question)
	}
	refused(send(other, "mesa", state, "mesa"), "the state of another server", "not given out by this server")
	refused(send(s, "dry", state, "dry"), "the state of another call", "another call")
	for i := range state {
		if i%16 == 0 {
			flipped := []byte(state)
			flipped[i] ^= 1
			refused(send(s, "mesa", string(flipped), "mesa"), "a changed state", "not given out by this server")
		}
	}
	if c := send(s, "mesa", state, "mess").called(t); c.code(t) != "refused" {
		t.Errorf("the wrong name is answered %s", c.StructuredContent)
	}
	refused(send(s, "mesa", state, "mesa"), "a spent state", "used already")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the endpoint is gone: %v", err)
	}
	if c := send(s, "mesa", send(s, "mesa", "", "").called(t).RequestState, "mesa").called(t); c.IsError {
		t.Errorf("with consent: %s", c.StructuredContent)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the endpoint is still there")
	}
	for _, s := range []*mcpServer{s, other} {
		s.in.Close()
		s.finish(t)
	}
}

// TestMCPModes calls what was not offered, and another directory.
func TestMCPModes(t *testing.T) {
	t.Parallel()
	const configure = `{"name":"endpoint_configure","arguments":{"name":"mesa","email":"me@example.org"}}`
	for _, tt := range []struct {
		name string
		args []string
		call string
		want string
	}{
		{"ReadOnly", []string{"--read-only"}, configure, "--read-only"},
		{"Tools", []string{"--tools", "endpoint_list"}, configure, "--tools"},
		{"NoDestructive", []string{"--no-destructive"}, `{"name":"endpoint_delete","arguments":{"name":"mesa"}}`, "--no-destructive"},
		{"ConfigDir", []string{"-c", "one"}, `{"name":"endpoint_configure","arguments":{"name":"mesa","config_dir":"HOME/two"}}`, "cannot name another"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			if tt.args[0] == "-c" {
				tt.args[1] = filepath.Join(home, tt.args[1])
			}
			s := startMCP(t, home, nil, tt.args...)
			m := s.ask(t, "1", "tools/call", strings.ReplaceAll(tt.call, "HOME", home))
			if (m.Error == nil) == (tt.name != "ConfigDir") || !strings.Contains(s.seen[len(s.seen)-1], tt.want) {
				t.Errorf("answered %s", s.seen[len(s.seen)-1])
			}
			s.in.Close()
			s.finish(t)
			if made, err := filepath.Glob(filepath.Join(home, "*")); err != nil || len(made) > 0 {
				t.Errorf("something was done: %v %v", made, err)
			}
			if made, err := filepath.Glob(filepath.Join(home, ".*")); err != nil || len(made) > 0 {
				t.Errorf("something was done: %v %v", made, err)
			}
		})
	}
}

// TestMCPDefaultResults holds what a model pays for when it gives no sizes, and
// what every client may check: the results are as the full schemas say.
func TestMCPDefaultResults(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := startMCP(t, home, nil)
	for i := range 10 {
		if c := s.call(t, "1", "endpoint_configure", fmt.Sprintf(`{"name":"login-node-compute-%d","email":"me@example.org"}`, i)); c.IsError {
			t.Fatalf("%s", c.StructuredContent)
		}
		dir := filepath.Join(home, ".globus_compute", fmt.Sprintf("login-node-compute-%d", i))
		id := fmt.Sprintf("6a1f0e3c-9c2d-4b6e-8a50-%012d", i)
		files := map[string]string{"endpoint.json": `{"endpoint_id": "` + id + `"}`, "endpoint.log": bigLog(id, i)}
		if i%2 == 0 {
			files["daemon.pid"] = "4194300\n"
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	catalog := tools.All(tools.Services{})
	for _, tt := range []struct{ tool, args string }{
		{"endpoint_list", `{}`},
		{"endpoint_status", `{"name":"login-node-compute-4"}`},
		{"endpoint_status", `{"name":"login-node-compute-5","offline":true}`},
		{"endpoint_logs", `{"name":"login-node-compute-0"}`}, // ordinary lines
		{"endpoint_logs", `{"name":"login-node-compute-1"}`}, // short ones
		{"endpoint_logs", `{"name":"login-node-compute-2"}`}, // tracebacks
		{"endpoint_logs", `{"name":"login-node-compute-3"}`}, // one huge record
		{"endpoint_logs", `{"name":"login-node-compute-4"}`}, // what must be escaped
		{"endpoint_logs", `{"name":"no-such-endpoint"}`},
		{"whoami", `{}`},
	} {
		m := s.ask(t, "2", "tools/call", fmt.Sprintf(`{"name":%q,"arguments":%s}`, tt.tool, tt.args))
		c := m.called(t)
		if n := len(m.Result); n > 4096 {
			t.Errorf("%s %s: the result is %d bytes, want at most 4096:\n%.1500s", tt.tool, tt.args, n, m.Result)
		}
		t.Logf("%s %s: %d bytes", tt.tool, tt.args, len(m.Result))
		if c.IsError {
			if code := c.code(t); code != "not_found" && code != "not_logged_in" {
				t.Errorf("%s %s: %s", tt.tool, tt.args, c.StructuredContent)
			}
			continue
		}
		var schema jsonschema.Schema
		if err := json.Unmarshal(catalog.Lookup(strings.Replace(tt.tool, "_", ".", 1)).OutputSchema(), &schema); err != nil {
			t.Fatal(err)
		}
		resolved, err := schema.Resolve(nil)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(c.StructuredContent, &v); err != nil {
			t.Fatal(err)
		}
		if err := resolved.Validate(v); err != nil {
			t.Errorf("%s %s: the result is not what its schema says: %v", tt.tool, tt.args, err)
		}
	}
	s.in.Close()
	s.finish(t)
}

// bigLog is a log of more than a thousand records, of one kind.
func bigLog(id string, kind int) string {
	var b strings.Builder
	record := func(at int, level, text string) {
		fmt.Fprintf(&b, "2026-11-%02d %02d:%02d:%02d,123456 %s MainProcess-4242 MainThread-140123 globus_compute_endpoint.endpoint.endpoint_manager:871 start %s\n",
			1+at/86400, at/3600%24, at/60%60, at%60, level, text)
	}
	record(0, "INFO", "\n\n========== Endpoint Manager begins: "+id)
	for i := range 1500 {
		switch kind {
		case 1:
			record(i, "INFO", "ok")
		case 2:
			record(i, "ERROR", "Traceback (most recent call last):\n"+strings.Repeat("  File \"/usr/lib/python3.12/x.py\", line 3, in f\n    raise ValueError(\"no\")\n", 12)+"ValueError: no")
		case 4:
			record(i, "INFO", strings.Repeat("\x1b[31m\"<&>\\\u202e", 30))
		default:
			record(i, "INFO", fmt.Sprintf("Command consumed: start_endpoint for user endpoint %d of %s", i, id))
		}
	}
	if kind == 3 {
		record(2000, "ERROR", strings.Repeat("a very long line ", 20_000))
	}
	return b.String()
}
