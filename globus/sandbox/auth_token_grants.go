package sandbox

import (
	"net/http"
	"slices"
	"strings"

	"crypto/subtle"
)

// authenticateClient returns the client that makes a token, revoke or introspect
// request: by Basic authentication or the form's client_secret for a confidential
// client, by client_id in the form for a native app. It answers and returns false
// for an unknown client and a wrong secret.
func (a *auth) authenticateClient(w http.ResponseWriter, r *http.Request) (Application, bool) {
	form := httpExchangeOf(r).form
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	entryOf(r).ClientID = id
	a.mu.Lock()
	c, known := a.clients[id]
	a.mu.Unlock()
	switch {
	case !known:
		writeOAuthError(w, r, http.StatusUnauthorized, "invalid_client", "no such client")
	case subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) != 1:
		writeOAuthError(w, r, http.StatusUnauthorized, "invalid_client", "wrong secret")
	default:
		return c, true
	}
	return Application{}, false
}

func (a *auth) handleToken(w http.ResponseWriter, r *http.Request) {
	client, ok := a.authenticateClient(w, r)
	if !ok {
		return
	}
	switch grant := httpExchangeOf(r).form.Get("grant_type"); grant {
	case "authorization_code":
		a.exchangeCode(w, r, client)
	case "refresh_token":
		a.exchangeRefreshToken(w, r, client)
	case "client_credentials":
		a.exchangeCredentials(w, r, client)
	default:
		writeOAuthError(w, r, http.StatusBadRequest, "unsupported_grant_type", grant)
	}
}

func (a *auth) exchangeCode(w http.ResponseWriter, r *http.Request, client Application) {
	form := httpExchangeOf(r).form
	a.mu.Lock()
	code, known := a.codes[form.Get("code")]
	why := ""
	switch now := a.s.clock.now(); {
	case !known:
		why = "no such code"
	case code.used:
		why = "the code was used before; the tokens it gave are revoked"
		for _, t := range a.issueOrder {
			if t.from == code {
				t.revoked = true
			}
		}
	case !now.Before(code.expires):
		why = "the code has expired"
	case code.client != client.ID:
		why = "the code was issued to another client"
	case code.redirectURI != form.Get("redirect_uri"):
		why = "redirect_uri differs from the authorize request's"
	case !code.meetsChallenge(form.Get("code_verifier")):
		why = "code_verifier does not meet the challenge"
	}
	if why != "" {
		a.mu.Unlock()
		writeOAuthError(w, r, http.StatusBadRequest, "invalid_grant", why)
		return
	}
	code.used = true
	e := entryOf(r)
	e.Identity, e.PKCE = code.identity, code.challenge != ""
	answer := a.issueTokens(r, code.grants, token{client: client.ID, identity: code.identity, mfa: code.mfa, from: code}, code.offline)
	a.mu.Unlock()
	answer["state"] = code.state
	a.writeTokens(w, r, answer, client.ID, code.identity, code.nonce, wantsIDToken(code.grants))
}

func (a *auth) exchangeRefreshToken(w http.ResponseWriter, r *http.Request, client Application) {
	a.mu.Lock()
	old, known := a.tokens[httpExchangeOf(r).form.Get("refresh_token")]
	why := ""
	switch {
	case !known || !old.refresh:
		why = "no such refresh token"
	case old.client != client.ID:
		why = "the refresh token was issued to another client"
	case old.revoked:
		why = "the refresh token was revoked"
	case !old.isLive(a.s.clock.now()):
		why = "the refresh token has expired"
	}
	if why != "" {
		a.mu.Unlock()
		writeOAuthError(w, r, http.StatusBadRequest, "invalid_grant", why)
		return
	}
	entryOf(r).Identity = old.identity
	settings := a.s.settings.currentValues()
	like := token{client: old.client, identity: old.identity, server: old.server, scopes: old.scopes, mfa: old.mfa, from: old.from}
	access := a.issueToken(r, like)
	kept := old
	if settings.RotateRefresh {
		old.revoked = true
		like.refresh = true
		kept = a.issueToken(r, like)
	} else {
		old.expires = a.s.clock.now().Add(settings.RefreshLifetime)
	}
	answer := describeToken(access)
	answer["refresh_token"] = kept.value
	answer["other_tokens"] = []any{}
	a.mu.Unlock()
	writeJSON(w, http.StatusOK, answer)
}

func (a *auth) exchangeCredentials(w http.ResponseWriter, r *http.Request, client Application) {
	if client.Secret == "" {
		writeOAuthError(w, r, http.StatusBadRequest, "unauthorized_client", "a native app has no credentials of its own")
		return
	}
	grants, unknown := splitScopes(httpExchangeOf(r).form.Get("scope"))
	if len(unknown) > 0 || len(grants) == 0 {
		writeOAuthError(w, r, http.StatusBadRequest, "invalid_scope", strings.Join(unknown, " "))
		return
	}
	entryOf(r).Identity = client.ID
	a.mu.Lock()
	answer := a.issueTokens(r, grants, token{client: client.ID, identity: client.ID}, false)
	a.mu.Unlock()
	a.writeTokens(w, r, answer, client.ID, client.ID, "", wantsIDToken(grants))
}

// issueTokens makes one access token a service, and a refresh token with each
// when offline, and returns the answer: the first at the top, the others in
// other_tokens. The caller holds mu.
func (a *auth) issueTokens(r *http.Request, grants []scopeGrant, like token, offline bool) map[string]any {
	var answers []map[string]any
	for _, g := range grants {
		like.server, like.scopes, like.refresh = g.server, g.scopes, false
		one := describeToken(a.issueToken(r, like))
		if offline {
			like.refresh = true
			one["refresh_token"] = a.issueToken(r, like).value
		}
		answers = append(answers, one)
	}
	answers[0]["other_tokens"] = answers[1:]
	return answers[0]
}

func describeToken(t *token) map[string]any {
	return map[string]any{
		"access_token": t.value, "scope": strings.Join(t.scopes, " "), "token_type": "Bearer",
		"expires_in": int64(t.expires.Sub(t.issued).Seconds()), "resource_server": t.server,
	}
}

func wantsIDToken(grants []scopeGrant) bool {
	for _, g := range grants {
		if slices.Contains(g.scopes, "openid") {
			return true
		}
	}
	return false
}

func (a *auth) writeTokens(w http.ResponseWriter, r *http.Request, answer map[string]any, client, identity, nonce string, wanted bool) {
	if wanted {
		signed, err := a.signIDToken(client, identity, nonce)
		if err != nil {
			writeAuthError(w, r, http.StatusInternalServerError, "INTERNAL_ERROR", err.Error())
			return
		}
		answer["id_token"] = signed
	}
	writeJSON(w, http.StatusOK, answer)
}
