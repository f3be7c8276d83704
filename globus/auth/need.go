package auth

import (
	"context"
	"slices"

	"chiltepin/globus"
)

// need is what a login has to get for one service: tokens for these of its
// resource servers, and what the service's policy demands of them.
type need struct {
	service *service
	servers []string
	demand  globus.Demand
}

// wanting lists what has to be got: everything where there is no login, or
// one of another client than the one that the Python program renews with, and
// otherwise only what is missing or what a policy demands. Where the client is
// not known it is tried.
func (m *Manager) wanting(ctx context.Context, list []*service, force bool) []need {
	var needs []need
	for _, s := range list {
		if n := m.needOf(ctx, s, force); len(n.servers) > 0 {
			needs = append(needs, n)
		}
	}
	return needs
}

func (m *Manager) needOf(ctx context.Context, s *service, force bool) need {
	all := need{service: s, servers: s.servers(), demand: m.ledger.read().Demands[s.name]}
	if force {
		return all
	}
	id, err := m.Prove(ctx, s.name)
	if err == nil && id == s.client.id {
		if all.demand.IsZero() {
			return need{}
		}
		return need{service: s, servers: []string{s.server}, demand: all.demand}
	}
	h, readErr := m.holding(ctx, s)
	if readErr != nil {
		return all
	}
	p := m.ledger.read()
	some := need{service: s, demand: all.demand}
	for _, server := range s.servers() {
		if m.fit(s, h, p, server) != nil {
			some.servers = append(some.servers, server)
			continue
		}
		if id, proven := m.owner(s, h, h.rows[server], p); !proven || id != s.client.id {
			return all
		}
	}
	return some
}

// groups puts together what one authorization can serve.
func groups(needs []need) [][]need {
	var list [][]need
	for _, n := range needs {
		i := slices.IndexFunc(list, func(g []need) bool { return g[0].service.client.id == n.service.client.id })
		if i < 0 {
			list = append(list, nil)
			i = len(list) - 1
		}
		list[i] = append(list[i], n)
	}
	return list
}

func names(group []need) []string {
	var list []string
	for _, n := range group {
		list = append(list, n.service.name)
	}
	return list
}

// scopesOf lists what a group needs, each once, openid first: without it
// nothing would tell whose the tokens are.
func scopesOf(group []need) []string {
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

// demandOf is what the policies of a group ask together.
func demandOf(group []need) (d globus.Demand) {
	for _, n := range group {
		d = d.Join(n.demand)
	}
	return d
}

// Demanded remembers what the policy of a service asked of the next login, which
// somebody else has heard. That it may fail changes nothing.
func (m *Manager) Demanded(ctx context.Context, service string, d globus.Demand) {
	if s, err := m.service(service); err == nil && !d.IsZero() {
		m.demanded(ctx, s, d)
	}
}

func (m *Manager) demanded(ctx context.Context, s *service, d globus.Demand) {
	release, err := m.ledger.acquire(ctx)
	if err != nil {
		return
	}
	defer release()
	_ = m.ledger.update(func(p *page) { p.Demands[s.name] = d })
}
