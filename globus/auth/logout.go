package auth

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"chiltepin/globus"
	"chiltepin/globus/tokenstore"
)

// Logout revokes, and then removes, every access and refresh token in the
// stores that a login here or with Python Chiltepin, the daemon or academy
// writes for this environment. Each is revoked for the client that it belongs
// to, and where that is not known for every client that it may belong to. What
// Globus Auth does not confirm is told in the result and removed all the same;
// the error is for what could not be read or removed here. A context that ends
// leaves the stores as they are.
func (m *Manager) Logout(ctx context.Context, _ LogoutOptions) (LogoutResult, error) {
	release, err := m.ledger.acquire(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return LogoutResult{}, err
		}
		release = func() {} // a directory that cannot be written has no refresh under way
	}
	defer release()
	var problems []error
	var found []kept
	for _, at := range m.everyPlace() {
		rows, err := at.store.Read(ctx, at.namespace)
		if err != nil {
			problems = append(problems, err)
		}
		for _, server := range slices.Sorted(maps.Keys(rows)) {
			found = append(found, kept{at: at, server: server, token: rows[server]})
		}
	}
	outcome := m.revokeAll(ctx, found, m.ledger.read())
	if ctx.Err() != nil {
		return LogoutResult{}, context.Cause(ctx)
	}
	var result LogoutResult
	var gone []tokenstore.Token
	for _, k := range found {
		err := k.at.store.Update(ctx, k.at.namespace, func(rows tokenstore.Rows) error {
			delete(rows, k.server)
			return nil
		})
		if err != nil {
			problems = append(problems, err)
		} else {
			gone = append(gone, k.token)
		}
		for _, one := range k.removals() {
			one.report.Removed = err == nil
			verdict := outcome[one.token.Fingerprint()]
			one.report.ClientID, one.report.Revoked, one.report.Err = verdict.clientID, verdict.err == nil, errors.Join(verdict.err, err)
			result.Tokens = append(result.Tokens, one.report)
		}
	}
	if err := m.ledger.forget(gone); err != nil {
		problems = append(problems, err)
	}
	return result, errors.Join(problems...)
}

// source is a place together with the service whose login it holds.
type source struct {
	place
	service *service
}

// kept is one row that a logout ends.
type kept struct {
	at     source
	server string
	token  tokenstore.Token
}

type removal struct {
	token  tokenstore.Secret
	report TokenRemoval
}

// removals are the tokens of a row, the refresh token first: while it lives it
// makes others.
func (k kept) removals() []removal {
	base := TokenRemoval{Service: k.at.service.name, ResourceServer: k.server, Store: k.at.store.Path()}
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

// everyPlace lists where a login may have left tokens, more than this one
// would write to: those of a person beside those of client credentials, and
// those of an older Python Chiltepin.
func (m *Manager) everyPlace() []source {
	var list []source
	add := func(s *service, at place) {
		if !slices.ContainsFunc(list, func(x source) bool {
			return x.store.Path() == at.store.Path() && x.namespace == at.namespace
		}) {
			list = append(list, source{at, s})
		}
	}
	for _, s := range m.services {
		for _, at := range s.places {
			add(s, at)
		}
		switch s.name {
		case Compute:
			add(s, place{store: s.places[0].store, namespace: "user/" + m.config.Env.Name})
		case Transfer:
			for _, id := range []string{chiltepinID, olderChiltepinID} {
				add(s, transferPlace(m.config, id))
			}
		}
	}
	return list
}

// verdict is what became of one token at Globus Auth.
type verdict struct {
	clientID string
	err      error
}

// revokeAll revokes each token once, however many stores have it. When the
// service cannot be reached for one it is not asked about the rest.
func (m *Manager) revokeAll(ctx context.Context, found []kept, p page) map[string]verdict {
	verdicts := map[string]verdict{}
	var unreachable error
	for _, k := range found {
		for _, one := range k.removals() {
			id := one.token.Fingerprint()
			if _, done := verdicts[id]; done || ctx.Err() != nil {
				continue
			}
			if unreachable != nil {
				verdicts[id] = verdict{err: unreachable}
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

// revokeFor revokes a token for its client, or for each that it may have. An
// answer of 200 proves nothing for those (RFC 7009 §2.2), so all are asked.
func (m *Manager) revokeFor(ctx context.Context, k kept, token tokenstore.Secret, p page) verdict {
	s := k.at.service
	h := holding{place: k.at.place, rows: tokenstore.Rows{k.server: k.token}}
	id, proven := m.owner(s, h, k.token, p)
	clients := []string{id}
	if !proven {
		clients = m.candidates(s, h, p)
	}
	v := verdict{clientID: id}
	var refusals []error
	for _, id := range clients {
		as := client{id: id}
		if id == s.client.id {
			as.secret = s.client.secret
		}
		err := m.globus.revoke(ctx, as, token)
		switch {
		case globus.IsUnavailable(err):
			return verdict{clientID: id, err: err}
		case err != nil:
			refusals = append(refusals, err)
		}
	}
	if len(refusals) == len(clients) {
		v.err = errors.Join(refusals...)
	}
	return v
}
