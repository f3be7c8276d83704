package auth

import (
	"context"
	"os"
	"slices"
	"time"

	"chiltepin/globus/tokenstore"
)

// accept checks what was granted and stores it. What is left to do when the
// person has been told, it returns as tidy: to hear which identities are
// linked, and to revoke what nobody keeps.
func (m *Manager) accept(ctx context.Context, who client, group []need, g *grant, nonce string, force bool) (tidy func(context.Context), err error) {
	var identity Identity
	if !g.idToken.IsZero() {
		if identity, err = m.globus.identify(ctx, g.idToken, who.id, nonce); err != nil {
			return nil, err
		}
	} else if who.secret.IsZero() {
		return nil, &AnswerError{Problem: "there is no ID token in it"}
	}
	for server, token := range g.tokens {
		token.IdentityID = identity.ID
		g.tokens[server] = token
	}
	for _, n := range group {
		var missing []string
		for _, server := range n.servers {
			missing = append(missing, lacking(g.tokens[server], n.service.scopes[server])...)
		}
		if len(missing) > 0 {
			return nil, &ScopeError{Service: n.service.name, Missing: missing}
		}
	}
	release, err := m.ledger.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if !force {
		if err := m.sameIdentity(ctx, group, identity); err != nil {
			return nil, err
		}
	}
	before := m.ledger.read()
	var replaced []kept
	for _, n := range group {
		for i, at := range n.service.places {
			if i > 0 && !exists(at.store.Path()) {
				continue
			}
			var gone []tokenstore.Token
			if err := at.store.Update(ctx, at.namespace, n.keep(g.tokens, identity.ID, &gone)); err != nil {
				if i == 0 {
					return nil, err
				}
				continue
			}
			for _, token := range gone {
				replaced = append(replaced, kept{at: source{place: at, service: n.service}, server: token.ResourceServer, token: token})
			}
		}
	}
	err = m.ledger.update(func(p *page) {
		for _, token := range g.tokens {
			p.Tokens[fingerprint(token)] = entry{ClientID: who.id, Written: time.Now().Unix()}
		}
		if identity.ID != "" {
			identity.Linked = p.Identities[identity.ID].Linked
			p.Identities[identity.ID] = identity
		}
		for _, n := range group {
			delete(p.Demands, n.service.name)
		}
	})
	return func(ctx context.Context) {
		m.link(ctx, identity, g.tokens[authServer])
		m.tidy(ctx, who, group, g.tokens, replaced, before)
	}, err
}

// tidy revokes the tokens that nobody asked for, which openid brings along, and
// those that new ones have taken the place of, unless another store still has
// them. That it may fail changes nothing.
func (m *Manager) tidy(ctx context.Context, who client, group []need, tokens tokenstore.Rows, replaced []kept, p page) {
	for server, token := range tokens {
		if !slices.ContainsFunc(group, func(n need) bool { return slices.Contains(n.servers, server) }) {
			m.drop(ctx, who, token)
		}
	}
	replaced = slices.DeleteFunc(replaced, func(k kept) bool {
		return slices.ContainsFunc(m.everyPlace(), func(at source) bool {
			rows, err := at.store.Read(ctx, at.namespace)
			return err != nil || holds(rows, k.token)
		})
	})
	m.revokeAll(ctx, replaced, p)
}

// link remembers the other identities of the person; that it may fail changes
// nothing.
func (m *Manager) link(ctx context.Context, identity Identity, token tokenstore.Token) {
	if identity.ID == "" || token.AccessToken.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	linked, err := m.globus.linked(ctx, token.AccessToken)
	if err != nil {
		return
	}
	release, err := m.ledger.acquire(ctx)
	if err != nil {
		return
	}
	defer release()
	_ = m.ledger.update(func(p *page) {
		identity.Linked = slices.DeleteFunc(linked, func(i Identity) bool { return i.ID == identity.ID })
		p.Identities[identity.ID] = identity
	})
}

// sameIdentity refuses a login as somebody else than whose tokens are there,
// before anything is written. A person is one for all services of a client.
func (m *Manager) sameIdentity(ctx context.Context, group []need, identity Identity) error {
	who := group[0].service.client
	for _, s := range m.services {
		asked := slices.ContainsFunc(group, func(n need) bool { return n.service == s })
		if !asked && (s.client.id != who.id || !who.secret.IsZero()) {
			continue
		}
		for _, at := range s.places {
			rows, _ := at.store.Read(ctx, at.namespace) // what cannot be read here, Update reports
			for _, token := range rows {
				if token.Problem == nil && other(token, identity.ID) {
					return &IdentityError{
						Store: at.store.Path(), Stored: token.IdentityID, New: identity.ID,
						StoredName: m.ledger.read().Identities[token.IdentityID].Username, NewName: identity.Username,
					}
				}
			}
		}
	}
	return nil
}

func other(token tokenstore.Token, identity string) bool {
	return token.IdentityID != "" && identity != "" && token.IdentityID != identity
}

// keep puts the tokens that n needs into a namespace, and takes out what would
// make the Python programs refuse all of it: rows of another identity, and rows
// that they cannot read. What it took out or replaced is in gone.
func (n need) keep(tokens tokenstore.Rows, identity string, gone *[]tokenstore.Token) func(tokenstore.Rows) error {
	return func(rows tokenstore.Rows) error {
		*gone = nil
		take := func(server string) {
			if old, ok := rows[server]; ok {
				old.ResourceServer = server // a row that is not readable may not say
				*gone = append(*gone, old)
				delete(rows, server)
			}
		}
		for server, token := range rows {
			if token.Problem != nil || other(token, identity) {
				take(server)
			}
		}
		for _, server := range n.servers {
			take(server)
			rows[server] = tokens[server]
		}
		return nil
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
