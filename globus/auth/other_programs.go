package auth

import (
	"context"
	"time"

	"chiltepin/globus/next"
	"chiltepin/globus/tokenstore"
)

// ProgramView is what another program, started as it is, makes of the tokens of
// a service.
type ProgramView struct {
	// Program is its name, with releases where they differ.
	Program string
	// LoggedIn is true when it finds tokens that it takes for a login.
	LoggedIn bool
	// Until is when the tokens stop working for it, because it would refresh
	// them as another client than theirs; zero when it can refresh them.
	Until time.Time
	// Next is what to do so that it can; nil when it can.
	Next []next.Step
}

// otherProgram is where another program looks for the tokens of a service, and
// the client that it refreshes them as.
type otherProgram struct {
	name     string
	location storeNamespace
	clientID string
}

// otherPrograms lists those that share the tokens of a service. There are none
// with client credentials in the environment: all programs use these.
func (m *Manager) otherPrograms(s *loginService) []otherProgram {
	if !s.client.secret.IsZero() {
		return nil
	}
	at := s.namespaces[0]
	// The client that the environment names is used by every program.
	as := func(clientID string) string {
		if id := m.config.Getenv("GLOBUS_COMPUTE_CLIENT_ID"); id != "" {
			return id
		}
		return clientID
	}
	switch s.name {
	case Compute:
		return []otherProgram{
			{"Python Chiltepin 0.1.7", at, as(chiltepinID)},
			{"Python Chiltepin up to 0.1.6", at, as(olderChiltepinID)},
			{"globus-compute-endpoint, globus_compute_sdk", at, as(sdkID)},
		}
	case Transfer:
		return []otherProgram{
			{"Python Chiltepin 0.1.7", transferStore(m.config, as(chiltepinID)), as(chiltepinID)},
			{"Python Chiltepin up to 0.1.6", transferStore(m.config, as(olderChiltepinID)), as(olderChiltepinID)},
		}
	case Academy:
		list := []otherProgram{{"academy 0.3 to 0.5", at, academyID}}
		if len(s.namespaces) > 1 {
			list = append(list, otherProgram{"academy after 0.5", s.namespaces[1], academyID})
		}
		return list
	}
	return nil
}

// programViews tells what other programs would see. known has rows that were
// read already.
func (m *Manager) programViews(ctx context.Context, s *loginService, known storedTokens, p tokenOrigins) []ProgramView {
	var list []ProgramView
	for _, one := range m.otherPrograms(s) {
		h := storedTokens{storeNamespace: one.location}
		if one.location.store.Path() == known.store.Path() && one.location.namespace == known.namespace {
			h.rows = known.rows
		} else if rows, err := one.location.store.Read(ctx, one.location.namespace); err == nil {
			h.rows = rows
		}
		view := ProgramView{Program: one.name, LoggedIn: m.checkStoredTokens(s, h, p) == nil}
		if view.LoggedIn {
			var owner string
			if view.Until, owner = m.lastUsableTime(s, h, one.clientID, p); owner != "" {
				view.Next = []next.Step{next.Do("set GLOBUS_COMPUTE_CLIENT_ID=" + owner + " in the environment")}
			}
		}
		list = append(list, view)
	}
	return list
}

// lastUsableTime returns when these tokens stop working for a program that
// refreshes them as clientID, and the client that could refresh them; both are
// zero where that is the same client.
func (m *Manager) lastUsableTime(s *loginService, h storedTokens, clientID string, p tokenOrigins) (until time.Time, owner string) {
	for _, server := range s.resourceServers() {
		token := h.rows[server]
		client, _ := m.clientOfToken(s, h, token, p)
		if token.RefreshToken.IsZero() || client == clientID {
			continue
		}
		if until.IsZero() || token.Expires().Before(until) {
			until, owner = token.Expires(), client
		}
	}
	return until, owner
}

// renewalMethod names what gets another access token, "" for nothing.
func (s *loginService) renewalMethod(at storeNamespace, token tokenstore.Token) string {
	switch {
	case !token.RefreshToken.IsZero():
		return "refresh_token"
	case s.canRenew(at, token):
		return "client_credentials"
	}
	return ""
}
