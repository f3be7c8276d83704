package mcp

import (
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// mostCompletions is how many values the protocol allows.
const mostCompletions = 100

// complete offers the names of the endpoints there are, wherever one is
// wanted.
func (r *request) complete() (any, *mcp.JSONRPCErrorDetails) {
	var in mcp.CompleteParams
	if f := r.decodeParams(&in); f != nil {
		return nil, f
	}
	wanted := false
	switch ref := in.Ref.(type) {
	case mcp.ResourceReference:
		wanted = r.takesEndpointInAddress(ref.URI, in.Argument.Name)
	case mcp.PromptReference:
		wanted = r.takesEndpointInPrompt(ref.Name, in.Argument.Name)
	default:
		return nil, badForm()
	}
	res := &mcp.CompleteResult{Completion: mcp.Completion{Values: []string{}}}
	if !wanted {
		return res, nil
	}
	names, err := r.opts.Resources.Names(r.Context(), r.offer.ConfigDir())
	if err != nil {
		return res, nil // what cannot be read has no names
	}
	out := &res.Completion
	for _, name := range names {
		if !strings.HasPrefix(name, in.Argument.Value) {
			continue
		}
		if out.Total++; len(out.Values) < mostCompletions {
			out.Values = append(out.Values, name)
		}
	}
	out.HasMore = out.Total > len(out.Values)
	return res, nil
}

func (r *request) takesEndpointInAddress(uri, argument string) bool {
	for _, one := range r.opts.Resources.List {
		if one.URI == uri && one.Templated() && argument == "name" {
			return true
		}
	}
	return false
}

func (r *request) takesEndpointInPrompt(prompt, argument string) bool {
	for _, g := range r.opts.Guides {
		for _, a := range g.Args {
			if g.Name == prompt && a.Name == argument && a.Endpoint {
				return true
			}
		}
	}
	return false
}
