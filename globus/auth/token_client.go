package auth

import (
	"context"

	"chiltepin/globus/tokenstore"
)

// DaemonEnv lists the variables, as NAME=VALUE, that the daemon needs on top of
// this process's environment: the id of the client that the tokens of the
// Compute store belong to, without which it could not refresh them. With client
// credentials in the environment the list is empty. It never contains a secret.
// It does not use the network: where the client is not proven, it names the
// most likely one; see [Manager.ProveClient].
func (m *Manager) DaemonEnv() ([]string, error) {
	s, err := m.findService(Compute)
	if err != nil || !s.client.secret.IsZero() {
		return nil, err
	}
	id := s.client.id
	h, err := m.readStoredTokens(context.Background(), s)
	if err != nil {
		return nil, err
	}
	if token, ok := h.rows[s.server]; ok {
		id, _ = m.clientOfToken(s, h, token, m.origins.readFile())
	}
	return []string{"GLOBUS_COMPUTE_CLIENT_ID=" + id}, nil
}

// ProveClient finds out which client the tokens of a service belong to, and
// returns its id. For tokens of a login that was made here it is known. Tokens
// of another program are refreshed with the ids that Globus programs use, until
// Globus Auth accepts one, which is recorded.
func (m *Manager) ProveClient(ctx context.Context, service string) (clientID string, err error) {
	s, err := m.findService(service)
	if err != nil {
		return "", err
	}
	h, err := m.readStoredTokens(ctx, s)
	if err != nil {
		return "", err
	}
	p := m.origins.readFile()
	if err := m.checkStoredTokens(s, h, p); err != nil {
		return "", err
	}
	for _, server := range s.resourceServers() {
		token := h.rows[server]
		id, proven := m.clientOfToken(s, h, token, p)
		if !proven {
			fresh, err := m.validToken(ctx, s, server, token.AccessToken)
			if err != nil {
				return "", err
			}
			p = m.origins.readFile()
			id, _ = m.clientOfToken(s, h, fresh, p)
			// Once it is replaced, nothing could find the old token to revoke it.
			_ = m.globus.revokeToken(ctx, oauthClient{id: id}, token.AccessToken)
		}
		if clientID == "" {
			clientID = id
		}
	}
	return clientID, nil
}

// storeNamespaces lists all namespaces that the services write to.
func (m *Manager) storeNamespaces() []storeNamespace {
	var list []storeNamespace
	for _, s := range m.services {
		list = append(list, s.namespaces...)
	}
	return list
}

// revokeTokens revokes both tokens of a row that is not kept. A failure is
// ignored: they expire by themselves.
func (m *Manager) revokeTokens(ctx context.Context, c oauthClient, token tokenstore.Token) {
	_ = m.globus.revokeToken(ctx, c, token.AccessToken)
	if !token.RefreshToken.IsZero() {
		_ = m.globus.revokeToken(ctx, c, token.RefreshToken)
	}
}
