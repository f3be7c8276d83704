package sandbox_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox"
)

// TestRealDaemonAndSDK is the proof that the sandbox is true: the newest
// daemon and SDK, unchanged, go through the whole life of an endpoint with it.
func TestRealDaemonAndSDK(t *testing.T) {
	t.Parallel()
	r := newReal(t, runtimetest.Newest)
	step := stopwatch(t)
	r.login("globus-compute-endpoint", "login")
	step("login")
	id, stopped := r.start()
	step("start to online")

	var got struct {
		One, Two         map[string]any
		Reloaded, Polled int
	}
	out, err := r.run("python", filepath.Join(sourceDir(t), "testdata/real/tasks.py"), id, "one", "two")
	if err != nil {
		t.Fatalf("tasks: %v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	step("tasks of two pools")
	want := map[string]any{
		"add": 3.0, "fail": []any{"TaskExecutionFailed", true}, "say": "said",
		"slow": "slow", "big": 300000.0, "argument": 200000.0,
	}
	if diff := cmp.Diff(want, got.One); diff != "" {
		t.Errorf("pool one (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, got.Two); diff != "" {
		t.Errorf("pool two (-want +got):\n%s", diff)
	}
	if got.Reloaded != 6 || got.Polled != 2 {
		t.Errorf("reloaded %d tasks, want 6; polled %d, want 2", got.Reloaded, got.Polled)
	}
	if users := r.box.State().UserEndpoints; len(users) != 2 || !users[0].Online || !users[1].Online {
		t.Errorf("user endpoints = %+v, want two online", users)
	}

	r.stop(stopped)
	step("stop")
	r.box.Await(5*time.Minute, "the endpoint offline", func(e sandbox.Entry) bool { return e.IsEvent("offline", id) && e.UserEndpoint == "" })
	again, stopped := r.start()
	if again != id {
		t.Errorf("the second start is endpoint %s, want %s", again, id)
	}
	r.stop(stopped)
	step("second start and stop")
	r.gce("delete", "--yes", "mesa")
	r.gce("logout", "--force")
	step("delete and logout")

	proof := map[string]int{
		"POST registration": len(r.box.Requests("POST", "/v3/endpoints")),
		"PUT registration":  len(r.box.Requests("PUT", "/v3/endpoints/"+id)),
		"DELETE":            len(r.box.Requests("DELETE", "/v2/endpoints/"+id)),
		"tasks":             len(r.box.State().Tasks),
		"unrevoked":         len(r.box.Unrevoked()),
	}
	if diff := cmp.Diff(map[string]int{"POST registration": 1, "PUT registration": 1, "DELETE": 1, "tasks": 13, "unrevoked": 0}, proof); diff != "" {
		t.Errorf("the journal shows (-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(r.box.Requests("POST", "/v2/oauth2/token"), func(e sandbox.Entry) bool { return e.PKCE }) {
		t.Error("the journal shows no PKCE login")
	}
}

// TestRealOldReleases: endpoints that are years old are still about.
func TestRealOldReleases(t *testing.T) {
	t.Parallel()
	for _, set := range []runtimetest.Set{runtimetest.V415, runtimetest.V46} {
		t.Run(string(set), func(t *testing.T) {
			t.Parallel()
			r := newReal(t, set)
			r.env = append(r.env, r.box.ClientCredentials()...)
			id, stopped := r.start()
			r.stop(stopped)
			r.gce("delete", "--yes", "mesa")
			if n := len(r.box.Requests("DELETE", "/v2/endpoints/"+id)); n != 1 {
				t.Errorf("%d DELETE requests", n)
			}
		})
	}
}

// TestRealTrouble: a submission that cannot start a user endpoint, a broker
// that drops everybody, and a stop by way of the service.
func TestRealTrouble(t *testing.T) {
	t.Parallel()
	r := newReal(t, runtimetest.Newest)
	r.env = append(r.env, r.box.ClientCredentials()...)
	r.write("config.yaml", "display_name: null\nemail: root@localhost\nheartbeat_period: 5\n")
	id, stopped := r.start()

	out, err := r.run("python", "-c", `
from globus_compute_sdk import Executor
with Executor(endpoint_id="`+id+`", user_endpoint_config={"wrong": 1}) as ex:
    print(ex.submit(len, "x").exception(timeout=900))
`)
	if err != nil || !strings.Contains(out, "SEMANTICALLY_INVALID") || !strings.Contains(out, "'pool' is undefined") {
		t.Errorf("a template that cannot be rendered: %v\n%s", err, out)
	}
	if !r.box.State().Endpoints[0].Online {
		t.Error("a child's failure made the endpoint offline")
	}

	before := r.box.Journal()
	if n := r.box.CloseConnections(""); n < 2 {
		t.Errorf("closed %d connections, want the endpoint's two", n)
	}
	seen := before[len(before)-1].Seq
	r.box.Await(10*time.Minute, "two heartbeats on a new connection", func() func(sandbox.Entry) bool {
		beats := 0
		return func(e sandbox.Entry) bool {
			if e.Seq > seen && e.IsEvent("heartbeat", id) {
				beats++
			}
			return beats == 2
		}
	}())

	// The lock ends its credentials, so that its farewell is refused: it takes
	// its ten seconds, and stop says 255 when it looks too early.
	out, err = r.run("globus-compute-endpoint", "stop", "--remote", "mesa")
	if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() != 255) {
		t.Errorf("stop --remote: %v\n%s", err, out)
	}
	select {
	case <-stopped:
	case <-time.After(5 * time.Minute):
		t.Error("the daemon did not end")
	}
	if n := len(r.box.Requests("POST", "/v3/endpoints/"+id+"/lock")); n != 1 {
		t.Errorf("%d lock requests", n)
	}
	out, err = r.run("globus-compute-endpoint", "start", "mesa")
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 69 || !strings.Contains(out, "ENDPOINT_LOCKED") {
		t.Errorf("start of a locked endpoint: %v\n%s", err, out)
	}
}

// TestRealLogins: Python Chiltepin asks for three services with two client
// ids, one of them without refresh tokens, and logs out of some.
func TestRealLogins(t *testing.T) {
	t.Parallel()
	r := newReal(t, runtimetest.Newest)
	step := stopwatch(t)
	out := r.login("chiltepin", "login")
	step("login")
	if n := strings.Count(out, "v2/oauth2/authorize?"); n != 3 {
		t.Errorf("%d URLs, want 3\n%s", n, out)
	}
	type grant struct {
		Client, Server string
		Refresh        bool
	}
	var got []grant
	tokens := r.box.State().Tokens
	for i, token := range tokens {
		if strings.HasPrefix(token.Label, "access#") {
			refresh := i+1 < len(tokens) && strings.HasPrefix(tokens[i+1].Label, "refresh#")
			got = append(got, grant{token.Client, token.Server, refresh})
		}
	}
	const academy = "1624cf3f-45ee-4f54-9de4-2d5d79191346"
	want := []grant{
		{academy, "auth.globus.org", true}, {academy, "ca1e2fbf-4e73-40a6-b2ab-c9458e5fcf99", true},
		{chiltepinApp, "auth.globus.org", false}, {chiltepinApp, "auth.globus.org", true},
		{chiltepinApp, "funcx_service", true}, {chiltepinApp, "transfer.api.globus.org", false},
	}
	slices.SortFunc(got, func(a, b grant) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
	r.env = append(r.env, "GLOBUS_COMPUTE_CLIENT_ID="+chiltepinApp)
	if out := r.gce("whoami"); !strings.Contains(out, "Robin Researcher") || !strings.Contains(out, "c0ffee00-5a4d-") {
		t.Errorf("whoami:\n%s", out)
	}
	r.box.ExpireTokens("access")
	step("whoami")
	r.gce("whoami") // refreshes
	step("whoami with a refresh")
	if n := len(r.box.Requests("POST", "/v2/oauth2/token")); n != 4 {
		t.Errorf("%d token requests, want three logins and a refresh", n)
	}
	r.box.RevokeTokens("refresh")
	r.box.ExpireTokens("access")
	if out, err := r.run("globus-compute-endpoint", "whoami"); err == nil {
		t.Errorf("whoami with revoked tokens:\n%s", out)
	}
	step("whoami refused")
}

// TestRealRefusals: what the daemon makes of the service's refusals is its
// affair; that it recognises them as such is ours.
func TestRealRefusals(t *testing.T) {
	t.Parallel()
	r := newReal(t, runtimetest.Newest)
	r.env = append(r.env, r.box.ClientCredentials()...)
	for status, want := range map[int]int{404: 69, 409: 69, 423: 69, 400: 65, 422: 65, 403: 1} {
		r.box.ClearFaults()
		r.box.Order(sandbox.Fault{Method: "POST", Path: "/v3/endpoints", Status: status, Code: "ORDERED", Detail: "as ordered"})
		out, err := r.run("globus-compute-endpoint", "start", "mesa")
		exit, ok := err.(*exec.ExitError)
		if !ok || exit.ExitCode() != want || !strings.Contains(out, "as ordered") {
			t.Errorf("%d: %v, want exit status %d\n%s", status, err, want, out)
		}
	}
}
