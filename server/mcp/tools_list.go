package mcp

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"chiltepin/server/jsonrpc"
	"chiltepin/tools/operation"
)

// toolName is the name under which clients call t; many refuse dots.
func toolName(t *operation.Tool) string { return strings.ReplaceAll(t.Name, ".", "_") }

// nameOperation is the word by which a client calls an operation: its tool, or
// its name with a word that it is not offered.
func (d *dialect) nameOperation(name string) string {
	if t, _ := d.offer.Lookup(name); t != nil {
		return toolName(t)
	}
	return "the operation " + name + " (not offered here)"
}

// listTools lists what is offered, by name, so that a model's context stays
// the same from one start to the next.
func (r *request) listTools() (any, *mcp.JSONRPCErrorDetails) {
	if f := r.checkCursor(); f != nil {
		return nil, f
	}
	res := &mcp.ListToolsResult{Tools: []mcp.Tool{}}
	for _, t := range r.names {
		res.Tools = append(res.Tools, r.describeTool(t))
	}
	for _, f := range r.fixtures.tools {
		res.Tools = append(res.Tools, f.Tool)
	}
	slices.SortFunc(res.Tools, func(a, b mcp.Tool) int { return cmp.Compare(a.Name, b.Name) })
	return res, nil
}

// describeTool is t as tools/list shows it.
func (d *dialect) describeTool(t *operation.Tool) mcp.Tool {
	title := t.Title
	if title == "" {
		title = t.Summary
	}
	yes, no := true, false
	hint := func(b bool) *bool {
		if b {
			return &yes
		}
		return &no
	}
	return mcp.Tool{
		Name:            toolName(t),
		Title:           title,
		Description:     toolDescription(t),
		RawInputSchema:  d.offer.InputSchema(t),
		RawOutputSchema: shortenSchema(t.OutputSchema()),
		Annotations: mcp.ToolAnnotation{
			ReadOnlyHint:    hint(t.Effect == operation.Reads),
			DestructiveHint: hint(t.Effect == operation.Destroys || len(t.DestroysBy) > 0),
			IdempotentHint:  hint(t.Effect == operation.Reads || t.Effect == operation.Idempotent),
			// What cannot find Globus unreachable does not talk to it.
			OpenWorldHint: hint(t.CanFailWith(operation.CodeUnavailable)),
		},
	}
}

// toolDescription is the prose of t with the words of a tool in place of those
// of the command line.
func toolDescription(t *operation.Tool) string {
	return strings.TrimSpace(t.Summary + ".\n\n" + t.Prose())
}

// shortenSchema is the schema of a result as clients are shown it: its members
// and their types, with the error that stands in their place when a call
// failed, for some clients hold failed calls to the schema too. What the
// members mean is told once, in the reference; a list of tools is paid for by
// each model that reads it.
func shortenSchema(schema json.RawMessage) json.RawMessage {
	type member struct {
		Type json.RawMessage `json:"type,omitempty"`
	}
	s := struct {
		Type       string            `json:"type"`
		Properties map[string]member `json:"properties"`
	}{}
	if err := json.Unmarshal(schema, &s); err != nil {
		return schema
	}
	if s.Properties == nil {
		s.Properties = map[string]member{}
	}
	s.Properties["error"] = member{json.RawMessage(`"object"`)}
	b, err := jsonrpc.EncodeStrict(s)
	if err != nil {
		return schema
	}
	return b
}

// noSuchTool is the answer to a call of what is not offered.
func (r *request) noSuchTool(name string) *mcp.JSONRPCErrorDetails {
	for t := range r.opts.Catalog.All() {
		if toolName(t) == name {
			_, why := r.offer.Lookup(t.Name)
			return fault(mcp.INVALID_PARAMS, "tool "+name+" is not offered: "+why)
		}
	}
	if len(name) > 60 {
		name = name[:60] + "…"
	}
	return fault(mcp.INVALID_PARAMS, fmt.Sprintf("unknown tool %q", name))
}

// membersFromOutside are the members of the results of t that hold text which
// others wrote.
func (d *dialect) membersFromOutside(t *operation.Tool) map[string]bool {
	d.outsideMu.Lock()
	defer d.outsideMu.Unlock()
	members, known := d.outside[t]
	if !known {
		members = t.FromOutside()
		d.outside[t] = members
	}
	return members
}
