package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"chiltepin/globus"
	"chiltepin/globus/tokenstore"
)

// validToken returns a token of s for one of its resource servers that has not
// expired, and refreshes it if necessary. stale is a token that a service
// rejected although it has not expired; there may be none.
func (m *Manager) validToken(ctx context.Context, s *loginService, server string, stale tokenstore.Secret) (tokenstore.Token, error) {
	usable := func(token tokenstore.Token) bool {
		return isStillValid(token) && (stale.IsZero() || !token.AccessToken.Equal(stale))
	}
	h, err := m.readStoredTokens(ctx, s)
	if err != nil {
		return tokenstore.Token{}, err
	}
	if err := m.checkStoredTokens(s, h, m.origins.readFile()); err != nil {
		return tokenstore.Token{}, err
	}
	if token := h.rows[server]; usable(token) {
		return token, nil
	}
	release, err := m.origins.lockTokens(ctx)
	if err != nil {
		return tokenstore.Token{}, err
	}
	defer release()
	// Twice: a Python program, which does not take our lock, may have refreshed
	// the token at the same time.
	for again := false; ; again = true {
		h, err := m.readStoredTokens(ctx, s)
		if err != nil {
			return tokenstore.Token{}, err
		}
		if err := m.checkStoredTokens(s, h, m.origins.readFile()); err != nil {
			return tokenstore.Token{}, err
		}
		old := h.rows[server]
		if usable(old) {
			return old, nil
		}
		fresh, clientID, err := m.requestReplacement(ctx, s, h, server)
		if err == nil {
			return m.storeRefreshed(ctx, s, h.storeNamespace, old, fresh, clientID)
		}
		if !isTokenRefusal(err) {
			return tokenstore.Token{}, err
		}
		now, readErr := h.store.Read(ctx, h.namespace)
		if readErr == nil && !now[server].Equal(old) && !again {
			continue
		}
		return tokenstore.Token{}, m.markRefused(s, h, old, err)
	}
}

// isTokenRefusal is true when Globus Auth rejects a refresh token or the
// credentials of a client for good. A proxy that answers in its place does not
// use these codes.
func isTokenRefusal(err error) bool {
	e, ok := errors.AsType[*globus.Error](err)
	return ok && (e.Code == "invalid_grant" || e.Code == "invalid_client" || e.Code == "unauthorized_client")
}

// requestReplacement asks Globus Auth for a new access token, and returns the
// client that got it, or that was refused last. It stores nothing.
func (m *Manager) requestReplacement(ctx context.Context, s *loginService, h storedTokens, server string) (fresh tokenstore.Token, clientID string, err error) {
	old := h.rows[server]
	p := m.origins.readFile()
	id, proven := m.clientOfToken(s, h, old, p)
	clients := []string{id}
	if !proven {
		clients = m.candidateClients(s, h, p)
	}
	for _, id := range clients {
		as := oauthClient{id: id}
		if id == s.client.id {
			as.secret = s.client.secret
		}
		var g *tokenResponse
		clientID = id
		if old.RefreshToken.IsZero() {
			g, err = m.globus.requestClientTokens(ctx, as, s.scopes[server])
		} else {
			g, err = m.globus.refreshToken(ctx, as, old.RefreshToken)
		}
		zerolog.Ctx(ctx).Debug().Str("service", s.name).Str("resource_server", server).Str("client_id", id).Err(err).Msg("token refreshed")
		if err == nil {
			fresh, err = mergeRefreshed(old, g, server)
			return fresh, id, err
		}
		if !isTokenRefusal(err) {
			return fresh, id, err
		}
	}
	return fresh, clientID, err
}

// mergeRefreshed is old with the new token of a response. Members that the
// response leaves out keep their value, above all the refresh token, which a
// Python program would lose.
func mergeRefreshed(old tokenstore.Token, g *tokenResponse, server string) (tokenstore.Token, error) {
	fresh, ok := g.tokens[server]
	if !ok || len(g.tokens) != 1 {
		return fresh, &UnexpectedResponseError{Problem: fmt.Sprintf("one token was requested, for %s, but others were returned", server)}
	}
	fresh.IdentityID, fresh.Extra = old.IdentityID, old.Extra
	if fresh.RefreshToken.IsZero() {
		fresh.RefreshToken = old.RefreshToken
	}
	if fresh.Scope == "" {
		fresh.Scope = old.Scope
	}
	return fresh, nil
}

// storeRefreshed replaces old by fresh wherever it is stored: a login to
// compute and transfer has the same token for auth.globus.org in both stores. A
// Python program may have changed the row meanwhile; then the token that
// expires later is kept, and a row that was logged out stays removed. at is
// where old was read.
func (m *Manager) storeRefreshed(ctx context.Context, s *loginService, at storeNamespace, old, fresh tokenstore.Token, clientID string) (tokenstore.Token, error) {
	result, found := fresh, false
	put := func(rows tokenstore.Rows) error {
		found = false
		for server, row := range rows {
			switch {
			case row.Equal(old) || areSameGrant(row, old) && row.ExpiresAt <= fresh.ExpiresAt:
				rows[server], found = fresh, true
			case server == old.ResourceServer && row.Problem == nil:
				result, found = row, true
			}
		}
		return nil
	}
	if err := at.store.Update(ctx, at.namespace, put); err != nil {
		return tokenstore.Token{}, fmt.Errorf("storing the refreshed token: %w", err)
	}
	if !found {
		m.revokeTokens(ctx, oauthClient{id: clientID, secret: s.client.secret}, fresh)
		return tokenstore.Token{}, &LoginError{Service: s.name, Reason: "it was logged out while its token was refreshed"}
	}
	for _, other := range m.storeNamespaces() {
		if other.store.Path() == at.store.Path() && other.namespace == at.namespace {
			continue
		}
		// Problems of another store are reported by its own service.
		if rows, err := other.store.Read(ctx, other.namespace); err == nil && containsGrant(rows, old) {
			_ = other.store.Update(ctx, other.namespace, func(rows tokenstore.Rows) error {
				for server, row := range rows {
					if areSameGrant(row, old) && row.ExpiresAt <= fresh.ExpiresAt {
						rows[server] = fresh
					}
				}
				return nil
			})
		}
	}
	if err := m.origins.recordToken(result, tokenOrigin{ClientID: clientID}); err != nil {
		zerolog.Ctx(ctx).Debug().Err(err).Msg("the client of a token was not recorded")
	}
	return result, nil
}

// areSameGrant is true of two rows that come from the same grant.
func areSameGrant(a, b tokenstore.Token) bool {
	if a.RefreshToken.IsZero() || b.RefreshToken.IsZero() {
		return !a.AccessToken.IsZero() && a.AccessToken.Equal(b.AccessToken)
	}
	return a.RefreshToken.Equal(b.RefreshToken)
}

func containsGrant(rows tokenstore.Rows, token tokenstore.Token) bool {
	for _, row := range rows {
		if areSameGrant(row, token) {
			return true
		}
	}
	return false
}

// refreshTokenLife is how long Globus Auth keeps an unused refresh token:
// globus_sdk/globus_app/config.py.
const refreshTokenLife = 180 * 24 * time.Hour

// maxAccessTokenLife is the longest life of an access token: one that expired
// less than that ago may have been refreshed by another program, which is not
// recorded here.
const maxAccessTokenLife = 3 * 24 * time.Hour

// markRefused records that a token no longer works, and says why as far as that
// can be known: Globus Auth answers invalid_grant for every cause.
func (m *Manager) markRefused(s *loginService, h storedTokens, token tokenstore.Token, cause error) error {
	p := m.origins.readFile()
	e := p.originOf(token)
	id, proven := m.clientOfToken(s, h, token, p)
	var reason string
	switch {
	case token.RefreshToken.IsZero():
		reason = "Globus Auth rejects the credentials of client " + id
	case !proven:
		reason = "the token for " + token.ResourceServer + " was issued to a client other than those of the Globus programs (" + strings.Join(m.candidateClients(s, h, p), ", ") + "), or was revoked"
	case e.Written > 0 && time.Since(time.Unix(e.Written, 0)) > refreshTokenLife && time.Since(token.Expires()) > refreshTokenLife-maxAccessTokenLife:
		reason = "the token for " + token.ResourceServer + " of client " + id + " was not used for six months"
	default:
		reason = "the token for " + token.ResourceServer + " of client " + id + " was revoked: by a logout elsewhere, by another login that replaced it, or on the web site of Globus"
	}
	_ = m.origins.recordToken(token, tokenOrigin{ClientID: e.ClientID, Refused: reason})
	return &LoginError{Service: s.name, Reason: reason, Err: cause}
}
