package auth

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"chiltepin/globus/tokenstore"
)

// renewalMargin is how long before it expires a token counts as expired, as in
// globus_sdk/authorizers/renewing.py.
const renewalMargin = 60 * time.Second

// storedTokens are the tokens of a service in one of its namespaces.
type storedTokens struct {
	storeNamespace
	rows tokenstore.Rows
}

// readStoredTokens reads the first namespace that has a token of s.
func (m *Manager) readStoredTokens(ctx context.Context, s *loginService) (storedTokens, error) {
	first := storedTokens{storeNamespace: s.namespaces[0]}
	for i, at := range s.namespaces {
		rows, err := at.store.Read(ctx, at.namespace)
		if i == 0 {
			first.rows = rows
			if err != nil {
				return first, err
			}
		}
		if err == nil && slices.ContainsFunc(s.resourceServers(), func(server string) bool { _, ok := rows[server]; return ok }) {
			return storedTokens{at, rows}, nil
		}
	}
	return first, nil
}

// checkStoredTokens checks that the stored tokens are a login: every resource
// server and every scope is there, the Python programs can read them, and they
// are either valid or can be refreshed. Otherwise it returns a [*LoginError].
func (m *Manager) checkStoredTokens(s *loginService, h storedTokens, p tokenOrigins) error {
	for _, server := range s.resourceServers() {
		if err := m.checkServerToken(s, h, p, server); err != nil {
			return err
		}
	}
	return nil
}

// checkServerToken is checkStoredTokens for one resource server.
func (m *Manager) checkServerToken(s *loginService, h storedTokens, p tokenOrigins, server string) error {
	token, ok := h.rows[server]
	if !ok {
		if len(h.rows) == 0 || server == s.server {
			return &LoginError{Service: s.name}
		}
		return &LoginError{Service: s.name, Reason: "there is no token for " + server}
	}
	if token.Problem != nil {
		return &LoginError{Service: s.name, Reason: "the token for " + server + " cannot be read", Err: token.Problem}
	}
	if missing := missingScopes(token, s.scopes[server]); len(missing) > 0 {
		return &LoginError{Service: s.name, Reason: "the tokens do not allow " + strings.Join(missing, ", ")}
	}
	if refused := p.originOf(token).Refused; refused != "" {
		return &LoginError{Service: s.name, Reason: refused}
	}
	if !s.canRenew(h.storeNamespace, token) && !isStillValid(token) {
		return &LoginError{Service: s.name, Reason: "the token for " + server + " expired at " + token.Expires().UTC().Format(time.RFC3339) + " and cannot be refreshed"}
	}
	return nil
}

// canRenew is true when a new access token can be had without a person.
func (s *loginService) canRenew(at storeNamespace, token tokenstore.Token) bool {
	return !token.RefreshToken.IsZero() || !s.client.secret.IsZero() && at.clientID == s.client.id
}

// isStillValid is true when the access token has not expired.
func isStillValid(token tokenstore.Token) bool {
	return time.Now().Before(token.Expires().Add(-renewalMargin))
}

// missingScopes lists the scopes that a token does not have.
func missingScopes(token tokenstore.Token, scopes []string) []string {
	has := token.Scopes()
	return slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool { return slices.Contains(has, scope) })
}

// clientOfToken is the client that a token belongs to: proven by the store it
// is in or by a refresh that worked, otherwise the most likely one.
func (m *Manager) clientOfToken(s *loginService, h storedTokens, token tokenstore.Token, p tokenOrigins) (id string, proven bool) {
	if s.name == Academy && !token.RefreshToken.IsZero() {
		// People and client credentials share one namespace here, and client
		// credentials never come with a refresh token.
		return academyID, true
	}
	if h.clientID != "" {
		return h.clientID, true
	}
	if id := p.originOf(token).ClientID; id != "" {
		return id, true
	}
	return m.candidateClients(s, h, p)[0], false
}

// candidateClients orders the clients that a token of unknown origin may belong
// to: those that other tokens of the same namespace belong to, the one that the
// environment names, those for which Python Chiltepin has stored transfer
// tokens, and the other ids that Globus programs use.
func (m *Manager) candidateClients(s *loginService, h storedTokens, p tokenOrigins) []string {
	var list []string
	add := func(id string) {
		if id != "" && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	for _, server := range s.resourceServers() {
		if token, ok := h.rows[server]; ok {
			add(p.originOf(token).ClientID)
		}
	}
	add(m.config.Getenv("GLOBUS_COMPUTE_CLIENT_ID"))
	for _, id := range []string{chiltepinID, olderChiltepinID} {
		if _, err := os.Stat(transferStore(m.config, id).store.Path()); !errors.Is(err, fs.ErrNotExist) {
			add(id)
		}
	}
	add(sdkID)
	add(chiltepinID)
	add(olderChiltepinID)
	return list
}
