package clients

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/tools/operation"
)

var (
	built     string // where what the tests build goes
	chiltepin = build("..", "chiltepin")
	gosdk     = build("gosdk", "gosdk")
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if built, err = os.MkdirTemp("", "clients-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(built)
		return m.Run()
	}())
}

// TestClients has each real client do a person's work from login to logout.
// Each story has a stand-in and a real daemon of its own.
func TestClients(t *testing.T) {
	t.Parallel()
	typescript := func(file string) func(*testing.T) []string {
		return func(t *testing.T) []string {
			node := runtimetest.Node(t, runtimetest.TypeScript)
			return []string{node.Program, filepath.Join("testdata", file), node.Dir}
		}
	}
	python := func(set runtimetest.Set, file string) func(*testing.T) []string {
		return func(t *testing.T) []string {
			return []string{runtimetest.Env(t, set).Python, filepath.Join("testdata", file)}
		}
	}
	golang := func(t *testing.T) []string {
		program, err := gosdk()
		if err != nil {
			t.Fatal(err)
		}
		return []string{program}
	}
	for _, c := range []struct {
		name, era string
		program   func(*testing.T) []string
		version   string
	}{
		{"TypeScript v1", "legacy", typescript("typescript1.mjs"), "2025-11-25"},
		{"TypeScript v2", "auto", typescript("typescript2.mjs"), "2026-07-28"},
		{"TypeScript v2", "legacy", typescript("typescript2.mjs"), "2025-11-25"},
		{"Python 1", "legacy", python(runtimetest.MCP1, "python1.py"), "2025-11-25"},
		{"Python 2", "auto", python(runtimetest.MCP2, "python2.py"), "2026-07-28"},
		{"Python 2", "legacy", python(runtimetest.MCP2, "python2.py"), "2025-11-25"},
		{"Go", "auto", golang, "2026-07-28"},
		{"Go", "legacy", golang, "2025-11-25"},
	} {
		t.Run(c.name+" "+c.era, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := w.pull(t, c.era, c.program(t)...)
			if version := p.connect(t, false); version != c.version {
				t.Errorf("the revision is %s, want %s", version, c.version)
			}
			p.surface(t)
			p.work(t)
			p.unavailable(t)
			p.close(t)

			if version := p.connect(t, true); version != c.version {
				t.Errorf("the revision is %s, want %s", version, c.version)
			}
			p.consent(t)
			p.close(t)
			if leaks := w.box.Leaks(p.said.String()); len(leaks) > 0 {
				t.Errorf("the client was told %v", leaks)
			}
			if left := w.processes(t); len(left) > 0 {
				t.Errorf("left running: %v", left)
			}
		})
	}
}

// surface looks at what is offered.
func (p *puppet) surface(t *testing.T) {
	t.Helper()
	var list struct {
		Tools []struct {
			Name, Title, Description  string
			InputSchema, OutputSchema struct {
				Type                 string
				Properties           map[string]json.RawMessage
				AdditionalProperties any
			}
			Annotations struct{ ReadOnlyHint, DestructiveHint bool }
		}
	}
	p.do(t, &list, map[string]any{"op": "tools"})
	var names, reading, destroying []string
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
		if tool.Annotations.ReadOnlyHint {
			reading = append(reading, tool.Name)
		}
		if tool.Annotations.DestructiveHint {
			destroying = append(destroying, tool.Name)
		}
		if tool.Title == "" || tool.Description == "" {
			t.Errorf("%s has the title %q and the description %q", tool.Name, tool.Title, tool.Description)
		}
		if in := tool.InputSchema; in.Type != "object" || in.AdditionalProperties != false {
			t.Errorf("%s takes %+v, want a closed object", tool.Name, in)
		}
		if out := tool.OutputSchema; out.Type != "object" || len(out.Properties) == 0 {
			t.Errorf("%s returns %+v, want an object", tool.Name, out)
		}
	}
	for _, list := range []struct {
		what      string
		got, want []string
	}{
		{"tools", names, []string{"endpoint_configure", "endpoint_delete", "endpoint_list", "endpoint_logs", "endpoint_restart", "endpoint_start",
			"endpoint_status", "endpoint_stop", "login", "logout", "whoami"}},
		{"tools that only read", reading, []string{"endpoint_list", "endpoint_logs", "endpoint_status", "whoami"}},
		{"tools that destroy", destroying, []string{"endpoint_delete", "endpoint_restart", "endpoint_stop", "logout"}},
	} {
		if diff := cmp.Diff(list.want, list.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", list.what, diff)
		}
	}
	var guides struct{ Prompts []struct{ Name string } }
	p.do(t, &guides, map[string]any{"op": "prompts"})
	if fmt.Sprint(guides.Prompts) != "[{diagnose-endpoint} {set-up-endpoint} {size-resource-pool}]" {
		t.Errorf("the prompts are %v", guides.Prompts)
	}
}

var mesa = map[string]any{"name": "mesa"}

type endpoint struct{ Name, ID, Status string }

// list returns the endpoints there are, as name and status.
func (p *puppet) list(t *testing.T) []string {
	t.Helper()
	var list struct{ Endpoints []endpoint }
	p.call(t, &list, "endpoint_list", nil)
	names := []string{}
	for _, e := range list.Endpoints {
		names = append(names, e.Name+" "+e.Status)
	}
	return names
}

// work logs in, makes an endpoint, and has it run for a while.
func (p *puppet) work(t *testing.T) {
	t.Helper()
	var account struct {
		Outcome  string
		LoggedIn bool `json:"logged_in"`
	}
	p.call(t, &account, "login", nil)
	if account.Outcome != "logged_in" {
		t.Errorf("login: %+v", account)
	}
	p.call(t, &account, "whoami", nil)
	if !account.LoggedIn {
		t.Errorf("whoami: %+v", account)
	}

	wrong := p.try(t, nil, "endpoint_configure", map[string]any{"name": 5}).refusal(t)
	if diff := cmp.Diff(refusal{"invalid", `name: want a text such as "my-endpoint", got 5`, nil}, wrong, cmpopts.IgnoreUnexported(operation.Next{})); diff != "" {
		t.Errorf("configuring 5 (-want +got):\n%s", diff)
	}
	var e endpoint
	p.call(t, &e, "endpoint_configure", map[string]any{"name": "mesa", "email": "me@example.org"})
	p.run(t)
	const want = "mesa Stopped"
	if got := p.list(t); !slices.Equal(got, []string{want}) {
		t.Errorf("the list is %v, want %s", got, want)
	}
	var read struct {
		Contents []struct{ URI, MIMEType, Text string }
	}
	p.do(t, &read, map[string]any{"op": "read", "uri": "chiltepin://endpoint/mesa/status"})
	if len(read.Contents) != 1 || json.Unmarshal([]byte(read.Contents[0].Text), &e) != nil || e.Name+" "+e.Status != want {
		t.Errorf("the resource is %+v, want %s", read.Contents, want)
	}
}

// run starts the endpoint, looks at it and stops it.
func (p *puppet) run(t *testing.T) {
	t.Helper()
	var e endpoint
	started := p.call(t, &e, "endpoint_start", mesa)
	if e.Status != "Running" || len(e.ID) != 36 {
		t.Errorf("started: %+v", e)
	}
	if len(started.Progress) < 2 {
		t.Errorf("the progress seen before the answer is %q, want several steps", started.Progress)
	}
	if got := p.list(t); !slices.Equal(got, []string{"mesa Running"}) {
		t.Errorf("the list is %v, want mesa Running", got)
	}
	p.call(t, &e, "endpoint_status", mesa)
	if e.Status != "Running" {
		t.Errorf("status: %+v", e)
	}
	var log struct{ Lines []any }
	p.call(t, &log, "endpoint_logs", map[string]any{"name": "mesa", "tail": 5})
	if len(log.Lines) == 0 || len(log.Lines) > 5 {
		t.Errorf("the log has %d records, want up to 5", len(log.Lines))
	}
	// It runs; deleting it is out of the question, whoever would agree.
	if got := p.try(t, nil, "endpoint_delete", mesa).refusal(t); got.Code != "conflict" && got.Code != "refused" {
		t.Errorf("deleting what runs: %+v", got)
	}
	p.call(t, &e, "endpoint_stop", mesa)
	if e.Status != "Stopped" {
		t.Errorf("stopped: %+v", e)
	}
}

// unavailable tries to delete with a client that cannot ask its person.
func (p *puppet) unavailable(t *testing.T) {
	t.Helper()
	want := refusal{
		Code:    "refused",
		Message: "nothing was done: this needs the word of a person, and this client cannot ask one",
		Next:    operation.Do("ask the person whom it concerns; they can do it in a terminal of theirs, which asks them: Delete endpoint mesa in DIR, its files and its registration UUID? This cannot be undone."),
	}
	c := p.try(t, nil, "endpoint_delete", mesa)
	got := c.refusal(t)
	for i, n := range got.Next { // the endpoint that is meant is told in full
		n.Why = strings.Replace(n.Why, filepath.Join(p.world.home, ".globus_compute"), "DIR", 1)
		got.Next[i].Why = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).ReplaceAllString(n.Why, "UUID")
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(operation.Next{})); diff != "" || len(c.Asked) > 0 {
		t.Errorf("deleting without a person asked %q (-want +got):\n%s", c.Asked, diff)
	}
}

// consent has a person refuse, mistype and agree.
func (p *puppet) consent(t *testing.T) {
	t.Helper()
	for _, answer := range []person{
		{"decline", nil},
		{"cancel", nil},
		{"accept", map[string]any{"name": "mes"}},
	} {
		c := p.try(t, &answer, "endpoint_delete", mesa)
		if got := c.refusal(t); got.Code != "refused" {
			t.Errorf("%v: %+v", answer, got)
		}
		if len(c.Asked) != 1 || !strings.Contains(c.Asked[0], `Type the name "mesa" to agree`) {
			t.Errorf("%v: the person was asked %q", answer, c.Asked)
		}
		if got := p.list(t); !slices.Equal(got, []string{"mesa Stopped"}) {
			t.Fatalf("%v: the list is %v, want it as before", answer, got)
		}
	}
	given := p.try(t, &person{"accept", map[string]any{"name": "mesa"}}, "endpoint_delete", mesa)
	if given.Result.IsError || len(given.Asked) != 1 {
		t.Errorf("the person agreed: %+v", given)
	}
	if got := p.list(t); len(got) > 0 {
		t.Errorf("the list is %v after deleting", got)
	}
	if got := len(p.world.box.Requests("DELETE", "/v2/endpoints/*")); got != 1 {
		t.Errorf("%d registrations were deleted, want 1", got)
	}
	p.call(t, &struct{}{}, "logout", nil)
	if left := p.world.box.Unrevoked(); len(left) > 0 {
		t.Errorf("tokens were left after logout: %v", left)
	}
}
