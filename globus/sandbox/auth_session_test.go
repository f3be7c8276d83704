package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

// A browser signs in once, whatever is authorized in it; another one, and a
// demand for a second factor, have to sign in again.
func TestSignIns(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	first, second := b.NewBrowser(), b.NewBrowser()
	for i, step := range []struct {
		browser *sandboxtest.Browser
		url     string
		want    int
	}{
		{first, authorizeURL(), 1},
		{first, authorizeURL("client_id", "1624cf3f-45ee-4f54-9de4-2d5d79191346"), 1},
		{second, authorizeURL(), 2},
		{first, authorizeURL("session_required_mfa", "true"), 3},
		{first, authorizeURL("session_required_mfa", "true"), 3},
		{first, authorizeURL("prompt", "login"), 4},
	} {
		page, err := step.browser.Visit(step.url)
		if err != nil || page.Status != http.StatusOK {
			t.Fatal(page, err)
		}
		if got := b.SignIns(); got != step.want {
			t.Errorf("step %d: %d sign-ins, want %d", i, got, step.want)
		}
	}
}

// A policy refuses tokens of a login that does not meet it, says what would,
// and takes those of a login that does.
func TestPolicy(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t, sandbox.Options{Identities: []sandbox.Identity{
		{ID: "11111111-1111-4111-8111-111111111111", Username: "ada@home.example"},
		{ID: "22222222-2222-4222-8222-222222222222", Username: "ada@lab.example"},
	}})
	b.Configure(func(s *sandbox.Settings) { s.Policy = sandbox.SessionPolicy{MFA: true, Domain: "lab.example"} })
	list := func(pairs ...string) (int, map[string]any) {
		t.Helper()
		code := b.AuthorizeCode(authorizeURL(append(pairs, "scope", computeAll)...))
		_, got := post(t, b.Client(), "/v2/oauth2/token", codeForm(code), "", "")
		r, _ := http.NewRequest("GET", "https://compute.api.globus.org/v2/endpoints", nil)
		r.Header.Set("Authorization", "Bearer "+got.Access)
		resp, err := b.RoundTripper().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		var said struct {
			Demand map[string]any `json:"authorization_parameters"`
		}
		_ = json.Unmarshal(body, &said)
		return resp.StatusCode, said.Demand
	}
	status, demand := list()
	want := map[string]any{
		"session_message":                "The policy of this service asks for more.",
		"session_required_mfa":           true,
		"session_required_single_domain": []any{"lab.example"},
	}
	if diff := cmp.Diff(want, demand); status != 403 || diff != "" {
		t.Error(status, diff)
	}
	if status, demand := list("session_required_mfa", "true", "session_required_single_domain", "lab.example"); status != 200 {
		t.Error(status, demand)
	}
}
