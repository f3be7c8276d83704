package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
	"chiltepin/tools/operation"
)

// rpcFailure is the error of an answer of "chiltepin rpc".
type rpcFailure struct {
	Code    int
	Message string
	Data    struct {
		Code string
		Next []operation.Next
	}
}

// failure decodes the error of the line that was seen last.
func (s *mcpServer) failure(t *testing.T) rpcFailure {
	t.Helper()
	var m struct{ Error rpcFailure }
	if err := json.Unmarshal([]byte(s.seen[len(s.seen)-1]), &m); err != nil {
		t.Fatal(err)
	}
	return m.Error
}

// result calls a method that must go well and decodes its result into v.
func (s *mcpServer) result(t *testing.T, method, params string, v any) {
	t.Helper()
	m := s.ask(t, fmt.Sprint(len(s.seen)+1000), method, params)
	if m.Error != nil {
		t.Fatalf("%s is answered %s", method, s.seen[len(s.seen)-1])
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal(m.Result, v); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

// changed waits for a notification that the status of mesa is now status.
func (s *mcpServer) changed(t *testing.T, status string) {
	t.Helper()
	for {
		m, ok := s.next(t)
		if !ok {
			t.Fatalf("the output ended and nobody said %s", status)
		}
		var p struct {
			Params struct {
				Name     string
				Endpoint *struct{ Status string }
			}
		}
		if err := json.Unmarshal([]byte(s.seen[len(s.seen)-1]), &p); err != nil {
			t.Fatal(err)
		}
		if m.Method != "endpoint/changed" || p.Params.Name != "mesa" {
			continue
		}
		if got := p.Params.Endpoint; status == "" && got == nil || got != nil && got.Status == status {
			return
		}
	}
}

// TestRPCReal is the life of an endpoint with the real daemon, by one editor
// whose side bar is live: what it is told of, and in which order.
func TestRPCReal(t *testing.T) {
	t.Parallel()
	box, home := sandboxtest.Start(t), t.TempDir()
	env := append(append(box.ClientCredentials(), box.Env()...), "CHILTEPIN_RUNTIME="+runtimetest.Env(t, runtimetest.Newest).Bin("globus-compute-endpoint"))
	log := filepath.Join(home, "log.jsonl")
	s := startServer(t, home, env, "rpc", "--trace", "--log-level", "debug", "--log-file", log)
	s.result(t, "initialize", `{"processId":null,"capabilities":{}}`, nil)
	s.result(t, "endpoint/watch", `{}`, nil)
	s.result(t, "login", `{}`, nil)
	s.result(t, "endpoint/configure", `{"name":"mesa","email":"me@example.org"}`, nil)
	s.changed(t, "Initialized")

	before := len(s.seen)
	s.result(t, "endpoint/start", `{"name":"mesa","workDoneToken":"w"}`, nil)
	kinds := []string{}
	for _, line := range s.seen[before:] {
		var p struct {
			Method string
			Params struct{ Value struct{ Kind string } }
		}
		if json.Unmarshal([]byte(line), &p) == nil && p.Method == "$/progress" {
			if k := p.Params.Value.Kind; len(kinds) == 0 || kinds[len(kinds)-1] != k {
				kinds = append(kinds, k)
			}
		}
	}
	if d := cmp.Diff([]string{"begin", "report", "end"}, kinds); d != "" {
		t.Errorf("progress (-want +got):\n%s", d)
	}
	var status struct {
		Status   string
		Evidence struct{ Process struct{ PID int } }
	}
	s.result(t, "endpoint/status", `{"name":"mesa"}`, &status)
	if status.Status != "Running" {
		t.Fatalf("after its start it is %s", status.Status)
	}
	if err := syscall.Kill(status.Evidence.Process.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.changed(t, "Disconnected")
	s.result(t, "endpoint/start", `{"name":"mesa"}`, nil)
	s.changed(t, "Running")
	s.result(t, "endpoint/stop", `{"name":"mesa"}`, nil)
	s.changed(t, "Stopped")
	if m := s.ask(t, "1", "endpoint/delete", `{"name":"mesa"}`); m.Error == nil || fmt.Sprint(s.failure(t).Data.Next) != `[ask the person whom it concerns; their word is the member "confirm": "mesa" in the parameters]` {
		t.Errorf("an unconfirmed deletion is answered %s", s.seen[len(s.seen)-1])
	}
	s.result(t, "endpoint/delete", `{"name":"mesa","confirm":"mesa"}`, nil)
	s.changed(t, "")
	s.result(t, "logout", `{}`, nil)
	s.result(t, "shutdown", `null`, nil)
	s.send(t, `{"jsonrpc":"2.0","method":"exit"}`+"\n")
	if left := s.finish(t); len(left) != 0 {
		t.Errorf("after exit it said %v", left)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"the log": string(text), "stdout": strings.Join(s.seen, "")} {
		if leaks := box.Leaks(text); len(leaks) > 0 {
			t.Errorf("%s shows %v", what, leaks)
		}
	}
	for pid, command := range running(t, home) {
		t.Errorf("left running: %d %s", pid, command)
	}
}

// TestRPCScript is a script that writes all its calls and closes the pipe:
// each is answered, in order, by a process that ends well.
func TestRPCScript(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), nil, "rpc")
	s.send(t, `{"jsonrpc":"2.0","id":-1,"method":"endpoint/configure","params":{"name":"mesa","email":"me@example.org"}}
{"jsonrpc":"2.0","id":9007199254740993,"method":"endpoint/list"}
{"jsonrpc":"2.0","id":"three","method":"endpoint/delete","params":{"name":"mesa","confirm":"mesa"}}
{"jsonrpc":"2.0","id":4,"method":"endpoint/status","params":{"name":"mesa"}}`) // no line feed
	s.in.Close()
	var got []string
	for _, m := range s.finish(t) {
		got = append(got, fmt.Sprintf("%s %v", m.ID, m.Error != nil))
	}
	if d := cmp.Diff([]string{"-1 false", "9007199254740993 false", `"three" false`, "4 true"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if f := s.failure(t); f.Code != 3 || f.Data.Code != "not_found" || len(f.Data.Next) == 0 {
		t.Errorf("what is not there is answered %+v", f)
	}
}

// TestRPCBad sends one server everything that is wrong, in both framings. Each
// is answered with its error, and what comes behind it is answered.
func TestRPCBad(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), nil, "rpc")
	list := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	call := func(params string) string {
		return `{"jsonrpc":"2.0","id":7,"method":"endpoint/status","params":` + params + `}`
	}
	for _, tt := range []struct {
		name, text, id string
		code           int
	}{
		{"Garbage", "\x00\xff\xfe\x80binary\x01", "null", -32700},
		{"Words", "Welcome to login1!", "null", -32700},
		{"Half", `{"jsonrpc":"2.0","id":7,"method":"whoami"`, "null", -32700},
		{"HalfHeader", "Content-Length: -5\r\n\r", "null", -32700},
		{"HeaderWithoutLength", "Content-Type: x\r\n\r", "null", -32700},
		{"EmptyBody", "Content-Length: 0\r\n\r", "null", -32700},
		{"Headed", "content-length:2\n\n[]", "null", -32600},
		{"Batch", "[" + call("{}") + "]", "null", -32600},
		{"TooDeep", call(`{"name":` + list(10_000) + `}`), "null", -32700},
		{"Deep", call(`{"name":` + list(9_990) + `}`), "7", -32602},
		{"TooLong", call(`{"name":"` + strings.Repeat("x", 33<<20) + `"}`), "null", -32600},
		{"HugeNumber", call(`{"name":1e999999}`), "7", -32602},
		{"NUL", call(`{"name":"a\u0000b"}`), "7", -32602},
		{"Path", call(`{"name":"../../etc"}`), "7", -32602},
		{"Missing", call(`{"name":"mesa"}`), "7", 3},
		{"Surrogate", call(`{"name":"\ud800"}`), "7", 3},
	} {
		s.send(t, tt.text+"\n")
		m := s.answer(t, tt.id)
		if m.Error == nil || m.Error.Code != tt.code {
			t.Errorf("%s is answered %.300s, want the error %d", tt.name, s.seen[len(s.seen)-1], tt.code)
		}
		s.result(t, "endpoint/list", `{}`, nil)
	}
	s.in.Close()
	s.finish(t)
}

// TestRPCEnds: the end of the client's process, exit without shutdown and a
// signal end the server, whatever is under way.
func TestRPCEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		end    func(*mcpServer, *os.Process) error
		status int
	}{
		{"StrangerAndSignal", func(s *mcpServer, stranger *os.Process) error {
			// A process that has not started the server is not its client's.
			if err := stranger.Kill(); err != nil {
				return err
			}
			s.result(t, "endpoint/list", `{}`, nil)
			return s.cmd.Process.Signal(syscall.SIGTERM)
		}, 0},
		{"Exit", func(s *mcpServer, _ *os.Process) error {
			_, err := s.in.Write([]byte(`{"jsonrpc":"2.0","method":"exit"}` + "\n"))
			return err
		}, 1},
		{"Signal", func(s *mcpServer, _ *os.Process) error { return s.cmd.Process.Signal(syscall.SIGTERM) }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			box, home := sandboxtest.Start(t), t.TempDir()
			env := append(append(box.ClientCredentials(), box.Env()...), stubbed(t, home, "exec sleep 3600\n")...)
			s := startServer(t, home, env, "rpc")
			client := exec.Command("sleep", "600")
			if err := client.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = client.Process.Kill() })
			go client.Wait()
			s.result(t, "initialize", fmt.Sprintf(`{"processId":%d,"capabilities":{}}`, client.Process.Pid), nil)
			s.result(t, "login", `{}`, nil)
			s.result(t, "endpoint/configure", `{"name":"mesa","email":"me@example.org"}`, nil)
			s.send(t, `{"jsonrpc":"2.0","id":2,"method":"endpoint/start","params":{"name":"mesa","timeout":"10m"}}`+"\n")
			s.awaitDaemon(t)
			if err := tt.end(s, client.Process); err != nil {
				t.Fatal(err)
			}
			if m := s.answer(t, "2"); m.Error == nil || m.Error.Code != -32800 {
				t.Errorf("the start is answered %s, want -32800", s.seen[len(s.seen)-1])
			}
			select {
			case err := <-s.ended:
				if got := s.cmd.ProcessState.ExitCode(); got != tt.status {
					t.Errorf("exit status %d (%v), want %d", got, err, tt.status)
				}
			case <-time.After(5 * time.Minute):
				t.Error("the server has not ended")
			}
		})
	}
}
