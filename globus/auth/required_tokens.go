package auth

import (
	"context"
	"slices"

	"chiltepin/globus"
)

// requiredTokens are the tokens that a login has to get for one service: the
// resource servers they are for, and what the policy of the service requires.
type requiredTokens struct {
	service *loginService
	servers []string
	demand  globus.AuthRequirements
}

// missingTokens lists what a login has to get: everything where there is no
// login, or one of another client than the one that the Python program
// refreshes as; otherwise only what is missing or what a policy requires. Where
// the client is unknown, it is found out by a refresh.
func (m *Manager) missingTokens(ctx context.Context, list []*loginService, force bool) []requiredTokens {
	var needs []requiredTokens
	for _, s := range list {
		if n := m.missingForService(ctx, s, force); len(n.servers) > 0 {
			needs = append(needs, n)
		}
	}
	return needs
}

func (m *Manager) missingForService(ctx context.Context, s *loginService, force bool) requiredTokens {
	all := requiredTokens{service: s, servers: s.resourceServers(), demand: m.origins.readFile().Demands[s.name]}
	if force {
		return all
	}
	id, err := m.ProveClient(ctx, s.name)
	if err == nil && id == s.client.id {
		if all.demand.IsZero() {
			return requiredTokens{}
		}
		return requiredTokens{service: s, servers: []string{s.server}, demand: all.demand}
	}
	h, readErr := m.readStoredTokens(ctx, s)
	if readErr != nil {
		return all
	}
	p := m.origins.readFile()
	some := requiredTokens{service: s, demand: all.demand}
	for _, server := range s.resourceServers() {
		if m.checkServerToken(s, h, p, server) != nil {
			some.servers = append(some.servers, server)
			continue
		}
		if id, proven := m.clientOfToken(s, h, h.rows[server], p); !proven || id != s.client.id {
			return all
		}
	}
	return some
}

// groupByClient puts together what one authorization can get.
func groupByClient(needs []requiredTokens) [][]requiredTokens {
	var list [][]requiredTokens
	for _, n := range needs {
		i := slices.IndexFunc(list, func(g []requiredTokens) bool { return g[0].service.client.id == n.service.client.id })
		if i < 0 {
			list = append(list, nil)
			i = len(list) - 1
		}
		list[i] = append(list[i], n)
	}
	return list
}

func serviceNames(group []requiredTokens) []string {
	var list []string
	for _, n := range group {
		list = append(list, n.service.name)
	}
	return list
}

// requestedScopes lists what a group needs, each scope once. openid is first:
// without it Globus Auth does not say whose the tokens are.
func requestedScopes(group []requiredTokens) []string {
	list := []string{"openid"}
	add := func(scopes []string) {
		for _, scope := range scopes {
			if !slices.Contains(list, scope) {
				list = append(list, scope)
			}
		}
	}
	for _, n := range group {
		for _, server := range n.servers {
			add(n.service.scopes[server])
		}
		add(n.demand.Scopes)
	}
	return list
}

// joinDemands is what the policies of a group require together.
func joinDemands(group []requiredTokens) (d globus.AuthRequirements) {
	for _, n := range group {
		d = d.Join(n.demand)
	}
	return d
}

// RememberDemand records what the policy of a service requires of the next
// login, for a caller that has received it. A failure is ignored: the service
// repeats it.
func (m *Manager) RememberDemand(ctx context.Context, service string, d globus.AuthRequirements) {
	if s, err := m.findService(service); err == nil && !d.IsZero() {
		m.storeDemand(ctx, s, d)
	}
}

func (m *Manager) storeDemand(ctx context.Context, s *loginService, d globus.AuthRequirements) {
	release, err := m.origins.lockTokens(ctx)
	if err != nil {
		return
	}
	defer release()
	_ = m.origins.updateFile(func(p *tokenOrigins) { p.Demands[s.name] = d })
}
