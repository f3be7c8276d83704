package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"chiltepin/globus/progress"
	"chiltepin/globus/tokenstore"
)

// Login gets tokens for the services that have no working ones, and stores them
// where the Python programs look for them. With client credentials in the
// environment no person is asked. Otherwise a person logs in, in one visit: for
// compute and transfer together, and then for academy, which has another
// client.
//
// Stored tokens never keep a login from succeeding, unless they belong to
// another identity: a person is asked before those are replaced, and where
// nobody can be asked that is an [*IdentityError]. Client credentials replace
// them with Force. The result says what is true afterwards, also when there is an error. Without a terminal the
// login may wait for a person; see [Pending].
func (m *Manager) Login(ctx context.Context, o LoginOptions) (LoginResult, error) {
	list, err := m.selectServices(o.Services)
	if err != nil {
		return LoginResult{}, err
	}
	var result LoginResult
	result.Renewed, result.Pending, err = m.loginServices(ctx, list, o)
	account, readErr := m.Whoami(context.WithoutCancel(ctx))
	if err == nil {
		err = readErr
	}
	account.Services = slices.DeleteFunc(account.Services, func(a ServiceAccount) bool {
		return !slices.ContainsFunc(list, func(s *loginService) bool { return s.name == a.Service })
	})
	result.Account = account
	return result, err
}

// selectServices returns the services of those names, each once; all for none.
func (m *Manager) selectServices(services []string) ([]*loginService, error) {
	if len(services) == 0 {
		return m.services, nil
	}
	var list []*loginService
	for _, name := range services {
		s, err := m.findService(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list, nil
}

func (m *Manager) loginServices(ctx context.Context, list []*loginService, o LoginOptions) (renewed []string, pending *Pending, err error) {
	if o.Flow != "" || o.Code != "" {
		f := m.config.Flows.findFlow(m.config.ComputeDir, o.Flow)
		if f == nil {
			return nil, nil, ErrNoFlow
		}
		return m.continueFlow(ctx, f, o)
	}
	var people [][]requiredTokens
	for _, group := range groupByClient(m.missingTokens(ctx, list, o.Force)) {
		if err := checkStoresReadable(ctx, group); err != nil {
			return renewed, nil, err
		}
		if group[0].service.client.secret.IsZero() {
			people = append(people, group)
			continue
		}
		if err := m.loginClient(ctx, group, o.Force); err != nil {
			return renewed, nil, err
		}
		renewed = append(renewed, serviceNames(group)...)
	}
	if len(people) == 0 {
		return renewed, nil, nil
	}
	more, pending, err := m.loginPerson(ctx, people, o)
	return append(renewed, more...), pending, err
}

// checkStoresReadable finds a store that cannot be used before a person is
// asked.
func checkStoresReadable(ctx context.Context, group []requiredTokens) error {
	for _, n := range group {
		_, err := n.service.namespaces[0].store.Read(ctx, n.service.namespaces[0].namespace)
		if format, ok := errors.AsType[*tokenstore.StoreFormatError](err); err != nil && !(ok && format.Empty) {
			return err
		}
	}
	return nil
}

// loginClient gets and stores tokens for a client itself.
func (m *Manager) loginClient(ctx context.Context, group []requiredTokens, force bool) error {
	who := group[0].service.client
	progress.Report(ctx, progress.Event{Stage: "authorizing", Text: "Logging in with client credentials"})
	g, err := m.globus.requestClientTokens(ctx, who, requestedScopes(group))
	if err == nil {
		var identity Identity
		var cleanUp func(context.Context)
		var replaceable []string
		if force {
			replaceable = []string{anyIdentity} // the secret says who it is
		}
		if identity, err = m.verifyGrant(ctx, who, group, g, ""); err == nil {
			cleanUp, err = m.storeGrant(ctx, who, group, g, identity, replaceable)
		}
		if err == nil {
			cleanUp(ctx)
		} else {
			m.revokeUnstored(ctx, who, g)
		}
	}
	if err != nil {
		return fmt.Errorf("logging in to Globus %s: %w", strings.Join(serviceNames(group), " and "), err)
	}
	return nil
}

// revokeUnstored revokes what was granted, except what was stored before
// another store failed.
func (m *Manager) revokeUnstored(ctx context.Context, who oauthClient, g *tokenResponse) {
	ctx = context.WithoutCancel(ctx)
	for _, token := range g.tokens {
		if !slices.ContainsFunc(m.loginLocations(), func(at loginLocation) bool {
			rows, err := at.store.Read(ctx, at.namespace)
			return err != nil || containsGrant(rows, token)
		}) {
			m.revokeTokens(ctx, who, token)
		}
	}
}
