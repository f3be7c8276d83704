package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"chiltepin/globus/runtime/runtimetest"
)

// inspector is the Inspector of MCP on a command line: --cli, which connects
// for one call and cannot ask anybody, and mcpdo, which keeps a connection and
// lets its user answer questions.
type inspector struct {
	world    *world
	era      string
	packages runtimetest.NodePackages
	env      []string
	log      string // of the server, with every message
}

func newInspector(t *testing.T, era string) *inspector {
	t.Helper()
	i := &inspector{world: newWorld(t), era: era, packages: runtimetest.Node(t, runtimetest.Inspector), log: filepath.Join(t.TempDir(), "log")}
	// The path of a socket must be short.
	dir, err := os.MkdirTemp(built, "")
	if err != nil {
		t.Fatal(err)
	}
	i.env = []string{
		"HOME=" + t.TempDir(), "PATH=" + i.world.env["PATH"],
		"MCP_INSPECTOR_SECRET_STORE=file", "MCP_INSPECTOR_DAEMON_DIR=" + dir, "MCP_INSPECTOR_DAEMON_TOKEN=token-of-the-test",
	}
	return i
}

// server is the command line by which the server is started, behind the
// options that tell its environment.
func (i *inspector) server() (options, command []string) {
	for name, value := range i.world.env {
		options = append(options, "-e", name+"="+value)
	}
	return options, []string{i.world.server, "mcp", "--trace", "--log-file", i.log}
}

// run runs one of the Inspector's programs, which must end with a status.
func (i *inspector) run(t *testing.T, status int, program string, args ...string) (stdout, stderr string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), i.packages.Program, append([]string{i.packages.Package("@modelcontextprotocol/inspector", "clients", program)}, args...)...)
	c.Env = i.env
	var out, err bytes.Buffer
	c.Stdout, c.Stderr = &out, &err
	_ = c.Run() // the status says it
	if leaks := i.world.box.Leaks(out.String() + err.String()); len(leaks) > 0 {
		t.Errorf("the Inspector shows %v", leaks)
	}
	if got := c.ProcessState.ExitCode(); got != status {
		t.Fatalf("%q ended with status %d, want %d\n%s%s", args, got, status, out.String(), err.String())
	}
	return out.String(), err.String()
}

// cli runs one method in a connection of its own and reads its result.
func (i *inspector) cli(t *testing.T, status int, out any, args ...string) (stderr string) {
	t.Helper()
	options, command := i.server()
	line := slices.Concat([]string{"--cli"}, command, options, []string{"--protocol-era", i.era, "--format", "json"}, args)
	stdout, stderr := i.run(t, status, "launcher/build/index.js", line...)
	answer := struct{ Result any }{out}
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil {
		t.Fatalf("%q: %v in %s", args, err, stdout)
	}
	i.world.gone(t)
	return stderr
}

// call calls a tool and reads its structured result.
func (i *inspector) call(t *testing.T, status int, out any, tool, args string, more ...string) {
	t.Helper()
	res := struct{ StructuredContent any }{out}
	i.cli(t, status, &res, append([]string{"--method", "tools/call", "--tool-name", tool, "--tool-args-json", args}, more...)...)
}

// mcpdo runs a command of mcpdo and reads what it prints.
func (i *inspector) mcpdo(t *testing.T, status int, out any, args ...string) {
	t.Helper()
	stdout, _ := i.run(t, status, "mcpdo/build/mcp-bin.js", append([]string{"--format", "json"}, args...)...)
	if err := json.Unmarshal([]byte(stdout), out); err != nil {
		t.Fatalf("mcpdo %q: %v in %s", args, err, stdout)
	}
}

// TestInspector does a person's whole work with the Inspector, in each of its
// eras.
func TestInspector(t *testing.T) {
	t.Parallel()
	for era, version := range map[string]string{"legacy": "2025-11-25", "auto": "2026-07-28", "modern": "2026-07-28"} {
		t.Run(era, func(t *testing.T) {
			t.Parallel()
			i := newInspector(t, era)
			i.work(t)
			i.consent(t)
			log, err := os.ReadFile(i.log)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range regexp.MustCompile(`rotocolVersion":"([^"]*)"`).FindAllSubmatch(log, -1) {
				if string(v[1]) != version {
					t.Errorf("the Inspector spoke %s, want %s", v[1], version)
					break
				}
			}
			if leaks := i.world.box.Leaks(string(log)); len(leaks) > 0 {
				t.Errorf("the server logged %v", leaks)
			}
		})
	}
}

// work goes from login to a stopped endpoint, one connection a call.
func (i *inspector) work(t *testing.T) {
	t.Helper()
	var list struct{ Tools []struct{ Name string } }
	// With --strict the status is 6 when a schema is not portable.
	if stderr := i.cli(t, 0, &list, "--method", "tools/list", "--strict"); stderr != "" {
		t.Errorf("the Inspector remarks on the schemas:\n%s", stderr)
	}
	if len(list.Tools) != 11 {
		t.Errorf("%d tools are listed, want 11", len(list.Tools))
	}
	var account struct{ Outcome string }
	i.call(t, 0, &account, "login", "{}")
	if account.Outcome != "logged_in" {
		t.Errorf("login: %+v", account)
	}
	var e endpoint
	i.call(t, 0, &e, "endpoint_configure", `{"name":"mesa","email":"me@example.org"}`)
	i.call(t, 0, &e, "endpoint_start", `{"name":"mesa"}`, "--tool-metadata", "progressToken=start")
	if e.Status != "Running" {
		t.Errorf("started: %+v", e)
	}
	i.progress(t)
	i.call(t, 0, &e, "endpoint_status", `{"name":"mesa"}`)
	if e.Status != "Running" {
		t.Errorf("status: %+v", e)
	}
	var page struct{ Lines []any }
	i.call(t, 0, &page, "endpoint_logs", `{"name":"mesa","tail":5}`)
	if len(page.Lines) == 0 || len(page.Lines) > 5 {
		t.Errorf("the log has %d records, want up to 5", len(page.Lines))
	}
	var load struct{ OK, ToolErrors, Errors int }
	i.cli(t, 0, &load, "--method", "tools/call", "--tool-name", "endpoint_list", "--load", "--load-requests", "200")
	if fmt.Sprint(load) != "{200 0 0}" {
		t.Errorf("of 200 calls: %+v", load)
	}
	i.call(t, 0, &e, "endpoint_stop", `{"name":"mesa"}`)
	if e.Status != "Stopped" {
		t.Errorf("stopped: %+v", e)
	}
	var refused struct{ Error refusal }
	i.call(t, 5, &refused, "endpoint_delete", `{"name":"mesa"}`)
	if refused.Error.Code != "refused" || !strings.Contains(fmt.Sprint(refused.Error.Next), "ask the person whom it concerns") {
		t.Errorf("deleting without a person: %+v", refused)
	}
}

// progress looks at the messages of the start: the Inspector shows nothing of
// them.
func (i *inspector) progress(t *testing.T) {
	t.Helper()
	log, err := os.ReadFile(i.log)
	if err != nil {
		t.Fatal(err)
	}
	started, steps := false, 0
	for line := range strings.Lines(string(log)) {
		switch {
		case strings.Contains(line, `"method":"tools/call"`):
			started = strings.Contains(line, `"name":"endpoint_start"`)
		case strings.Contains(line, `"method":"notifications/progress"`) && strings.Contains(line, `"progressToken":"start"`):
			steps++
		case started && strings.Contains(line, `"structuredContent"`):
			if steps < 2 {
				t.Errorf("%d steps of the start were sent before its answer, want several", steps)
			}
			return
		}
	}
	t.Error("the start was never answered")
}

// consent has a person refuse and agree, through a connection that stays.
func (i *inspector) consent(t *testing.T) {
	t.Helper()
	options, command := i.server()
	connected := struct{ Name string }{}
	i.mcpdo(t, 0, &connected, slices.Concat([]string{"--connection", "mesa", "connect", "--era", i.era}, options, []string{"--"}, command)...)
	defer func() {
		i.run(t, 0, "mcpdo/build/mcp-bin.js", "daemon", "stop")
		i.world.gone(t)
	}()
	for _, c := range []struct {
		answer []string
		status int
		said   string // the message of the refusal
	}{
		{[]string{"--decline"}, 5, "nothing was done: consent was declined"},
		{[]string{"name:=mes"}, 5, `nothing was done: what was typed is not the name "mesa"`},
		{[]string{"name:=mesa"}, 0, ""},
	} {
		var pending struct {
			ElicitationPending struct{ ElicitationID, Message string }
		}
		i.mcpdo(t, 0, &pending, "@mesa", "tools/call", "endpoint_delete", "name:=mesa")
		question := pending.ElicitationPending
		if !strings.Contains(question.Message, `Type the name "mesa" to agree`) {
			t.Fatalf("the person was asked %+v", question)
		}
		var res struct{ StructuredContent struct{ Error refusal } }
		i.mcpdo(t, c.status, &res, append([]string{"@mesa", "elicitation/respond", question.ElicitationID}, c.answer...)...)
		if got := res.StructuredContent.Error.Message; got != c.said {
			t.Errorf("%q: the answer is %q, want %q", c.answer, got, c.said)
		}
	}
	var list struct {
		StructuredContent struct{ Endpoints []endpoint }
	}
	i.mcpdo(t, 0, &list, "@mesa", "tools/call", "endpoint_list")
	if got := list.StructuredContent.Endpoints; len(got) > 0 {
		t.Errorf("the list is %v after deleting", got)
	}
	if got := len(i.world.box.Requests("DELETE", "/v2/endpoints/*")); got != 1 {
		t.Errorf("%d registrations were deleted, want 1", got)
	}
}
