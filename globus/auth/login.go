package auth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"chiltepin/globus/progress"
	"chiltepin/globus/tokenstore"
)

// Login gets tokens for the services that have none that work, and stores
// them where their Python programs look. With client credentials in the
// environment nobody is asked; otherwise a person is, once for each client id:
// compute and transfer together, then academy.
//
// What is in the stores already never keeps a login from succeeding, unless it
// belongs to another identity, which is an [*IdentityError] without Force. The
// result tells what is true afterwards, when there is an error too.
func (m *Manager) Login(ctx context.Context, o LoginOptions) (LoginResult, error) {
	list := m.services
	if len(o.Services) > 0 {
		list = nil
		for _, name := range o.Services {
			s, err := m.service(name)
			if err != nil {
				return LoginResult{}, err
			}
			if !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	var result LoginResult
	var err error
	for _, group := range m.groups(m.wanting(ctx, list, o.Force)) {
		if err = m.loginTo(ctx, group, o); err != nil {
			break
		}
		for _, s := range group {
			result.Renewed = append(result.Renewed, s.name)
		}
	}
	account, readErr := m.Whoami(ctx)
	if err == nil {
		err = readErr
	}
	account.Services = slices.DeleteFunc(account.Services, func(a ServiceAccount) bool {
		return !slices.ContainsFunc(list, func(s *service) bool { return s.name == a.Service })
	})
	result.Account = account
	return result, err
}

// wanting picks the services that need new tokens: those without a login, and
// those whose tokens belong to another client than the one that their Python
// program would renew them with. Where the client is not known it is tried.
func (m *Manager) wanting(ctx context.Context, list []*service, force bool) []*service {
	if force {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(s *service) bool {
		id, err := m.Prove(ctx, s.name)
		return err == nil && id == s.client.id
	})
}

// groups puts together the services that one authorization can serve.
func (m *Manager) groups(list []*service) [][]*service {
	var groups [][]*service
	for _, s := range list {
		i := slices.IndexFunc(groups, func(g []*service) bool { return g[0].client.id == s.client.id })
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], s)
	}
	return groups
}

func names(group []*service) []string {
	var list []string
	for _, s := range group {
		list = append(list, s.name)
	}
	return list
}

// loginTo gets and stores the tokens of services that share a client.
func (m *Manager) loginTo(ctx context.Context, group []*service, o LoginOptions) error {
	who := group[0].client
	if err := storable(ctx, group); err != nil {
		return err
	}
	g, err := m.grant(ctx, who, group, o)
	if err != nil {
		return fmt.Errorf("logging in to Globus %s: %w", strings.Join(names(group), " and "), err)
	}
	err = m.accept(ctx, who, group, g, o.Force)
	if err != nil {
		for _, token := range g.tokens {
			m.drop(ctx, who, token)
		}
		return fmt.Errorf("logging in to Globus %s: %w", strings.Join(names(group), " and "), err)
	}
	return nil
}

// storable finds a store that could not be written before a person is asked.
func storable(ctx context.Context, group []*service) error {
	for _, s := range group {
		_, err := s.places[0].store.Read(ctx, s.places[0].namespace)
		if format, ok := errors.AsType[*tokenstore.FormatError](err); err != nil && !(ok && format.Empty) {
			return err
		}
	}
	return nil
}

// grant gets the tokens, by credentials or by a person.
func (m *Manager) grant(ctx context.Context, who client, group []*service, o LoginOptions) (*grant, error) {
	scopes := scopesOf(group)
	if !who.secret.IsZero() {
		progress.Report(ctx, progress.Event{Stage: "authorizing", Text: "Logging in with client credentials"})
		return m.globus.credentials(ctx, who, scopes)
	}
	if o.Ask == nil {
		return nil, &PersonError{Services: names(group)}
	}
	label := "Chiltepin"
	if m.config.Hostname != "" {
		label += " on " + m.config.Hostname
	}
	pending, err := m.globus.authorize(who, m.globus.pasteURI(), scopes, label, m.config.Rand)
	if err != nil {
		return nil, err
	}
	answer, err := o.Ask(ctx, pending.url)
	if err != nil {
		return nil, err
	}
	code, err := pending.code(answer)
	if err != nil {
		return nil, err
	}
	progress.Report(ctx, progress.Event{Stage: "authorizing", Text: "Exchanging the code for tokens"})
	return m.globus.redeem(ctx, pending, code)
}

// scopesOf lists what a group needs, each once, openid first.
func scopesOf(group []*service) []string {
	list := []string{"openid"}
	for _, s := range group {
		for _, server := range s.servers() {
			for _, scope := range s.scopes[server] {
				if !slices.Contains(list, scope) {
					list = append(list, scope)
				}
			}
		}
	}
	return list
}

// code finds the authorization code in what a person pasted: the code itself,
// or the whole address of the page that showed it.
func (z *authorization) code(pasted string) (string, error) {
	pasted = strings.TrimSpace(pasted)
	if u, err := url.Parse(pasted); err == nil && u.Host != "" {
		query := u.Query()
		if state := query.Get("state"); state != "" && state != z.state {
			return "", &CodeError{Err: errors.New("it belongs to another login")}
		}
		if refusal := query.Get("error"); refusal != "" {
			return "", &CodeError{Err: fmt.Errorf("the page says %q", refusal)}
		}
		pasted = query.Get("code")
	}
	switch {
	case pasted == "":
		return "", &CodeError{Err: errors.New("it is empty")}
	case len(pasted) > 2048 || strings.ContainsFunc(pasted, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", &CodeError{Err: errors.New("it is not what the page shows: one word of letters and digits")}
	}
	return pasted, nil
}
