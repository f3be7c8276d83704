package auth_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chiltepin/globus/auth"
	"chiltepin/globus/tokenstore"
)

// forget deletes our record of which client a token belongs to, so that it has
// to be found out.
func forget(t *testing.T, w *world) {
	t.Helper()
	if err := os.Remove(filepath.Join(w.computeDir(), ".chiltepin", "clients.json")); err != nil {
		t.Fatal(err)
	}
}

// update changes the compute store as another program would.
func (w *world) update(t *testing.T, change func(tokenstore.Rows)) {
	t.Helper()
	err := w.compute().Update(t.Context(), "user/production", func(rows tokenstore.Rows) error {
		change(rows)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// exchange refreshes a token as another program would; it returns nothing
// when the token is refused.
func (w *world) exchange(t *testing.T, token tokenstore.Secret) (access, refresh tokenstore.Secret, expires int64) {
	form := url.Values{"client_id": {chiltepin}, "grant_type": {"refresh_token"}, "refresh_token": {token.Reveal()}}
	r, err := http.NewRequestWithContext(t.Context(), "POST", "https://auth.globus.org/v2/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Error(err)
		return
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := w.RoundTripper().RoundTrip(r)
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	var answer struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		ExpiresIn    int64  `json:"expires_in"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Error(err)
	}
	return tokenstore.NewSecret(answer.AccessToken), tokenstore.NewSecret(answer.RefreshToken), time.Now().Unix() + answer.ExpiresIn
}

// loggedIn is true when the stored tokens of a service are a login.
func loggedIn(m *auth.Manager, service string) bool {
	account, err := m.Whoami(context.Background())
	return err == nil && slices.ContainsFunc(account.Services, func(s auth.ServiceAccount) bool {
		return s.Service == service && s.LoggedIn
	})
}
