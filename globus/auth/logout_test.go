package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/tokenstore"
	"chiltepin/globus/tokenstore/tokenstoretest"
)

func TestLogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.manager(t)
	w.login(t, m)
	result, err := m.Logout(t.Context(), auth.LogoutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range result.Tokens {
		if !token.Revoked || !token.Removed || token.Err != nil {
			t.Errorf("%+v", token)
		}
		if (token.Kind == "access") != (token.ValidUntil.Year() > 2000) {
			t.Errorf("%s token valid until %s", token.Kind, token.ValidUntil)
		}
	}
	if left := w.Unrevoked(); len(left) != 0 {
		t.Errorf("alive after logout: %v", left)
	}
	// The token that two stores have is revoked once.
	if got := len(w.Requests("POST", "/v2/oauth2/token/revoke")); got != 10 {
		t.Errorf("%d revocations, want 10", got)
	}
	for _, store := range []tokenstore.Store{w.compute(), w.transfer(chiltepin), w.academy()} {
		if names, err := store.Namespaces(t.Context()); err != nil || len(read(t, store, "DEFAULT")) != 0 || len(read(t, store, "user/production")) != 0 {
			t.Errorf("%s still has tokens (%v, %v)", store.Path(), names, err)
		}
	}
	for _, service := range auth.Services() {
		if loggedIn(m, service) {
			t.Errorf("still logged in to %s", service)
		}
		if _, err := m.Authorized(t.Context(), service); !errors.Is(err, auth.ErrNotLoggedIn) || err.Error() != "not logged in to Globus "+service {
			t.Errorf("Authorized: %v", err)
		}
	}
	again, err := m.Logout(t.Context(), auth.LogoutOptions{})
	if err != nil || len(again.Tokens) != 0 {
		t.Errorf("second logout: %+v, %v", again, err)
	}
}

// What Python Chiltepin, the daemon and older releases left is found too.
func TestLogoutOfWhatOthersLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, owner := range []string{olderChiltepin, sdk} {
		w.env["GLOBUS_COMPUTE_CLIENT_ID"] = owner
		if _, err := w.manager(t).Login(t.Context(), auth.LoginOptions{Services: []string{"transfer"}, Ask: w.ask}); err != nil {
			t.Fatal(err)
		}
	}
	w.login(t, w.manager(t), "compute")
	forget(t, w)
	for _, pair := range w.ClientCredentials() { // a person's tokens beside those of a client
		name, value, _ := strings.Cut(pair, "=")
		w.env[name] = value
	}
	w.login(t, w.manager(t))
	// A client ends its own login only, and says what else there is.
	result, err := w.manager(t).Logout(t.Context(), auth.LogoutOptions{})
	if err != nil || len(result.Tokens) != 6 || len(w.Unrevoked()) != 12 {
		t.Fatal(result, err, w.Unrevoked())
	}
	var left []string
	for _, l := range result.Left {
		if l.Namespace == "user/production" {
			left = append(left, fmt.Sprintf("production %d in %s", l.Tokens, filepath.Base(l.Store)))
			continue
		}
		left = append(left, fmt.Sprintf("%s %d", filepath.Base(filepath.Dir(filepath.Dir(l.Store))), l.Tokens))
	}
	if diff := cmp.Diff([]string{"production 2 in storage.db", olderChiltepin + " 2", sdk + " 2"}, left); diff != "" {
		t.Error("left alone", diff)
	}
	// The person's logout ends those of an older Chiltepin too.
	id := w.env["GLOBUS_COMPUTE_CLIENT_ID"]
	secret := w.env["GLOBUS_COMPUTE_CLIENT_SECRET"]
	delete(w.env, "GLOBUS_COMPUTE_CLIENT_ID")
	delete(w.env, "GLOBUS_COMPUTE_CLIENT_SECRET")
	result, err = w.manager(t).Logout(t.Context(), auth.LogoutOptions{})
	if err != nil || len(result.Tokens) != 8 || len(result.Left) != 1 {
		t.Fatal(result, err)
	}
	for _, token := range result.Tokens {
		if !token.Revoked || !token.Removed {
			t.Errorf("%+v", token)
		}
	}
	w.env["GLOBUS_COMPUTE_CLIENT_ID"], w.env["GLOBUS_COMPUTE_CLIENT_SECRET"] = id, secret
	w.login(t, w.manager(t))
	delete(w.env, "GLOBUS_COMPUTE_CLIENT_SECRET")
	w.env["GLOBUS_COMPUTE_CLIENT_ID"] = sdk
	if result, err = w.manager(t).Logout(t.Context(), auth.LogoutOptions{}); err != nil || len(result.Tokens) != 6 {
		t.Errorf("tokens of a client id that only the environment names, and of academy: %+v, %v", result, err)
	}
	// All of them: the tokens of a client whose secret is not here are removed,
	// and it is told that they stay valid.
	result, err = w.manager(t).Logout(t.Context(), auth.LogoutOptions{All: true})
	if err != nil || len(result.Tokens) != 4 || len(result.Left) != 0 {
		t.Fatal(result, err)
	}
	for _, token := range result.Tokens {
		if token.Revoked || !token.Removed || token.ClientID != id || token.ValidUntil.IsZero() {
			t.Errorf("%+v", token)
		}
	}
	if left := w.Unrevoked(); len(left) != 4 {
		t.Errorf("alive after logout: %v", left)
	}
}

func TestLogoutUnreachable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.login(t, w.manager(t))
		requests := 0
		w.transport = roundTripper(func(*http.Request) (*http.Response, error) {
			requests++
			return nil, errors.New("no route to host")
		})
		m := w.manager(t)
		begun := time.Now()
		result, err := m.Logout(t.Context(), auth.LogoutOptions{})
		if err != nil || len(result.Tokens) != 12 {
			t.Fatal(result, err)
		}
		for _, token := range result.Tokens {
			if token.Revoked || !token.Removed || !globus.IsUnavailable(token.Err) {
				t.Errorf("%+v", token)
			}
			if want := begun.Add(48 * time.Hour).Truncate(time.Second); token.Kind == "access" && !token.ValidUntil.Equal(want) {
				t.Errorf("valid until %s, want %s", token.ValidUntil, want)
			}
		}
		if requests > 5 || time.Since(begun) > 20*time.Second {
			t.Errorf("%d requests in %s for a service that cannot be reached", requests, time.Since(begun))
		}
		if loggedIn(m, auth.Compute) || len(read(t, w.compute(), "user/production")) != 0 {
			t.Error("the local tokens are still there")
		}
	})
}

func TestLogoutRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.login(t, w.manager(t), "compute")
	w.transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		r.Header.Set("Content-Type", "text/plain") // the stand-in does not read this
		return w.RoundTripper().RoundTrip(r)
	})
	result, err := w.manager(t).Logout(t.Context(), auth.LogoutOptions{})
	if err != nil || len(result.Tokens) != 4 {
		t.Fatal(result, err)
	}
	for _, token := range result.Tokens {
		if token.Revoked || !token.Removed || globus.StatusOf(token.Err) != 401 {
			t.Errorf("%+v", token)
		}
	}
}

func TestLogoutCanceled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.login(t, w.manager(t), "compute")
	ctx, cancel := context.WithCancel(t.Context())
	w.transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		cancel()
		return nil, r.Context().Err()
	})
	if _, err := w.manager(t).Logout(ctx, auth.LogoutOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	w.transport = nil
	if result, err := w.manager(t).Logout(t.Context(), auth.LogoutOptions{}); err != nil || len(result.Tokens) != 4 {
		t.Errorf("the next logout found %+v, %v", result, err)
	}
}

// A store that cannot be read is an error, and does not keep the others from
// being emptied; a row that Python cannot read is revoked as far as it goes.
func TestLogoutOfBrokenStores(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.login(t, w.manager(t), "compute")
	w.update(t, func(rows tokenstore.Rows) {
		token := rows["funcx_service"]
		token.Extra = map[string]string{"expires_at_seconds": "5.5"} // the later of two members counts
		rows["funcx_service"] = token
	})
	if rows := read(t, w.compute(), "user/production"); rows["funcx_service"].Problem == nil {
		t.Fatal("the row is not broken")
	}
	broken := w.transfer(chiltepin).Path()
	if err := os.MkdirAll(filepath.Dir(broken), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	result, err := w.manager(t).Logout(t.Context(), auth.LogoutOptions{})
	if format, ok := errors.AsType[*tokenstore.StoreFormatError](err); !ok || format.Path != broken {
		t.Error(err)
	}
	if len(result.Tokens) != 4 || len(w.Unrevoked()) != 0 || len(read(t, w.compute(), "user/production")) != 0 {
		t.Errorf("%+v, alive: %v", result, w.Unrevoked())
	}
}

// Nothing that is printed, encoded or said in an error holds a token.
func TestNoTokenShows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.manager(t)
	var shown []string
	show := func(values ...any) {
		for _, value := range values {
			shown = append(shown, fmt.Sprintf("%v %+v %#v", value, value, value))
		}
	}
	result := w.login(t, m)
	show(result)
	account, err := m.Whoami(t.Context())
	show(account, err, m)
	client, err := m.Authorized(t.Context(), auth.Compute)
	show(client, err)
	if _, err := getWith(t.Context(), client, listURL); err != nil {
		t.Fatal(err)
	}
	show(client, client.Transport)
	var secrets []string
	for _, rows := range []tokenstore.Rows{read(t, w.compute(), "user/production"), read(t, w.transfer(chiltepin), "DEFAULT"), read(t, w.academy(), "DEFAULT")} {
		for _, token := range rows {
			secrets = append(secrets, token.AccessToken.Reveal(), token.RefreshToken.Reveal())
		}
	}
	w.RevokeTokens("access")
	w.RevokeTokens("refresh")
	_, err = getWith(t.Context(), client, listURL)
	show(err)
	ledger, err := os.ReadFile(filepath.Join(w.computeDir(), ".chiltepin", "clients.json"))
	if err != nil {
		t.Fatal(err)
	}
	show(string(ledger))
	out, err := m.Logout(t.Context(), auth.LogoutOptions{})
	show(out, err)
	if len(secrets) != 12 || len(shown) != 12 {
		t.Fatal("the test looks at less than it should")
	}
	for _, text := range shown {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("a token shows in %s", text)
			}
		}
	}
}

// Tokens under 'user/<env>' that the ledger does not know and no client claims.
func TestLogoutOfUnclaimedTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.update(t, func(rows tokenstore.Rows) { rows["funcx_service"] = tokenstoretest.Token("funcx_service") })
	result, err := w.manager(t).Logout(t.Context(), auth.LogoutOptions{})
	if err != nil || len(result.Tokens) != 2 {
		t.Fatal(result, err)
	}
	if got := len(w.Requests("POST", "/v2/oauth2/token/revoke")); got != 6 {
		t.Errorf("%d revocations: two tokens, three clients that may own them", got)
	}
}
