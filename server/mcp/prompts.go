package mcp

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"

	"chiltepin/tools/operation"
)

// listPrompts lists the guides as prompts, by name.
func (r *request) listPrompts() (any, *mcp.JSONRPCErrorDetails) {
	if f := r.checkCursor(); f != nil {
		return nil, f
	}
	res := &mcp.ListPromptsResult{Prompts: []mcp.Prompt{}}
	for _, g := range r.opts.Guides {
		p := mcp.Prompt{Name: g.Name, Title: g.Title, Description: g.Summary}
		for _, a := range g.Args {
			p.Arguments = append(p.Arguments, mcp.PromptArgument{Name: a.Name, Description: a.Doc, Required: a.Required})
		}
		res.Prompts = append(res.Prompts, p)
	}
	for _, f := range r.fixtures.prompts {
		res.Prompts = append(res.Prompts, f.Prompt)
	}
	slices.SortFunc(res.Prompts, func(a, b mcp.Prompt) int { return cmp.Compare(a.Name, b.Name) })
	return res, nil
}

// getPrompt renders a guide.
func (r *request) getPrompt() (any, *mcp.JSONRPCErrorDetails) {
	var in mcp.GetPromptParams
	if f := r.decodeParams(&in); f != nil {
		return nil, f
	}
	if f := r.fixtures.prompts[in.Name]; f != nil {
		return r.getFixturePrompt(f, in)
	}
	i := slices.IndexFunc(r.opts.Guides, func(g operation.Guide) bool { return g.Name == in.Name })
	if i < 0 {
		return nil, fault(mcp.INVALID_PARAMS, fmt.Sprintf("unknown prompt %.60q", in.Name))
	}
	g := r.opts.Guides[i]
	text, err := g.Render(r.nameOperation, in.Arguments)
	if err != nil {
		var e *operation.Error
		if errors.As(err, &e) && e.Code == operation.CodeInvalid {
			return nil, fault(mcp.INVALID_PARAMS, e.Message)
		}
		return nil, fault(mcp.INTERNAL_ERROR, operation.AsError(err).Message)
	}
	return &mcp.GetPromptResult{
		Description: g.Summary,
		Messages:    []mcp.PromptMessage{{Role: mcp.RoleUser, Content: mcp.TextContent{Type: "text", Text: text}}},
	}, nil
}
