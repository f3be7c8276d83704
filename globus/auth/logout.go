package auth

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chiltepin/globus"
	"chiltepin/globus/tokenstore"
)

// Logout revokes, and then removes, every access and refresh token of this
// login: in the stores that a login here, Python Chiltepin (older releases
// too), the daemon or academy writes for this environment. Each is revoked for
// the client that it belongs to; where that is unknown, for every client that
// it may belong to. Tokens of other clients in the same stores are left alone,
// unless All is set, and reported.
//
// A token whose revocation Globus Auth does not confirm is removed all the
// same, and the result says so. The error is for what could not be read or
// removed here. When the context ends, the stores stay as they are.
func (m *Manager) Logout(ctx context.Context, o LogoutOptions) (LogoutResult, error) {
	release, err := m.origins.lockTokens(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return LogoutResult{}, err
		}
		release = func() {} // no refresh can be under way in a directory that cannot be written
	}
	defer release()
	var problems []error
	var found []locatedToken
	var left []Left
	for _, at := range m.allClientLocations(ctx) {
		rows, err := at.store.Read(ctx, at.namespace)
		if err != nil && (!at.foreign || o.All) {
			problems = append(problems, err)
		}
		spared := 0
		for _, server := range slices.Sorted(maps.Keys(rows)) {
			if !o.All && (at.foreign || !slices.Contains(at.service.resourceServers(), server) || at.service.isPersonToken(rows[server])) {
				spared++
				continue
			}
			found = append(found, locatedToken{location: at, server: server, token: rows[server]})
		}
		if spared > 0 {
			left = append(left, Left{Store: at.store.Path(), Namespace: at.namespace, Tokens: spared})
		}
	}
	outcome := m.revokeAll(ctx, found, m.origins.readFile())
	if ctx.Err() != nil {
		return LogoutResult{}, context.Cause(ctx)
	}
	result := LogoutResult{Left: left, Shared: m.config.Shared}
	var gone []tokenstore.Token
	for _, k := range found {
		err := k.location.store.Update(ctx, k.location.namespace, func(rows tokenstore.Rows) error {
			delete(rows, k.server)
			return nil
		})
		if err != nil {
			problems = append(problems, err)
		} else {
			gone = append(gone, k.token)
		}
		for _, one := range k.listRemovals() {
			one.report.Removed = err == nil
			verdict := outcome[one.token.Fingerprint()]
			one.report.ClientID, one.report.Revoked, one.report.Err = verdict.clientID, verdict.err == nil, errors.Join(verdict.err, err)
			result.Tokens = append(result.Tokens, one.report)
		}
	}
	if err := m.origins.forgetTokens(gone); err != nil {
		problems = append(problems, err)
	}
	return result, errors.Join(problems...)
}

// isPersonToken is true of a person's token in a namespace that a client logs
// in to: academy has one namespace for both. Client credentials never come with
// a refresh token.
func (s *loginService) isPersonToken(token tokenstore.Token) bool {
	return !s.client.secret.IsZero() && !token.RefreshToken.IsZero()
}

// loginLocation is a namespace together with the service that it holds a login
// to. foreign is true when that login belongs to another client.
type loginLocation struct {
	storeNamespace
	service *loginService
	foreign bool
}

// locatedToken is one row that a logout ends.
type locatedToken struct {
	location loginLocation
	server   string
	token    tokenstore.Token
}

type removal struct {
	token  tokenstore.Secret
	report TokenRemoval
}

// listRemovals lists the tokens of a row, the refresh token first: while it is
// valid it can get new access tokens.
func (k locatedToken) listRemovals() []removal {
	base := TokenRemoval{Service: k.location.service.name, ResourceServer: k.server, Store: k.location.store.Path()}
	var list []removal
	if !k.token.RefreshToken.IsZero() {
		one := removal{k.token.RefreshToken, base}
		one.report.Kind = "refresh"
		list = append(list, one)
	}
	if !k.token.AccessToken.IsZero() {
		one := removal{k.token.AccessToken, base}
		one.report.Kind, one.report.ValidUntil = "access", time.Unix(k.token.ExpiresAt, 0).UTC()
		list = append(list, one)
	}
	return list
}

// loginLocations lists where tokens of this login may be, more than it would
// write to: those of a person beside those of client credentials, and those of
// an older Python Chiltepin.
func (m *Manager) loginLocations() []loginLocation {
	var list []loginLocation
	add := func(s *loginService, at storeNamespace, foreign bool) {
		if !slices.ContainsFunc(list, func(x loginLocation) bool {
			return x.store.Path() == at.store.Path() && x.namespace == at.namespace
		}) {
			list = append(list, loginLocation{at, s, foreign})
		}
	}
	for _, s := range m.services {
		for _, at := range s.namespaces {
			add(s, at, false)
		}
		// A client and a person have separate logins.
		switch client := !s.client.secret.IsZero(); s.name {
		case Compute:
			add(s, storeNamespace{store: s.namespaces[0].store, namespace: "user/" + m.config.Env.Name}, client)
		case Transfer:
			for _, id := range []string{chiltepinID, olderChiltepinID} {
				add(s, transferStore(m.config, id), client)
			}
		}
	}
	return list
}

// allClientLocations is loginLocations and the logins of other clients of this
// environment in the same stores.
func (m *Manager) allClientLocations(ctx context.Context) []loginLocation {
	list := m.loginLocations()
	for _, s := range m.services {
		switch s.name {
		case Compute:
			prefix := "clientprofile/" + m.config.Env.Name + "/"
			names, _ := s.namespaces[0].store.Namespaces(ctx) // reading each namespace reports errors
			for _, name := range names {
				if id, ok := strings.CutPrefix(name, prefix); ok && name != s.namespaces[0].namespace {
					list = append(list, loginLocation{storeNamespace{s.namespaces[0].store, name, id}, s, true})
				}
			}
		case Transfer:
			others, _ := filepath.Glob(filepath.Join(m.config.Home, ".globus", "app", "*", "chiltepin", filepath.Base(s.namespaces[0].store.Path())))
			for _, path := range others {
				at := transferStore(m.config, filepath.Base(filepath.Dir(filepath.Dir(path))))
				if !slices.ContainsFunc(list, func(x loginLocation) bool { return x.store.Path() == at.store.Path() }) {
					list = append(list, loginLocation{at, s, true})
				}
			}
		}
	}
	return list
}

// revocation is the result of revoking one token.
type revocation struct {
	clientID string
	err      error
}

// revokeAll revokes each token once, however many stores have it. When the
// service cannot be reached for one, the others are not tried.
func (m *Manager) revokeAll(ctx context.Context, found []locatedToken, p tokenOrigins) map[string]revocation {
	verdicts := map[string]revocation{}
	var unreachable error
	for _, k := range found {
		for _, one := range k.listRemovals() {
			id := one.token.Fingerprint()
			if _, done := verdicts[id]; done || ctx.Err() != nil {
				continue
			}
			if unreachable != nil {
				verdicts[id] = revocation{err: unreachable}
				continue
			}
			v := m.revokeFor(ctx, k, one.token, p)
			if _, network := errors.AsType[*globus.NetworkError](v.err); network {
				unreachable = v.err
			}
			verdicts[id] = v
		}
	}
	return verdicts
}

// revokeFor revokes a token for its client, or for each that it may belong to.
// Status 200 does not say which of them that was (RFC 7009 section 2.2), so all
// are tried.
func (m *Manager) revokeFor(ctx context.Context, k locatedToken, token tokenstore.Secret, p tokenOrigins) revocation {
	s := k.location.service
	h := storedTokens{storeNamespace: k.location.storeNamespace, rows: tokenstore.Rows{k.server: k.token}}
	id, proven := m.clientOfToken(s, h, k.token, p)
	clients := []string{id}
	if !proven {
		clients = m.candidateClients(s, h, p)
	}
	v := revocation{clientID: id}
	var refusals []error
	for _, id := range clients {
		as := oauthClient{id: id}
		if id == s.client.id {
			as.secret = s.client.secret
		}
		err := m.globus.revokeToken(ctx, as, token)
		switch {
		case globus.IsUnavailable(err):
			return revocation{clientID: id, err: err}
		case err != nil:
			refusals = append(refusals, err)
		}
	}
	if len(refusals) == len(clients) {
		v.err = errors.Join(refusals...)
	}
	return v
}
