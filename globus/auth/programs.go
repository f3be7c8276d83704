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

// program is where another program looks for the tokens of a service, and the
// client that it renews them as.
type program struct {
	name     string
	place    place
	clientID string
}

// programs lists those that share a service's tokens. With client credentials
// in the environment all of them take these.
func (m *Manager) programs(s *service) []program {
	if !s.client.secret.IsZero() {
		return nil
	}
	at := s.places[0]
	// The environment names the client of all that are started in it.
	as := func(clientID string) string {
		if id := m.config.Getenv("GLOBUS_COMPUTE_CLIENT_ID"); id != "" {
			return id
		}
		return clientID
	}
	switch s.name {
	case Compute:
		return []program{
			{"Python Chiltepin 0.1.7", at, as(chiltepinID)},
			{"Python Chiltepin up to 0.1.6", at, as(olderChiltepinID)},
			{"globus-compute-endpoint, globus_compute_sdk", at, as(sdkID)},
		}
	case Transfer:
		return []program{
			{"Python Chiltepin 0.1.7", transferPlace(m.config, as(chiltepinID)), as(chiltepinID)},
			{"Python Chiltepin up to 0.1.6", transferPlace(m.config, as(olderChiltepinID)), as(olderChiltepinID)},
		}
	case Academy:
		list := []program{{"academy 0.3 to 0.5", at, academyID}}
		if len(s.places) > 1 {
			list = append(list, program{"academy after 0.5", s.places[1], academyID})
		}
		return list
	}
	return nil
}

// seenBy tells what other programs would see. known are rows that have been
// read.
func (m *Manager) seenBy(ctx context.Context, s *service, known holding, p page) []ProgramView {
	var list []ProgramView
	for _, one := range m.programs(s) {
		h := holding{place: one.place}
		if one.place.store.Path() == known.store.Path() && one.place.namespace == known.namespace {
			h.rows = known.rows
		} else if rows, err := one.place.store.Read(ctx, one.place.namespace); err == nil {
			h.rows = rows
		}
		view := ProgramView{Program: one.name, LoggedIn: m.judge(s, h, p) == nil}
		if view.LoggedIn {
			view.Until, view.Advice = m.strands(s, h, one.clientID, p)
		}
		list = append(list, view)
	}
	return list
}

// strands tells when a program that renews as a client cannot go on with these
// tokens, and what would help.
func (m *Manager) strands(s *service, h holding, clientID string, p page) (until time.Time, advice string) {
	for _, server := range s.servers() {
		token := h.rows[server]
		owner, _ := m.owner(s, h, token, p)
		if token.RefreshToken.IsZero() || owner == clientID {
			continue
		}
		if until.IsZero() || token.Expires().Before(until) {
			until, advice = token.Expires(), "GLOBUS_COMPUTE_CLIENT_ID="+owner
		}
	}
	return until, advice
}

// renewedBy says what gets another access token, "" for nothing.
func (s *service) renewedBy(at place, token tokenstore.Token) string {
	switch {
	case !token.RefreshToken.IsZero():
		return "refresh_token"
	case s.renewable(at, token):
		return "client_credentials"
	}
	return ""
}
