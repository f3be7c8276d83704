package mcp

import (
	"context"
	"errors"

	"chiltepin/tools/operation"

	"github.com/mark3labs/mcp-go/mcp"
)

// addPrompts registers the guides as prompts.
func (s *instance) addPrompts() {
	for _, g := range s.opts.Guides {
		p := mcp.Prompt{Name: g.Name, Title: g.Title, Description: g.Summary}
		for _, a := range g.Args {
			p.Arguments = append(p.Arguments, mcp.PromptArgument{Name: a.Name, Description: a.Doc, Required: a.Required})
		}
		s.mcp.AddPrompt(p, func(ctx context.Context, in mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			text, err := g.Render(s.say, in.Params.Arguments)
			if err != nil {
				var e *operation.Error
				if errors.As(err, &e) && e.Code == operation.CodeInvalid {
					requestOf(ctx).instead(fault(mcp.INVALID_PARAMS, e.Message))
				}
				return nil, err
			}
			return &mcp.GetPromptResult{
				Description: g.Summary,
				Messages:    []mcp.PromptMessage{{Role: mcp.RoleUser, Content: mcp.TextContent{Type: "text", Text: text}}},
			}, nil
		})
	}
}

// say is the word by which a client calls an operation: its tool, or the
// command where the tool is not offered.
func (s *instance) say(name string) string {
	if t, _ := s.offer.Lookup(name); t != nil {
		return toolName(t)
	}
	return operation.CommandLine(name)
}
