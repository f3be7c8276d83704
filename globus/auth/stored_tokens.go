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

// renewalMargin is how long before its end a token counts as ended, as in
// globus_sdk/authorizers/renewing.py.
const renewalMargin = 60 * time.Second

// readStoredTokens is what there is of a service in one of its places.
type storedTokens struct {
	storeNamespace
	rows tokenstore.Rows
}

// readStoredTokens reads the first place that has any token of s.
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

// checkStoredTokens tells whether what a service holds is a login: all of its resource
// servers, all scopes, readable by the Python programs, and either fresh or
// renewable. Nil is yes; no is a [*LoginError].
func (m *Manager) checkStoredTokens(s *loginService, h storedTokens, p tokenOrigins) error {
	for _, server := range s.resourceServers() {
		if err := m.checkServerToken(s, h, p, server); err != nil {
			return err
		}
	}
	return nil
}

// checkServerToken is judge for one resource server.
func (m *Manager) checkServerToken(s *loginService, h storedTokens, p tokenOrigins, server string) error {
	token, ok := h.rows[server]
	if !ok {
		if len(h.rows) == 0 || server == s.server {
			return &LoginError{Service: s.name}
		}
		return &LoginError{Service: s.name, Reason: "there is no token for " + server}
	}
	if token.Problem != nil {
		return &LoginError{Service: s.name, Reason: "the token for " + server + " is not readable", Err: token.Problem}
	}
	if missing := missingScopes(token, s.scopes[server]); len(missing) > 0 {
		return &LoginError{Service: s.name, Reason: "the tokens do not allow " + strings.Join(missing, ", ")}
	}
	if refused := p.originOf(token).Refused; refused != "" {
		return &LoginError{Service: s.name, Reason: refused}
	}
	if !s.canRenew(h.storeNamespace, token) && !isStillValid(token) {
		return &LoginError{Service: s.name, Reason: "the token for " + server + " ended at " + token.Expires().UTC().Format(time.RFC3339) + " and cannot be renewed"}
	}
	return nil
}

// canRenew is true when another access token comes without a person.
func (s *loginService) canRenew(at storeNamespace, token tokenstore.Token) bool {
	return !token.RefreshToken.IsZero() || !s.client.secret.IsZero() && at.clientID == s.client.id
}

// isStillValid is true when the access token has not ended.
func isStillValid(token tokenstore.Token) bool {
	return time.Now().Before(token.Expires().Add(-renewalMargin))
}

// missingScopes lists the scopes that a token does not have.
func missingScopes(token tokenstore.Token, scopes []string) []string {
	has := token.Scopes()
	return slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool { return slices.Contains(has, scope) })
}

// clientOfToken is the client that a token belongs to: proven by the place it is in or
// by a refresh that worked, otherwise the likeliest.
func (m *Manager) clientOfToken(s *loginService, h storedTokens, token tokenstore.Token, p tokenOrigins) (id string, proven bool) {
	if s.name == Academy && !token.RefreshToken.IsZero() {
		// The one namespace there is for people and for client credentials,
		// which never come with a refresh token.
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

// candidateClients orders the clients that a token of unknown origin may belong to:
// those that other tokens of the same namespace are proven to belong to, the
// one that the environment names, those for which Python Chiltepin has left
// its transfer tokens, and the rest of those that Globus programs use.
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

// LoggedIn tells, without network, whether a service has tokens that should
// work. Whether they do, only the service knows.
func (m *Manager) LoggedIn(service string) bool {
	s, err := m.findService(service)
	if err != nil {
		return false
	}
	h, err := m.readStoredTokens(context.Background(), s)
	return err == nil && m.checkStoredTokens(s, h, m.origins.readFile()) == nil
}
