package auth

import (
	"context"
	"time"

	"chiltepin/globus/tokenstore"
)

// ProgramView is what another program, started as it is, makes of the tokens of
// a service.
type ProgramView struct {
	// Program is its name, with releases where they differ.
	Program string
	// LoggedIn is true when it finds tokens that it takes for a login.
	LoggedIn bool
	// Until is when it cannot go on, because it would renew the tokens as
	// another client than theirs; zero when it can.
	Until time.Time
	// Advice is what to set so that it can; empty when it can.
	Advice string
}

// otherProgram is where another program looks for the tokens of a service, and the
// client that it renews them as.
type otherProgram struct {
	name     string
	location storeNamespace
	clientID string
}

// otherPrograms lists those that share a service's tokens. With client credentials
// in the environment all of them take these.
func (m *Manager) otherPrograms(s *loginService) []otherProgram {
	if !s.client.secret.IsZero() {
		return nil
	}
	at := s.namespaces[0]
	// The environment names the client of all that are started in it.
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

// programViews tells what other programs would see. known are rows that have been
// read.
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
			view.Until, view.Advice = m.lastUsableTime(s, h, one.clientID, p)
		}
		list = append(list, view)
	}
	return list
}

// lastUsableTime tells when a program that renews as a client cannot go on with these
// tokens, and what would help.
func (m *Manager) lastUsableTime(s *loginService, h storedTokens, clientID string, p tokenOrigins) (until time.Time, advice string) {
	for _, server := range s.resourceServers() {
		token := h.rows[server]
		owner, _ := m.clientOfToken(s, h, token, p)
		if token.RefreshToken.IsZero() || owner == clientID {
			continue
		}
		if until.IsZero() || token.Expires().Before(until) {
			until, advice = token.Expires(), "GLOBUS_COMPUTE_CLIENT_ID="+owner
		}
	}
	return until, advice
}

// renewalMethod says what gets another access token, "" for nothing.
func (s *loginService) renewalMethod(at storeNamespace, token tokenstore.Token) string {
	switch {
	case !token.RefreshToken.IsZero():
		return "refresh_token"
	case s.canRenew(at, token):
		return "client_credentials"
	}
	return ""
}
