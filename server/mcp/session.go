package mcp

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// peer is what the client said of itself in the handshake of the old era.
// Requests of the new era bring their own and must not be judged by it.
type peer struct {
	mu           sync.Mutex
	version      string
	info         mcp.Implementation
	capabilities mcp.ClientCapabilities
}

// session is one request as mcp-go sees its client: a session that lives as
// long as the request, so that what a request of the new era says of its
// client stays with that request.
type session struct{ *request }

var (
	_ server.SessionWithClientInfo      = (*session)(nil)
	_ server.SessionWithProtocolVersion = (*session)(nil)
	_ server.SessionWithElicitation     = (*session)(nil)
	_ server.SessionWithResources       = (*session)(nil)
)

func (s *session) SessionID() string { return "stdio" }

// Initialize is called by the handshake of the old era. From then on its
// client is told of changes in the list.
func (s *session) Initialize() {
	if !s.modern && len(s.opts.Resources.List) > 0 {
		s.watch.join(s.everyone(), nil, nil)
	}
}

func (s *session) Initialized() bool { return true }

// NotificationChannel is where mcp-go would broadcast; nothing is registered
// for that, our own notifications go through [request.send].
func (s *session) NotificationChannel() chan<- mcp.JSONRPCNotification { return nil }

func (s *session) GetClientInfo() mcp.Implementation {
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	return s.peer.info
}

func (s *session) SetClientInfo(info mcp.Implementation) {
	if s.modern {
		return
	}
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	s.peer.info = info
}

func (s *session) GetClientCapabilities() mcp.ClientCapabilities { return s.clientCapabilities() }

func (s *session) SetClientCapabilities(c mcp.ClientCapabilities) {
	if s.modern {
		return
	}
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	s.peer.capabilities = c
}

func (s *session) ProtocolVersion() string {
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	return s.peer.version
}

func (s *session) SetProtocolVersion(version string) {
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	s.peer.version = version
}

// RequestElicitation asks the client of the old era. One that answers with an
// error has not asked its person: that is a dismissal, not a failure of ours.
func (s *session) RequestElicitation(ctx context.Context, q mcp.ElicitationRequest) (*mcp.ElicitationResult, error) {
	if !s.canElicit(q.Params.Mode) {
		return &mcp.ElicitationResult{ElicitationResponse: mcp.ElicitationResponse{Action: mcp.ElicitationResponseActionCancel}}, nil
	}
	var res mcp.ElicitationResult
	raw, err := s.asked.ask(ctx, s.request, "elicitation/create", q.Params)
	if err == nil {
		err = json.Unmarshal(raw, &res)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.log.Info().Err(err).Msg("the client did not ask its person")
		res = mcp.ElicitationResult{ElicitationResponse: mcp.ElicitationResponse{Action: mcp.ElicitationResponseActionCancel}}
	}
	return &res, nil
}

// clientCapabilities are those in force for this request.
func (r *request) clientCapabilities() mcp.ClientCapabilities {
	if !r.modern {
		r.peer.mu.Lock()
		defer r.peer.mu.Unlock()
		return r.peer.capabilities
	}
	var c mcp.ClientCapabilities
	_ = json.Unmarshal(r.params.Meta.Capabilities, &c) // what is not understood is not there
	return c
}

// canElicit is true if the client declared that it can put such a question to
// its person; mcp-go asks whatever was declared. An empty capability means
// forms, and forms came with 2025-06-18, URLs with 2025-11-25.
func (r *request) canElicit(mode string) bool {
	c := r.clientCapabilities().Elicitation
	if c == nil {
		return false
	}
	if mode == mcp.ElicitationModeURL {
		return c.URL != nil && (r.modern || r.version() >= mcp.ProtocolVersion20251125)
	}
	return (c.Form != nil || c.URL == nil) && (r.modern || r.version() >= mcp.ProtocolVersion20250618)
}

// version is the revision negotiated in the handshake.
func (r *request) version() string {
	r.peer.mu.Lock()
	defer r.peer.mu.Unlock()
	return r.peer.version
}
