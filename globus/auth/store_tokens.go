package auth

import (
	"context"
	"slices"
	"time"

	"chiltepin/globus/tokenstore"
)

// verifyGrant checks the tokens that were granted, and returns whose they are.
func (m *Manager) verifyGrant(ctx context.Context, who oauthClient, group []requiredTokens, g *tokenResponse, nonce string) (identity Identity, err error) {
	if !g.idToken.IsZero() {
		if identity, err = m.globus.verifyIDToken(ctx, g.idToken, who.id, nonce); err != nil {
			return identity, err
		}
	} else if who.secret.IsZero() {
		return identity, &UnexpectedResponseError{Problem: "there is no ID token in it"}
	}
	for server, token := range g.tokens {
		token.IdentityID = identity.ID
		g.tokens[server] = token
	}
	for _, n := range group {
		var missing []string
		for _, server := range n.servers {
			missing = append(missing, missingScopes(g.tokens[server], n.service.scopes[server])...)
		}
		if len(missing) > 0 {
			return identity, &ScopeError{Service: n.service.name, Missing: missing}
		}
	}
	return identity, nil
}

// storeGrant stores tokens in the place of those of the same identity, and of the
// identities in replaceable; [anyIdentity] stands for all. It returns as cleanUp
// the work that can wait until the person has seen the last page: asking which
// identities are linked, and revoking tokens that are not kept.
func (m *Manager) storeGrant(ctx context.Context, who oauthClient, group []requiredTokens, g *tokenResponse, identity Identity, replaceable []string) (cleanUp func(context.Context), err error) {
	release, err := m.origins.lockTokens(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := m.checkSameIdentity(ctx, group, identity, replaceable); err != nil {
		return nil, err
	}
	before := m.origins.readFile()
	var replaced []locatedToken
	for _, n := range group {
		for i, at := range n.service.namespaces {
			if i > 0 && !at.exists() {
				continue
			}
			var gone []tokenstore.Token
			if err := at.store.Update(ctx, at.namespace, n.replaceRows(g.tokens, identity.ID, &gone)); err != nil {
				if i == 0 {
					return nil, err
				}
				continue
			}
			for _, token := range gone {
				replaced = append(replaced, locatedToken{location: loginLocation{storeNamespace: at, service: n.service}, server: token.ResourceServer, token: token})
			}
		}
	}
	err = m.origins.updateFile(func(p *tokenOrigins) {
		for _, token := range g.tokens {
			p.Tokens[tokenFingerprint(token)] = tokenOrigin{ClientID: who.id, Written: time.Now().Unix()}
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
		m.storeLinkedIdentities(ctx, identity, g.tokens[authServer])
		m.revokeUnneeded(ctx, who, group, g.tokens, replaced, before)
	}, err
}

// revokeUnneeded revokes the tokens that no service needs, which the scope
// openid brings along, and those that were replaced, unless another store still
// has them. A failure is ignored: the tokens expire by themselves.
func (m *Manager) revokeUnneeded(ctx context.Context, who oauthClient, group []requiredTokens, tokens tokenstore.Rows, replaced []locatedToken, p tokenOrigins) {
	for server, token := range tokens {
		if !slices.ContainsFunc(group, func(n requiredTokens) bool { return slices.Contains(n.servers, server) }) {
			m.revokeTokens(ctx, who, token)
		}
	}
	replaced = slices.DeleteFunc(replaced, func(k locatedToken) bool {
		return slices.ContainsFunc(m.loginLocations(), func(at loginLocation) bool {
			rows, err := at.store.Read(ctx, at.namespace)
			return err != nil || containsGrant(rows, k.token)
		})
	})
	m.revokeAll(ctx, replaced, p)
}

// storeLinkedIdentities records the other identities of the person. They are
// only shown, so a failure is ignored.
func (m *Manager) storeLinkedIdentities(ctx context.Context, identity Identity, token tokenstore.Token) {
	if identity.ID == "" || token.AccessToken.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	linked, err := m.globus.fetchLinkedIdentities(ctx, token.AccessToken)
	if err != nil {
		return
	}
	release, err := m.origins.lockTokens(ctx)
	if err != nil {
		return
	}
	defer release()
	_ = m.origins.updateFile(func(p *tokenOrigins) {
		identity.Linked = slices.DeleteFunc(linked, func(i Identity) bool { return i.ID == identity.ID })
		p.Identities[identity.ID] = identity
	})
}

// anyIdentity stands for every identity.
const anyIdentity = "*"

// checkSameIdentity refuses a login as another identity than the one whose
// tokens are stored, before anything is written, unless that one is in
// replaceable. All services of one client have the same identity.
func (m *Manager) checkSameIdentity(ctx context.Context, group []requiredTokens, identity Identity, replaceable []string) error {
	if slices.Contains(replaceable, anyIdentity) {
		return nil
	}
	who := group[0].service.client
	for _, s := range m.services {
		asked := slices.ContainsFunc(group, func(n requiredTokens) bool { return n.service == s })
		if !asked && (s.client.id != who.id || !who.secret.IsZero()) {
			continue
		}
		for _, at := range s.namespaces {
			rows, _ := at.store.Read(ctx, at.namespace) // Update reports what cannot be read
			for _, token := range rows {
				if token.Problem == nil && hasOtherIdentity(token, identity.ID) && !slices.Contains(replaceable, token.IdentityID) {
					return &IdentityError{
						Store: at.store.Path(), Stored: token.IdentityID, New: identity.ID,
						StoredName: m.origins.readFile().Identities[token.IdentityID].Username, NewName: identity.Username,
					}
				}
			}
		}
	}
	return nil
}

func hasOtherIdentity(token tokenstore.Token, identity string) bool {
	return token.IdentityID != "" && identity != "" && token.IdentityID != identity
}

// replaceRows returns the change of a namespace that stores the tokens n needs,
// and removes the rows that would make the Python programs reject the whole
// store: rows of another identity, and rows that they cannot read. The rows it
// removed or replaced are in gone.
func (n requiredTokens) replaceRows(tokens tokenstore.Rows, identity string, gone *[]tokenstore.Token) func(tokenstore.Rows) error {
	return func(rows tokenstore.Rows) error {
		*gone = nil
		remove := func(server string) {
			if old, ok := rows[server]; ok {
				old.ResourceServer = server // an unreadable row may not have it
				*gone = append(*gone, old)
				delete(rows, server)
			}
		}
		for server, token := range rows {
			if token.Problem != nil || hasOtherIdentity(token, identity) {
				remove(server)
			}
		}
		for _, server := range n.servers {
			remove(server)
			rows[server] = tokens[server]
		}
		return nil
	}
}
