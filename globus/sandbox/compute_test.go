package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"chiltepin/globus/sandbox/amqp"
	"chiltepin/globus/sandbox/broker"
)

const computeURL = "https://compute.api.globus.org"

// bench is a sandbox and somebody who is logged in.
type bench struct {
	*Sandbox
	t     *testing.T
	token string
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	s := New(o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return &bench{s, t, tokenOf(s, Researcher().ID)}
}

// tokenOf issues an access token for Compute without a login.
func tokenOf(s *Sandbox, identity string) string {
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	return s.auth.issueToken(&http.Request{}, token{
		client: nativeApps()[0].ID, identity: identity, server: computeResourceServer, scopes: []string{computeScope},
	}).value
}

// do sends a request as whom token belongs to, and decodes the answer.
func (b *bench) do(token, method, path, body string) (int, map[string]any) {
	b.t.Helper()
	r, err := http.NewRequest(method, computeURL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := b.Client().Do(r)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		out["list"] = string(raw)
	}
	return answer.StatusCode, out
}

func (b *bench) must(method, path, body string) map[string]any {
	b.t.Helper()
	status, out := b.do(b.token, method, path, body)
	if status != http.StatusOK {
		b.t.Fatalf("%s %s: %d %v", method, path, status, out)
	}
	return out
}

// puppet is a core endpoint that lives in the test: it answers commands as
// the daemon does and runs every task in no time.
type puppet struct {
	b  *bench
	id string

	mu       sync.Mutex
	commands []map[string]any
	refuse   string // the next start fails so
	silent   bool   // starts lead to nothing
	users    map[string]bool
}

func (b *bench) register(body string) *puppet {
	b.t.Helper()
	p := &puppet{b: b, id: b.must("POST", "/v3/endpoints", body)["endpoint_id"].(string), users: map[string]bool{}}
	if _, err := b.broker.Subscribe(p.id+".commands", p.command); err != nil {
		b.t.Fatal(err)
	}
	return p
}

const templateEndpoint = `{"endpoint_name":"mesa","metadata":{"user_config_template":"engine: {}","endpoint_config":"x"}}`

// beat sends a heartbeat, as endpoint or user endpoint.
func (p *puppet) beat(id string, state map[string]any) {
	body, err := packMessage("ep_status_report", map[string]any{"endpoint_id": id, "global_state": state, "task_statuses": map[string]any{}})
	if err == nil {
		err = p.b.broker.Publish(heartbeatQueue, id+".heartbeats", amqp.Properties{}, body)
	}
	if err != nil {
		p.b.t.Errorf("heartbeat: %v", err)
	}
}

func (p *puppet) online() { p.beat(p.id, map[string]any{"heartbeat_period": 30}) }

// behave says what the next start commands lead to.
func (p *puppet) behave(refuse string, silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse, p.silent = refuse, silent
}

func (p *puppet) command(m broker.Message) {
	var c map[string]any
	if err := json.Unmarshal(m.Body, &c); err != nil || m.Properties.ContentType != "application/json" {
		p.b.t.Errorf("command %s: %v", m.Body, err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commands = append(p.commands, c)
	creds := c["kwargs"].(map[string]any)["amqp_creds"].(map[string]any)
	id := creds["endpoint_id"].(string)
	switch {
	case p.silent:
	case p.refuse != "":
		p.beat(id, map[string]any{"error": p.refuse, "heartbeat_period": 3})
		p.beat(p.id, map[string]any{"error": p.refuse, "heartbeat_period": 3}) // the daemon does this too
	default:
		p.beat(id, map[string]any{"heartbeat_period": 30, "active": true, "total_workers": 1})
		if !p.users[id] {
			p.users[id] = true
			if _, err := p.b.broker.Subscribe(id+".tasks", p.task); err != nil {
				p.b.t.Errorf("subscribe: %v", err)
			}
		}
	}
}

// task answers with the task's own buffer, or fails for a function "boom".
func (p *puppet) task(m broker.Message) {
	var in taskMessage
	if err := unpackMessage(m.Body, "task", &in); err != nil {
		p.b.t.Errorf("task: %v", err)
		return
	}
	out := map[string]any{"task_id": in.TaskID, "data": in.Buffer, "details": map[string]any{"os": "test"}}
	if strings.HasPrefix(in.Buffer, "boom") {
		out["error_details"] = map[string]any{"code": "RemoteExecutionError", "user_message": "boom"}
	}
	body, err := packMessage("result", out)
	if err == nil {
		err = p.b.broker.Publish(resultQueue, "x.results", amqp.Properties{}, body)
	}
	if err != nil {
		p.b.t.Errorf("result: %v", err)
	}
}

func (b *bench) function(code string) string {
	b.t.Helper()
	return b.must("POST", "/v3/functions", fmt.Sprintf(`{"function_name":"f","function_code":%q}`, code))["function_uuid"].(string)
}

func TestEndpointLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{})
		p := b.register(`{"endpoint_name":"mesa","display_name":"Mesa","metadata":{"hostname":"login1"}}`)
		status := func() any {
			synctest.Wait()
			return b.must("GET", "/v2/endpoints/"+p.id+"/status", "")["status"]
		}
		if got := status(); got != "offline" {
			t.Errorf("before a heartbeat: %v", got)
		}
		p.online()
		if got := status(); got != "online" {
			t.Errorf("after a heartbeat: %v", got)
		}
		time.Sleep(90 * time.Second)
		if got := status(); got != "online" {
			t.Errorf("three periods later: %v", got)
		}
		time.Sleep(time.Second)
		if got := status(); got != "offline" {
			t.Errorf("and a second: %v", got)
		}
		p.online()
		p.beat(p.id, map[string]any{"error": "a child failed", "heartbeat_period": 3})
		if got := status(); got != "online" {
			t.Errorf("after a child's error: %v", got)
		}
		p.beat(p.id, map[string]any{"heartbeat_period": 0})
		if got := status(); got != "offline" {
			t.Errorf("after the farewell: %v", got)
		}
		again := b.must("PUT", "/v3/endpoints/"+p.id, `{"endpoint_name":"mesa"}`)
		if again["endpoint_id"] != p.id || b.State().Endpoints[0].Registrations != 2 {
			t.Errorf("PUT gave %v, %+v", again["endpoint_id"], b.State().Endpoints)
		}
		meta := b.must("GET", "/v2/endpoints/"+p.id, "")
		if meta["display_name"] != "mesa" || meta["name"] != "mesa" || meta["uuid"] != p.id {
			t.Errorf("metadata = %v", meta)
		}
		if got := b.must("DELETE", "/v2/endpoints/"+p.id, "")["result"]; got != 302.0 {
			t.Errorf("DELETE gave %v", got)
		}
		for _, r := range []string{"PUT /v3/endpoints/", "DELETE /v3/endpoints/", "GET /v2/endpoints/"} {
			method, path, _ := strings.Cut(r, " ")
			code, body := b.do(b.token, method, path+p.id, `{"endpoint_name":"mesa"}`)
			if code != 404 || body["code"] != "ENDPOINT_NOT_FOUND" {
				t.Errorf("%s after the DELETE: %d %v", r, code, body)
			}
		}
	})
}

func TestEndpointOwnership(t *testing.T) {
	t.Parallel()
	mine := Identity{ID: "11111111-1111-4111-8111-111111111111", Username: "me", Linked: []string{"22222222-2222-4222-8222-222222222222"}}
	linked := Identity{ID: "22222222-2222-4222-8222-222222222222", Username: "also me"}
	other := Identity{ID: "33333333-3333-4333-8333-333333333333", Username: "other"}
	b := newBench(t, Options{Identities: []Identity{mine, linked, other}})
	b.token = tokenOf(b.Sandbox, mine.ID)
	p := b.register(templateEndpoint)
	f := b.function("f")
	for _, r := range []string{"PUT /v3/endpoints/%s", "DELETE /v2/endpoints/%s", "POST /v3/endpoints/%s/lock"} {
		method, path, _ := strings.Cut(fmt.Sprintf(r, p.id), " ")
		if code, body := b.do(tokenOf(b.Sandbox, other.ID), method, path, `{"endpoint_name":"x"}`); code != 403 || body["code"] != "ENDPOINT_ACCESS_FORBIDDEN" {
			t.Errorf("%s by another: %d %v", r, code, body)
		}
	}
	if code, _ := b.do(tokenOf(b.Sandbox, linked.ID), "PUT", "/v3/endpoints/"+p.id, templateEndpoint); code != 200 {
		t.Errorf("PUT by a linked identity: %d", code)
	}
	if code, _ := b.do(tokenOf(b.Sandbox, other.ID), "POST", "/v3/endpoints/"+p.id+"/submit", `{"tasks":{"`+f+`":["x"]}}`); code != 403 {
		t.Errorf("submit by another: %d", code)
	}
	if _, out := b.do(tokenOf(b.Sandbox, other.ID), "GET", "/v2/endpoints", ""); out["list"] != "[]\n" {
		t.Errorf("the other's list = %v", out)
	}
	if _, out := b.do(tokenOf(b.Sandbox, other.ID), "GET", "/v2/endpoints?role=any", ""); !strings.Contains(fmt.Sprint(out), p.id) {
		t.Errorf("everyone's list = %v", out)
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{})
		p := b.register(templateEndpoint)
		got := b.must("POST", "/v3/endpoints/"+p.id+"/lock", "")
		if until := got["lock_expiration_timestamp"]; until != unixSeconds(time.Now().Add(time.Minute)) {
			t.Errorf("lock until %v", until)
		}
		if code, body := b.do(b.token, "PUT", "/v3/endpoints/"+p.id, templateEndpoint); code != 423 || body["code"] != "ENDPOINT_LOCKED" {
			t.Errorf("PUT while locked: %d %v", code, body)
		}
		time.Sleep(time.Minute)
		if code, _ := b.do(b.token, "PUT", "/v3/endpoints/"+p.id, templateEndpoint); code != 200 {
			t.Errorf("PUT a minute later: %d", code)
		}
	})
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{})
	p := b.register(templateEndpoint)
	f := b.function("f")
	none := uuid.NewString()
	tests := []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/v3/endpoints", `{`, 422, "SEMANTICALLY_INVALID"},
		{"POST", "/v3/endpoints", `{}`, 422, "SEMANTICALLY_INVALID"},
		{"GET", "/v2/endpoints/nonsense", ``, 422, "SEMANTICALLY_INVALID"},
		{"GET", "/v2/nonsense", ``, 404, "RESOURCE_NOT_FOUND"},
		{"POST", "/v3/functions", `{"function_name":"f"}`, 422, "SEMANTICALLY_INVALID"},
		{"GET", "/v2/functions/" + none, ``, 404, "FUNCTION_NOT_FOUND"},
		{"GET", "/v2/tasks/" + none, ``, 404, "TASK_NOT_FOUND"},
		{"GET", "/v2/taskgroup/" + none, ``, 404, "TASK_GROUP_NOT_FOUND"},
		{"POST", "/v3/endpoints/" + none + "/submit", `{}`, 404, "ENDPOINT_NOT_FOUND"},
		{"POST", "/v3/endpoints/" + p.id + "/submit", `{}`, 422, "SEMANTICALLY_INVALID"},
		{"POST", "/v3/endpoints/" + p.id + "/submit", `{"tasks":{"` + none + `":["x"]}}`, 404, "FUNCTION_NOT_FOUND"},
		{"POST", "/v3/endpoints/" + p.id + "/submit", `{"task_group_id":"` + none + `","tasks":{"` + f + `":["x"]}}`, 404, "TASK_GROUP_NOT_FOUND"},
		{"POST", "/v3/endpoints/" + p.id + "/submit", `{"tasks":{"` + f + `":["` + strings.Repeat("x", maxTask) + `"]}}`, 413, "PAYLOAD_TOO_LARGE"},
	}
	for _, tt := range tests {
		status, body := b.do(b.token, tt.method, tt.path, tt.body)
		got := []any{status, body["code"], body["http_status_code"], body["status"]}
		if diff := cmp.Diff([]any{tt.status, tt.code, float64(tt.status), "Failed"}, got); diff != "" {
			t.Errorf("%s %s %.40s (-want +got):\n%s", tt.method, tt.path, tt.body, diff)
		}
	}
}
