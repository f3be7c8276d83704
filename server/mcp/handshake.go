package mcp

import (
	"slices"

	"github.com/mark3labs/mcp-go/mcp"
)

// capability is something that a server may have, by the protocol's name.
type capability string

const (
	resources   capability = "resources"
	prompts     capability = "prompts"
	completions capability = "completions"
	logging     capability = "logging"
)

// hasCapability is true for what there is something of.
func (d *dialect) hasCapability(c capability) bool {
	switch c {
	case resources:
		return len(d.opts.Resources.List) > 0
	case prompts:
		return len(d.opts.Guides) > 0 || len(d.fixtures.prompts) > 0
	case completions:
		return d.opts.Resources.Names != nil
	case logging:
		return d.opts.Fixtures != nil
	}
	return false
}

// capabilities are what the server has, as the protocol writes it.
func (d *dialect) capabilities() mcp.ServerCapabilities {
	type lists = struct {
		ListChanged bool `json:"listChanged,omitempty"`
	}
	c := mcp.ServerCapabilities{Tools: &lists{}}
	if d.hasCapability(resources) {
		c.Resources = &struct {
			Subscribe   bool `json:"subscribe,omitempty"`
			ListChanged bool `json:"listChanged,omitempty"`
		}{true, true}
	}
	if d.hasCapability(prompts) {
		c.Prompts = &lists{}
	}
	if d.hasCapability(completions) {
		c.Completions = &struct{}{}
	}
	if d.hasCapability(logging) {
		c.Logging = &struct{}{}
	}
	return c
}

// identity is what we call ourselves.
func (d *dialect) identity() mcp.Implementation {
	return mcp.Implementation{Name: serverName, Version: d.opts.Version, Title: serverTitle}
}

// instructions are what a model reads before it calls anything.
func (d *dialect) instructions() string {
	if d.opts.Instructions == nil {
		return ""
	}
	return d.opts.Instructions(d.offer, d.nameOperation)
}

// initialize is the handshake of the old era. From then on its client is told
// of changes in the list of resources.
func (r *request) initialize() (any, *mcp.JSONRPCErrorDetails) {
	var in mcp.InitializeParams
	if f := r.decodeParams(&in); f != nil {
		return nil, f
	}
	version := mcp.NegotiateLegacyVersion(in.ProtocolVersion)
	r.peer.setHandshake(version, in.Capabilities)
	if r.hasCapability(resources) {
		r.watch.addSubscription(r.legacySubscription(), nil, nil)
	}
	return &mcp.InitializeResult{ProtocolVersion: version, ServerInfo: r.identity(), Capabilities: r.capabilities(), Instructions: r.instructions()}, nil
}

func (r *request) ping() (any, *mcp.JSONRPCErrorDetails) { return &mcp.EmptyResult{}, nil }

// discover tells a client of the new era what initialize tells one of the old.
func (r *request) discover() (any, *mcp.JSONRPCErrorDetails) {
	return &mcp.DiscoverResult{SupportedVersions: r.supportedVersions(), Capabilities: r.capabilities(), Instructions: r.instructions()}, nil
}

// setLogLevel takes note of nothing: what is logged goes to standard error.
func (r *request) setLogLevel() (any, *mcp.JSONRPCErrorDetails) {
	var in mcp.SetLevelParams
	if f := r.decodeParams(&in); f != nil {
		return nil, f
	}
	levels := []mcp.LoggingLevel{mcp.LoggingLevelDebug, mcp.LoggingLevelInfo, mcp.LoggingLevelNotice, mcp.LoggingLevelWarning,
		mcp.LoggingLevelError, mcp.LoggingLevelCritical, mcp.LoggingLevelAlert, mcp.LoggingLevelEmergency}
	if !slices.Contains(levels, in.Level) {
		return nil, fault(mcp.INVALID_PARAMS, "there is no such logging level")
	}
	return &mcp.EmptyResult{}, nil
}

// checkCursor refuses the place to go on from in a list: every list has one
// page, so none was given out.
func (r *request) checkCursor() *mcp.JSONRPCErrorDetails {
	var in mcp.PaginatedParams
	if f := r.decodeParams(&in); f != nil {
		return f
	}
	if in.Cursor != "" {
		return fault(mcp.INVALID_PARAMS, "unknown cursor: the list has one page")
	}
	return nil
}
