package auth

import (
	"context"

	"chiltepin/globus/tokenstore"
)

// DaemonEnv lists the variables, as NAME=VALUE, that the daemon must be given
// on top of this process's environment: the id of the client that the tokens
// of the Compute store belong to, without which it could not renew them. With
// client credentials in the environment there is nothing to add. It never
// holds a secret, and does not use the network: where the client is not
// proven it is the likeliest, see [Manager.Prove].
func (m *Manager) DaemonEnv() ([]string, error) {
	s, err := m.service(Compute)
	if err != nil || !s.client.secret.IsZero() {
		return nil, err
	}
	id := s.client.id
	h, err := m.holding(context.Background(), s)
	if err != nil {
		return nil, err
	}
	if token, ok := h.rows[s.server]; ok {
		id, _ = m.owner(s, h, token, m.ledger.read())
	}
	return []string{"GLOBUS_COMPUTE_CLIENT_ID=" + id}, nil
}

// Prove makes sure which client the tokens of a service belong to, and
// returns its id. Tokens of a login that was made here are known; those of
// another program are renewed with the ids that Globus programs use until one
// is accepted, which is remembered.
func (m *Manager) Prove(ctx context.Context, service string) (clientID string, err error) {
	s, err := m.service(service)
	if err != nil {
		return "", err
	}
	h, err := m.holding(ctx, s)
	if err != nil {
		return "", err
	}
	p := m.ledger.read()
	if err := m.judge(s, h, p); err != nil {
		return "", err
	}
	for _, server := range s.servers() {
		token := h.rows[server]
		id, proven := m.owner(s, h, token, p)
		if !proven {
			fresh, err := m.token(ctx, s, server, token.AccessToken)
			if err != nil {
				return "", err
			}
			p = m.ledger.read()
			id, _ = m.owner(s, h, fresh, p)
			// Nobody would find the old one again to revoke it.
			_ = m.globus.revoke(ctx, client{id: id}, token.AccessToken)
		}
		if clientID == "" {
			clientID = id
		}
	}
	return clientID, nil
}

// places lists all that the services write to, without doubles.
func (m *Manager) places() []place {
	var list []place
	for _, s := range m.services {
		list = append(list, s.places...)
	}
	return list
}

// drop revokes a token that will not be kept. That it may fail changes nothing.
func (m *Manager) drop(ctx context.Context, c client, token tokenstore.Token) {
	_ = m.globus.revoke(ctx, c, token.AccessToken)
	if !token.RefreshToken.IsZero() {
		_ = m.globus.revoke(ctx, c, token.RefreshToken)
	}
}
