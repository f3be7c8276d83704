package auth

import (
	"context"
	"errors"
)

// Whoami says who is logged in, from the stores alone: it does not use the
// network and changes nothing. A store that cannot be read is reported as the
// problem of its service, and not as an error.
func (m *Manager) Whoami(ctx context.Context) (Account, error) {
	p := m.origins.readFile()
	account := Account{Shared: m.config.Shared}
	for _, s := range m.services {
		one := m.serviceAccount(ctx, s, p)
		if account.Identity.ID == "" {
			account.Identity = one.Identity
		}
		account.Services = append(account.Services, one)
	}
	return account, ctx.Err()
}

func (m *Manager) serviceAccount(ctx context.Context, s *loginService, p tokenOrigins) ServiceAccount {
	h, err := m.readStoredTokens(ctx, s)
	one := ServiceAccount{Service: s.name, ClientID: s.client.id, Store: h.store.Path(), Namespace: h.namespace}
	if err == nil {
		err = m.checkStoredTokens(s, h, p)
	}
	one.LoggedIn = err == nil
	if login, ok := errors.AsType[*LoginError](err); !ok || login.Reason != "" {
		one.Problem = err
	}
	for _, server := range s.resourceServers() {
		token, ok := h.rows[server]
		if !ok || token.Problem != nil {
			continue
		}
		if server == s.server {
			one.ClientID, one.ClientProven = m.clientOfToken(s, h, token, p)
		}
		if one.Identity.ID == "" {
			one.Identity = p.Identities[token.IdentityID]
			one.Identity.ID = token.IdentityID
		}
		one.Tokens = append(one.Tokens, TokenInfo{
			ResourceServer: server,
			Scopes:         token.Scopes(),
			Expires:        token.Expires(),
			Refreshable:    s.canRenew(h.storeNamespace, token),
			RenewedBy:      s.renewalMethod(h.storeNamespace, token),
			Mark:           token.AccessToken.Mark(),
		})
	}
	one.Programs = m.programViews(ctx, s, h, p)
	one.Demand = p.Demands[s.name]
	return one
}
