package mcp

import (
	"encoding/json"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

// peer is what the client said of itself in the handshake of the old era.
// Requests of the new era bring their own and must not be judged by it.
type peer struct {
	mu           sync.Mutex
	version      string
	capabilities mcp.ClientCapabilities
}

// setHandshake takes note of what the handshake said.
func (p *peer) setHandshake(version string, c mcp.ClientCapabilities) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version, p.capabilities = version, c
}

// handshake returns the revision negotiated in the handshake, and what the client
// can.
func (p *peer) handshake() (version string, c mcp.ClientCapabilities) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.version, p.capabilities
}

// clientCapabilities are those in force for this request.
func (r *request) clientCapabilities() mcp.ClientCapabilities {
	if !r.modern {
		_, c := r.peer.handshake()
		return c
	}
	var c mcp.ClientCapabilities
	_ = json.Unmarshal(r.params.capabilities, &c) // what is not understood is not there
	return c
}

// canElicit is true if the client declared that it can put such a question to
// its person. An empty capability means forms, and forms came with 2025-06-18,
// URLs with 2025-11-25.
func (r *request) canElicit(mode string) bool {
	c := r.clientCapabilities().Elicitation
	if c == nil {
		return false
	}
	if mode == mcp.ElicitationModeURL {
		return c.URL != nil && r.hasSince(mcp.ProtocolVersion20251125)
	}
	return (c.Form != nil || c.URL == nil) && r.hasSince(mcp.ProtocolVersion20250618)
}

// hasSince is true if the request is of that revision or a later one.
func (r *request) hasSince(revision string) bool {
	version, _ := r.peer.handshake()
	return r.modern || version >= revision
}
