package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

func TestCodeExchange(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	got := login(t, b)
	type row struct {
		Server, Scope string
		Refresh       bool
		Expires       int
	}
	rows := []row{{got.Server, got.Scope, got.Refresh != "", got.Expires}}
	for _, o := range got.Other {
		rows = append(rows, row{o.Server, o.Scope, o.Refresh != "", o.Expires})
	}
	want := []row{
		{"auth.globus.org", "openid urn:globus:auth:scope:auth.globus.org:manage_projects", true, 172800},
		{"funcx_service", computeAll, true, 172800},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
	// Somebody else's implementation checks the ID token against the keys.
	ctx := oidc.ClientContext(t.Context(), b.Client())
	provider, err := oidc.NewProvider(ctx, "https://auth.globus.org")
	if err != nil {
		t.Fatal(err)
	}
	id, err := provider.Verifier(&oidc.Config{ClientID: chiltepinApp}).Verify(ctx, got.ID)
	if err != nil {
		t.Fatal(err)
	}
	if id.Subject != sandbox.Researcher().ID {
		t.Errorf("subject = %s", id.Subject)
	}
}

func TestCodeIsBound(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, why string
		pairs     []string
	}{
		{"wrong verifier", "code_verifier does not meet the challenge", []string{"code_verifier", verifier + "x"}},
		{"no verifier", "code_verifier does not meet the challenge", []string{"code_verifier", ""}},
		{"another client", "the code was issued to another client", []string{"client_id", computeApp}},
		{"another redirect URI", "redirect_uri differs from the authorize request's", []string{"redirect_uri", "http://127.0.0.1:1"}},
		{"another code", "no such code", []string{"code", "guessed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := sandboxtest.New(t)
			form := codeForm(b.AuthorizeCode(authorizeURL()), tt.pairs...)
			status, got := post(t, b.Client(), "/v2/oauth2/token", form, "", "")
			if status != http.StatusBadRequest || got.Error != "invalid_grant" || got.Access != "" {
				t.Errorf("answer = %d %q", status, got.Error)
			}
			if want := "invalid_grant: " + tt.why; lastError(b) != want {
				t.Errorf("journal says %q, want %q", lastError(b), want)
			}
		})
	}
}

func TestCodeIsSingleUse(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	form := codeForm(b.AuthorizeCode(authorizeURL()))
	_, first := post(t, b.Client(), "/v2/oauth2/token", form, "", "")
	if status, again := post(t, b.Client(), "/v2/oauth2/token", form, "", ""); status != http.StatusBadRequest || again.Error != "invalid_grant" {
		t.Fatalf("a second use answered %d %q", status, again.Error)
	}
	// Whoever used it first may have been a thief: RFC 6749 §4.1.2.
	if status := call(t, b.Client(), "GET", "https://auth.globus.org/v2/oauth2/userinfo", first.Access, "", nil); status != http.StatusUnauthorized {
		t.Errorf("the first use's token still works: %d", status)
	}
}

func TestLifetimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := sandboxtest.New(t, sandbox.Options{Settings: sandbox.Settings{AccessLifetime: time.Hour}})
		c := b.Client()
		code := b.AuthorizeCode(authorizeURL())
		got := login(t, b)
		userinfo := func(token string) int {
			return call(t, c, "GET", "https://auth.globus.org/v2/oauth2/userinfo", token, "", nil)
		}
		refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {chiltepinApp}, "refresh_token": {got.Refresh}}
		time.Sleep(10 * time.Minute)
		if status, late := post(t, c, "/v2/oauth2/token", codeForm(code), "", ""); status != 400 || late.Error != "invalid_grant" {
			t.Errorf("a code of ten minutes ago answered %d %q", status, late.Error)
		}
		if status := userinfo(got.Access); status != 200 {
			t.Errorf("the token after ten minutes: %d", status)
		}
		time.Sleep(50 * time.Minute)
		if status := userinfo(got.Access); status != 401 {
			t.Errorf("the token after an hour: %d", status)
		}
		status, fresh := post(t, c, "/v2/oauth2/token", refresh, "", "")
		if status != 200 || fresh.Refresh != got.Refresh || fresh.Scope != got.Scope || len(fresh.Other) != 0 {
			t.Errorf("refresh answered %d, %+v", status, fresh)
		}
		if status := userinfo(fresh.Access); status != 200 {
			t.Errorf("the refreshed token: %d", status)
		}
		time.Sleep(181 * 24 * time.Hour)
		if status, _ := post(t, c, "/v2/oauth2/token", refresh, "", ""); status != 400 {
			t.Errorf("a refresh token unused for 181 days: %d", status)
		}
	})
}

func TestRefreshIsBoundToItsClient(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	got := login(t, b)
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {computeApp}, "refresh_token": {got.Refresh}}
	if status, bad := post(t, b.Client(), "/v2/oauth2/token", form, "", ""); status != 400 || bad.Error != "invalid_grant" {
		t.Errorf("another client's refresh answered %d %q", status, bad.Error)
	}
	form.Set("client_id", chiltepinApp)
	b.Configure(func(s *sandbox.Settings) { s.RotateRefresh = true })
	_, next := post(t, b.Client(), "/v2/oauth2/token", form, "", "")
	if next.Refresh == "" || next.Refresh == got.Refresh {
		t.Error("the refresh token was not rotated")
	}
	if status, _ := post(t, b.Client(), "/v2/oauth2/token", form, "", ""); status != 400 {
		t.Errorf("the rotated token still works: %d", status)
	}
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	client := b.NewConfidentialClient("robot")
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {computeAll + " openid"}}
	status, got := post(t, b.Client(), "/v2/oauth2/token", form, client.ID, client.Secret)
	if status != 200 || got.Server != "funcx_service" || got.Refresh != "" || len(got.Other) != 1 || got.ID == "" {
		t.Fatalf("answer = %d, %+v", status, got)
	}
	var who struct{ Sub, Preferred_username string }
	call(t, b.Client(), "GET", "https://auth.globus.org/v2/oauth2/userinfo", got.Other[0].Access, "", &who)
	if who.Sub != client.ID || who.Preferred_username != client.ID+"@clients.auth.globus.org" {
		t.Errorf("userinfo = %+v", who)
	}
	if status, bad := post(t, b.Client(), "/v2/oauth2/token", form, client.ID, "guess"); status != 401 || bad.Error != "invalid_client" {
		t.Errorf("a wrong secret answered %d %q", status, bad.Error)
	}
	form.Set("client_id", chiltepinApp)
	if status, bad := post(t, b.Client(), "/v2/oauth2/token", form, "", ""); status != 400 || bad.Error != "unauthorized_client" {
		t.Errorf("a native app answered %d %q", status, bad.Error)
	}
	form.Set("scope", "no-such-scope")
	if status, bad := post(t, b.Client(), "/v2/oauth2/token", form, client.ID, client.Secret); status != 400 || bad.Error != "invalid_scope" {
		t.Errorf("an unknown scope answered %d %q", status, bad.Error)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	got := login(t, b)
	all := []string{got.Access, got.Refresh, got.Other[0].Access, got.Other[0].Refresh}
	if diff := cmp.Diff([]string{"access#1", "refresh#1", "access#2", "refresh#2"}, b.Unrevoked()); diff != "" {
		t.Errorf("unrevoked (-want +got):\n%s", diff)
	}
	foreign := url.Values{"token": {got.Access}, "client_id": {computeApp}}
	if status, bad := post(t, b.Client(), "/v2/oauth2/token/revoke", foreign, "", ""); status != 400 || bad.Error != "unauthorized_client" {
		t.Errorf("another client's revoke answered %d %q", status, bad.Error)
	}
	for _, token := range all {
		form := url.Values{"token": {token}, "client_id": {chiltepinApp}}
		for range 2 { // the second time is no error
			if status, _ := post(t, b.Client(), "/v2/oauth2/token/revoke", form, "", ""); status != 200 {
				t.Errorf("revoke answered %d", status)
			}
		}
	}
	if left := b.Unrevoked(); len(left) != 0 {
		t.Errorf("unrevoked = %v", left)
	}
	if status := call(t, b.Client(), "GET", "https://auth.globus.org/v2/oauth2/userinfo", got.Access, "", nil); status != 401 {
		t.Errorf("a revoked access token: %d", status)
	}
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {chiltepinApp}, "refresh_token": {got.Refresh}}
	if status, _ := post(t, b.Client(), "/v2/oauth2/token", form, "", ""); status != 400 {
		t.Errorf("a revoked refresh token: %d", status)
	}
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	alice := sandbox.Identity{ID: "11111111-1111-4111-8111-111111111111", Username: "alice@a.example", Linked: []string{"22222222-2222-4222-8222-222222222222"}}
	work := sandbox.Identity{ID: "22222222-2222-4222-8222-222222222222", Username: "alice@work.example", Name: "Alice"}
	bob := sandbox.Identity{ID: "33333333-3333-4333-8333-333333333333", Username: "bob@a.example"}
	b := sandboxtest.New(t, sandbox.Options{Identities: []sandbox.Identity{alice, work, bob}})
	b.Configure(func(s *sandbox.Settings) { s.Identity = "alice@work.example" })
	got := login(t, b)
	var info struct {
		Sub string
		Set []struct{ Sub string } `json:"identity_set"`
	}
	call(t, b.Client(), "GET", "https://auth.globus.org/v2/oauth2/userinfo", got.Access, "", &info)
	var set []string
	for _, i := range info.Set {
		set = append(set, i.Sub)
	}
	if diff := cmp.Diff([]string{work.ID, alice.ID}, set); diff != "" || info.Sub != work.ID {
		t.Errorf("sub %s, set (-want +got):\n%s", info.Sub, diff)
	}
	var found struct {
		Identities []struct{ Username, Name string }
	}
	call(t, b.Client(), "GET", "https://auth.globus.org/v2/api/identities?ids="+work.ID+","+bob.ID, got.Access, "", &found)
	if len(found.Identities) != 2 || found.Identities[0].Name != "Alice" || found.Identities[1].Username != "bob@a.example" {
		t.Errorf("identities = %+v", found)
	}
	if status := call(t, b.Client(), "GET", "https://auth.globus.org/v2/oauth2/userinfo", got.Other[0].Access, "", nil); status != 403 {
		t.Errorf("userinfo with Compute's token: %d", status)
	}
}

func TestWrongTokens(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	got := login(t, b)
	const endpoints = "https://compute.api.globus.org/v2/endpoints"
	var body struct {
		Code string `json:"code"`
		HTTP int    `json:"http_status_code"`
	}
	for token, want := range map[string]int{"": 401, "made-up": 401, got.Other[0].Refresh: 401, got.Access: 403} {
		body.Code = ""
		if status := call(t, b.Client(), "GET", endpoints, token, "", &body); status != want || body.HTTP != want || body.Code == "" {
			t.Errorf("%s: %d %+v, want %d", lastError(b), status, body, want)
		}
	}
	for _, service := range []string{"https://transfer.api.globus.org/v0.10/endpoint/x", "https://exchange.academy-agents.org/v1/mailbox"} {
		if status := call(t, b.Client(), "GET", service, got.Access, "", nil); status != 403 {
			t.Errorf("%s with Auth's token: %d", service, status)
		}
	}
	if n := b.RevokeTokens("access"); n != 2 {
		t.Errorf("revoked %d tokens, want 2", n)
	}
	if status := call(t, b.Client(), "GET", endpoints, got.Other[0].Access, "", nil); status != 401 {
		t.Errorf("a revoked token: %d", status)
	}
	if status := call(t, b.Client(), "GET", "https://transfer.api.globus.org/v0.10/endpoint/x", got.Access, "", nil); status != 401 {
		t.Errorf("transfer with a revoked token: %d", status)
	}
}

func TestJournalHoldsNoSecret(t *testing.T) {
	t.Parallel()
	var lines strings.Builder
	b := sandboxtest.New(t, sandbox.Options{Journal: &lines})
	client := b.NewConfidentialClient("robot")
	code := b.AuthorizeCode(authorizeURL())
	_, got := post(t, b.Client(), "/v2/oauth2/token", codeForm(code), "", "")
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {computeAll}, "client_id": {client.ID}, "client_secret": {client.Secret}}
	_, robot := post(t, b.Client(), "/v2/oauth2/token", form, "", "")
	post(t, b.Client(), "/v2/oauth2/token/revoke", url.Values{"token": {got.Access}, "client_id": {chiltepinApp}}, "", "")
	post(t, b.Client(), "/v2/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {chiltepinApp}, "refresh_token": {got.Refresh}}, "", "")
	// A secret where none belongs must not show either.
	call(t, b.Client(), "GET", "https://compute.api.globus.org/v2/endpoints?role="+robot.Access, robot.Access, "", nil)
	call(t, b.Client(), "POST", "https://compute.api.globus.org/v3/endpoints", robot.Access, `{"endpoint_name":"`+robot.Access+`"}`, nil)

	secrets := []string{code, verifier, client.Secret, got.Access, got.Refresh, got.ID, got.Other[0].Access, got.Other[0].Refresh, robot.Access}
	state, err := json.Marshal(b.State())
	if err != nil {
		t.Fatal(err)
	}
	for i, secret := range secrets {
		if secret == "" {
			t.Fatalf("secret %d is empty", i)
		}
		if strings.Contains(lines.String(), secret) {
			t.Errorf("the journal holds secret %d", i)
		}
		// The endpoint's name is the endpoint's affair.
		if i != len(secrets)-1 && strings.Contains(string(state), secret) {
			t.Errorf("the state holds secret %d", i)
		}
	}
	grants := []string{}
	for _, e := range b.Requests("POST", "/v2/oauth2/token") {
		grants = append(grants, e.Grant)
	}
	if want := []string{"authorization_code", "client_credentials", "refresh_token"}; !slices.Equal(grants, want) {
		t.Errorf("grants = %v, want %v", grants, want)
	}
	first := b.Requests("POST", "/v2/oauth2/token")[0]
	if !first.PKCE || first.ClientID != chiltepinApp || first.Identity != sandbox.Researcher().ID || first.Body["code"] != "code#1" {
		t.Errorf("the exchange is journaled as %+v", first)
	}
}
