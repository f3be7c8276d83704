package auth

import (
	"context"
	"os"

	"chiltepin/globus/tokenstore"
)

// accept checks what was granted and stores it.
func (m *Manager) accept(ctx context.Context, who client, group []*service, g *grant, force bool) error {
	var identity Identity
	if !g.idToken.IsZero() {
		var err error
		if identity, err = m.globus.identify(ctx, g.idToken, who.id); err != nil {
			return err
		}
	} else if who.secret.IsZero() {
		return &AnswerError{Problem: "there is no ID token in it"}
	}
	for server, token := range g.tokens {
		token.IdentityID = identity.ID
		g.tokens[server] = token
	}
	for _, s := range group {
		var missing []string
		for _, server := range s.servers() {
			missing = append(missing, lacking(g.tokens[server], s.scopes[server])...)
		}
		if len(missing) > 0 {
			return &ScopeError{Service: s.name, Missing: missing}
		}
	}
	release, err := m.ledger.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	if !force {
		if err := m.sameIdentity(ctx, group, identity.ID); err != nil {
			return err
		}
	}
	for _, s := range group {
		for i, at := range s.places {
			if i > 0 && !exists(at.store.Path()) {
				continue
			}
			if err := at.store.Update(ctx, at.namespace, s.keep(g.tokens, identity.ID)); err != nil && i == 0 {
				return err
			}
		}
	}
	return m.ledger.update(func(p *page) {
		for _, token := range g.tokens {
			p.Tokens[fingerprint(token)] = entry{ClientID: who.id, Written: token.ExpiresAt}
		}
		if identity.ID != "" {
			p.Identities[identity.ID] = identity
		}
	})
}

// sameIdentity refuses a login as somebody else, before anything is written.
func (m *Manager) sameIdentity(ctx context.Context, group []*service, identity string) error {
	for _, s := range group {
		for _, at := range s.places {
			rows, _ := at.store.Read(ctx, at.namespace) // what cannot be read here, Update reports
			for _, token := range rows {
				if token.Problem == nil && other(token, identity) {
					return &IdentityError{Store: at.store.Path(), Stored: token.IdentityID, New: identity}
				}
			}
		}
	}
	return nil
}

func other(token tokenstore.Token, identity string) bool {
	return token.IdentityID != "" && identity != "" && token.IdentityID != identity
}

// keep puts the tokens of s into a namespace, and takes out what would make
// the Python programs refuse all of it: rows of another identity, and rows that
// they cannot read.
func (s *service) keep(tokens tokenstore.Rows, identity string) func(tokenstore.Rows) error {
	return func(rows tokenstore.Rows) error {
		for server, token := range rows {
			if token.Problem != nil || other(token, identity) {
				delete(rows, server)
			}
		}
		for _, server := range s.servers() {
			rows[server] = tokens[server]
		}
		return nil
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
