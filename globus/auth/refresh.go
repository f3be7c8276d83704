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

// currentToken returns a token of s for one of its resource servers that has not
// ended, renewing it if need be. stale is one that a service did not accept,
// however fresh it looks; there may be none.
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
	// Twice: a Python program, which does not know our lock, may have renewed
	// the token while we tried.
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

// isTokenRefusal is true when Globus Auth does not accept a refresh token, or a
// client's credentials, and would not accept them later. A proxy that answers
// in its place does not use these words.
func isTokenRefusal(err error) bool {
	e, ok := errors.AsType[*globus.Error](err)
	return ok && (e.Code == "invalid_grant" || e.Code == "invalid_client" || e.Code == "unauthorized_client")
}

// requestReplacement asks Globus Auth for another access token in the place of one, and
// tells which client got it, or which was refused last. It changes nothing.
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
		zerolog.Ctx(ctx).Debug().Str("service", s.name).Str("resource_server", server).Str("client_id", id).Err(err).Msg("token renewed")
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

// mergeRefreshed is old with the new token of a grant. What the answer leaves out
// stays as it was, the refresh token above all, which a Python program would
// lose.
func mergeRefreshed(old tokenstore.Token, g *tokenResponse, server string) (tokenstore.Token, error) {
	fresh, ok := g.tokens[server]
	if !ok || len(g.tokens) != 1 {
		return fresh, &UnexpectedResponseError{Problem: fmt.Sprintf("asked for one token, for %s, and got others", server)}
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

// storeRefreshed puts fresh wherever old is: a login for compute and transfer has the
// same token for auth.globus.org in both stores. A Python program may have
// changed the row meanwhile; then the token that ends later wins, and one that
// was logged out stays so. at is the place that old was read from.
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
		return tokenstore.Token{}, fmt.Errorf("keeping the renewed token: %w", err)
	}
	if !found {
		m.revokeTokens(ctx, oauthClient{id: clientID, secret: s.client.secret}, fresh)
		return tokenstore.Token{}, &LoginError{Service: s.name, Reason: "it was logged out while its token was renewed"}
	}
	for _, other := range m.storeNamespaces() {
		if other.store.Path() == at.store.Path() && other.namespace == at.namespace {
			continue
		}
		// What is wrong with another store is not this service's affair.
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
		zerolog.Ctx(ctx).Debug().Err(err).Msg("client of a token not remembered")
	}
	return result, nil
}

// areSameGrant is true of two rows that come of one grant.
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

// refreshTokenLife is how long Globus Auth keeps a refresh token that nobody uses:
// globus_sdk/globus_app/config.py.
const refreshTokenLife = 180 * 24 * time.Hour

// maxAccessTokenLife is how long an access token may live: what ended less than that ago
// may have been renewed by another program, which the ledger does not know.
const maxAccessTokenLife = 3 * 24 * time.Hour

// markRefused remembers that a token is of no use any more and says why, as far as
// that can be told: Globus Auth says invalid_grant to all of it.
func (m *Manager) markRefused(s *loginService, h storedTokens, token tokenstore.Token, cause error) error {
	p := m.origins.readFile()
	e := p.originOf(token)
	id, proven := m.clientOfToken(s, h, token, p)
	var reason string
	switch {
	case token.RefreshToken.IsZero():
		reason = "Globus Auth does not accept the credentials of client " + id
	case !proven:
		reason = "the token for " + token.ResourceServer + " was given to another client than those of Globus programs (" + strings.Join(m.candidateClients(s, h, p), ", ") + "), or was revoked"
	case e.Written > 0 && time.Since(time.Unix(e.Written, 0)) > refreshTokenLife && time.Since(token.Expires()) > refreshTokenLife-maxAccessTokenLife:
		reason = "the token for " + token.ResourceServer + " of client " + id + " was not used for six months"
	default:
		reason = "the token for " + token.ResourceServer + " of client " + id + " was revoked: by a logout elsewhere, by another login in its place, or on the web site of Globus"
	}
	_ = m.origins.recordToken(token, tokenOrigin{ClientID: e.ClientID, Refused: reason})
	return &LoginError{Service: s.name, Reason: reason, Err: cause}
}
