package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// token is an access or refresh token: opaque to everyone but Auth.
type token struct {
	value, label string
	refresh      bool // a refresh token
	client       string
	identity     string
	server       string
	scopes       []string
	issued       time.Time
	expires      time.Time
	revoked      bool
	mfa          bool      // the person signed in with a second factor
	from         *authCode // the code it came of, whose reuse ends it
}

func (t *token) isLive(now time.Time) bool { return !t.revoked && now.Before(t.expires) }

func (t *token) tokenKind() string {
	if t.refresh {
		return "refresh"
	}
	return "access"
}

// issueToken makes a token like t, with value, label and times filled in. The
// caller holds mu.
func (a *auth) issueToken(r *http.Request, t token) *token {
	now := a.s.clock.now()
	settings := a.s.settings.currentValues()
	t.value, t.issued = newSecret("Ag"), now
	t.expires = now.Add(settings.AccessLifetime)
	if t.refresh {
		t.expires = now.Add(settings.RefreshLifetime)
	}
	t.label = a.s.masker.labelSecret(t.tokenKind(), t.value)
	issued := &t
	a.tokens[t.value] = issued
	a.issueOrder = append(a.issueOrder, issued)
	entryOf(r).Issued = append(entryOf(r).Issued, t.label)
	return issued
}

// checkBearer finds the token that r carries and checks that it is live, for server
// and has scope ("" for any). The status is 200 when all is well;
// otherwise why says what is wrong.
func (a *auth) checkBearer(r *http.Request, server, scope string) (t token, status int, why string) {
	value := bearerToken(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	found, ok := a.tokens[value]
	switch {
	case value == "":
		return token{}, http.StatusUnauthorized, "no bearer token"
	case !ok || found.refresh:
		return token{}, http.StatusUnauthorized, "not an access token of this service"
	}
	e := entryOf(r)
	e.ClientID, e.Identity = found.client, found.identity
	switch {
	case found.revoked:
		return token{}, http.StatusUnauthorized, "the token was revoked"
	case !found.isLive(a.s.clock.now()):
		return token{}, http.StatusUnauthorized, "the token has expired"
	case found.server != server:
		return token{}, http.StatusForbidden, "the token is for " + found.server
	case scope != "" && !slices.Contains(found.scopes, scope):
		return token{}, http.StatusForbidden, "the token lacks the scope " + scope
	}
	return *found, http.StatusOK, ""
}

// handleRevoke ends one token. A second time, or for a token that never was, the
// answer is the same, as RFC 7009 has it.
func (a *auth) handleRevoke(w http.ResponseWriter, r *http.Request) {
	client, ok := a.authenticateClient(w, r)
	if !ok {
		return
	}
	a.mu.Lock()
	t, known := a.tokens[httpExchangeOf(r).form.Get("token")]
	switch {
	case known && t.client != client.ID:
		a.mu.Unlock()
		writeOAuthError(w, r, http.StatusBadRequest, "unauthorized_client", "the token was issued to another client")
		return
	case known:
		t.revoked = true
		e := entryOf(r)
		e.Identity, e.Revoked = t.identity, []string{t.label}
	}
	a.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"active": false})
}

// handleIntrospect tells a confidential client about a token for it.
func (a *auth) handleIntrospect(w http.ResponseWriter, r *http.Request) {
	client, ok := a.authenticateClient(w, r)
	if !ok {
		return
	}
	if client.Secret == "" {
		writeOAuthError(w, r, http.StatusUnauthorized, "invalid_client", "only a confidential client may introspect")
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t, known := a.tokens[httpExchangeOf(r).form.Get("token")]
	if !known || !t.isLive(a.s.clock.now()) {
		writeJSON(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	who, _ := a.findIdentity(t.identity)
	writeJSON(w, http.StatusOK, map[string]any{
		"active": true, "token_type": "Bearer", "scope": strings.Join(t.scopes, " "),
		"client_id": t.client, "sub": t.identity, "username": who.Username, "name": who.Name,
		"email": who.Email, "exp": t.expires.Unix(), "iat": t.issued.Unix(), "nbf": t.issued.Unix(),
		"aud": []string{t.server, t.client}, "iss": "https://" + AuthHost,
	})
}

// ExpireTokens ends the life of every live token of a kind, "access" or
// "refresh", as time would, and says how many there were.
func (s *Sandbox) ExpireTokens(kind string) int {
	return s.auth.changeLiveTokens(kind, func(t *token) { t.expires = s.clock.now() })
}

// RevokeTokens revokes every live token of a kind, "access" or "refresh", as
// the person could on the web site, and says how many there were.
func (s *Sandbox) RevokeTokens(kind string) int {
	return s.auth.changeLiveTokens(kind, func(t *token) { t.revoked = true })
}

func (a *auth) changeLiveTokens(kind string, change func(*token)) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, t := range a.issueOrder {
		if t.tokenKind() == kind && t.isLive(a.s.clock.now()) {
			change(t)
			n++
		}
	}
	return n
}
