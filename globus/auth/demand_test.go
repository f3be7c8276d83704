package auth_test

import (
	"context"
	"net/url"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/auth"
	"chiltepin/globus/sandbox"
	"chiltepin/globus/tokenstore"
)

// A policy that asks for more is met by the next login, which asks for exactly
// that, and for nothing that is there already.
func TestStepUp(t *testing.T) {
	t.Parallel()
	home := sandbox.Identity{ID: "11111111-1111-4111-8111-111111111111", Username: "ada@home.example"}
	lab := sandbox.Identity{ID: "22222222-2222-4222-8222-222222222222", Username: "ada@lab.example"}
	w := newWorld(t, sandbox.Options{Identities: []sandbox.Identity{home, lab}})
	m := w.manager(t)
	w.login(t, m)
	transfer := read(t, w.transfer(chiltepin), "DEFAULT")
	w.Configure(func(s *sandbox.Settings) { s.Policy.MFA = true })
	if status, err := get(t, m, listURL); err != nil || status != 403 {
		t.Fatal(status, err)
	}
	account, err := m.Whoami(t.Context())
	if err != nil || account.Services[0].Demand.String() != "a second factor" || !account.Services[1].Demand.IsZero() {
		t.Errorf("%+v, %v", account.Services[0].Demand, err)
	}
	var asked []url.Values
	result, err := w.manager(t).Login(t.Context(), auth.LoginOptions{Ask: func(ctx context.Context, address string) (string, error) {
		u, _ := url.Parse(address)
		asked = append(asked, u.Query())
		return w.ask(ctx, address)
	}})
	if err != nil || !slices.Equal(result.Renewed, []string{"compute"}) || len(asked) != 1 {
		t.Fatalf("%+v, %v, %v", result, err, asked)
	}
	q := asked[0]
	for name, want := range map[string]string{
		"session_required_mfa": "true", "session_message": "The policy of this service asks for more.", "session_required_single_domain": "",
		"scope": "openid https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all", "prompt": "",
	} {
		if q.Get(name) != want {
			t.Errorf("%s: asked for %q, want %q", name, q.Get(name), want)
		}
	}
	if status, err := get(t, w.manager(t), listURL); err != nil || status != 200 {
		t.Error("after the login:", status, err)
	}
	if diff := cmp.Diff(transfer, read(t, w.transfer(chiltepin), "DEFAULT")); diff != "" {
		t.Error("the transfer store changed:", diff)
	}
	// The tokens that were replaced, and those that nobody asked for, are dead.
	if left := w.Unrevoked(); len(left) != 10 {
		t.Errorf("%d tokens are alive, want 10: %v", len(left), left)
	}
	if again, err := w.manager(t).Login(t.Context(), auth.LoginOptions{}); err != nil || len(again.Renewed) != 0 {
		t.Errorf("once more: %+v, %v", again, err)
	}

	// An identity of a domain: the login that meets it is another's, so it has
	// to be confirmed.
	w.Configure(func(s *sandbox.Settings) { s.Policy = sandbox.SessionPolicy{Domain: "lab.example"} })
	if status, err := get(t, w.manager(t), listURL); err != nil || status != 403 {
		t.Fatal(status, err)
	}
	if _, err := w.manager(t).Login(t.Context(), auth.LoginOptions{Ask: w.ask}); !isA[*auth.IdentityError](err) {
		t.Error(err)
	}
	result, err = w.manager(t).Login(t.Context(), auth.LoginOptions{Services: []string{"compute", "transfer"}, Force: true, Confirm: agree, Ask: w.ask})
	if err != nil || result.Identity.ID != lab.ID {
		t.Errorf("%+v, %v", result, err)
	}
	if status, err := get(t, w.manager(t), listURL); err != nil || status != 200 {
		t.Error("after the login:", status, err)
	}
}

// One scope less is asked for alone, and what else a store has is kept.
func TestLoginOfAMissingScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.login(t, w.manager(t), auth.Compute)
	before := read(t, w.compute(), "user/production")
	w.update(t, func(rows tokenstore.Rows) {
		token := rows["auth.globus.org"]
		token.Scope = "openid"
		rows["auth.globus.org"] = token
	})
	var scope string
	result, err := w.manager(t).Login(t.Context(), auth.LoginOptions{Services: []string{"compute"}, Ask: func(ctx context.Context, address string) (string, error) {
		u, _ := url.Parse(address)
		scope = u.Query().Get("scope")
		return w.ask(ctx, address)
	}})
	if err != nil || !slices.Equal(result.Renewed, []string{"compute"}) {
		t.Fatalf("%+v, %v", result, err)
	}
	if want := "openid urn:globus:auth:scope:auth.globus.org:manage_projects"; scope != want {
		t.Errorf("asked for %q, want %q", scope, want)
	}
	after := read(t, w.compute(), "user/production")
	if !after["funcx_service"].Equal(before["funcx_service"]) || after["auth.globus.org"].Scope != scope {
		t.Errorf("%v", shape(after))
	}
}
