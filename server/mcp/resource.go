package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"chiltepin/tools/operation"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// mostListed bounds the endpoints whose resources are listed one by one; the
// templates stand for all of them.
const mostListed = 50

// addResources registers what can be read by address.
func (s *instance) addResources() {
	for _, r := range s.opts.Resources.List {
		if r.Templated() {
			t := mcp.NewResourceTemplate(r.URI, r.Name, mcp.WithTemplateDescription(r.Doc), mcp.WithTemplateMIMEType(r.MIME))
			t.Title = r.Title
			s.mcp.AddResourceTemplate(t, s.readResource)
			continue
		}
		s.mcp.AddResource(listed(r, ""), s.readResource)
	}
}

// listed is r, for one endpoint if it has a name in it, as resources/list
// shows it.
func listed(r operation.Resource, endpoint string) mcp.Resource {
	out := mcp.Resource{URI: r.Address(endpoint), Name: r.Name, Title: r.Title, Description: r.Doc, MIMEType: r.MIME}
	if endpoint != "" {
		out.Name, out.Title = r.Name+":"+endpoint, r.Title+" of "+endpoint
	}
	return out
}

// GetSessionResources adds the resources of the endpoints there are to a
// list, as the resources of this session.
func (s *session) GetSessionResources() map[string]server.ServerResource {
	if s.method != string(mcp.MethodResourcesList) || s.opts.Resources.Names == nil {
		return nil
	}
	names, err := s.opts.Resources.Names(s.ctx, s.offer.ConfigDir())
	if err != nil {
		s.log.Warn().Err(err).Msg("listing resources")
		return nil
	}
	all := map[string]server.ServerResource{}
	for _, name := range names[:min(len(names), mostListed)] {
		for _, r := range s.opts.Resources.List {
			if r.Templated() {
				res := listed(r, name)
				all[res.URI] = server.ServerResource{Resource: res, Handler: s.readResource}
			}
		}
	}
	return all
}

// SetSessionResources is part of the interface; nobody sets any.
func (s *session) SetSessionResources(map[string]server.ServerResource) {}

// readResource reads what the request asks for.
func (s *instance) readResource(ctx context.Context, in mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	r := requestOf(ctx)
	res, name := s.opts.Resources.Find(in.Params.URI)
	if res == nil {
		r.instead(r.noSuchResource(in.Params.URI))
		return nil, errors.New("no such resource")
	}
	text, err := res.Read(ctx, s.offer.ConfigDir(), name)
	if err != nil {
		e := operation.AsError(err)
		f := &mcp.JSONRPCErrorDetails{Code: mcp.INTERNAL_ERROR, Message: e.Message, Data: e}
		if e.Code == operation.CodeNotFound || e.Code == operation.CodeInvalid {
			f = r.noSuchResource(in.Params.URI)
			f.Message = e.Message
		}
		r.instead(f)
		return nil, err
	}
	return []mcp.ResourceContents{mcp.TextResourceContents{URI: in.Params.URI, MIMEType: res.MIME, Text: text}}, nil
}

// noSuchResource is the error of its revision for an address that nothing is
// at; mcp-go has it for addresses only that match no template.
func (r *request) noSuchResource(uri string) *mcp.JSONRPCErrorDetails {
	code := mcp.RESOURCE_NOT_FOUND
	if r.modern {
		code = mcp.INVALID_PARAMS
	}
	return &mcp.JSONRPCErrorDetails{Code: code, Message: "there is no such resource", Data: map[string]string{"uri": uri}}
}

// uri is the address in the parameters, "" if there is none.
func (r *request) uri() string {
	var p struct {
		Params struct {
			URI string `json:"uri"`
		} `json:"params"`
	}
	if json.Unmarshal(r.raw, &p) != nil {
		return ""
	}
	return p.Params.URI
}

// completions offers the names of the endpoints there are, wherever one is
// wanted.
type completions struct{ *instance }

var (
	_ server.ResourceCompletionProvider = completions{}
	_ server.PromptCompletionProvider   = completions{}
)

func (c completions) CompleteResourceArgument(ctx context.Context, uri string, arg mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	for _, r := range c.opts.Resources.List {
		if r.URI == uri && r.Templated() && arg.Name == "name" {
			return c.names(ctx, arg.Value), nil
		}
	}
	return &mcp.Completion{}, nil
}

func (c completions) CompletePromptArgument(ctx context.Context, prompt string, arg mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	for _, g := range c.opts.Guides {
		for _, a := range g.Args {
			if g.Name == prompt && a.Name == arg.Name && a.Endpoint {
				return c.names(ctx, arg.Value), nil
			}
		}
	}
	return &mcp.Completion{}, nil
}

// names are those that begin with what was typed; the protocol allows 100.
func (c completions) names(ctx context.Context, typed string) *mcp.Completion {
	out := &mcp.Completion{}
	if c.opts.Resources.Names == nil {
		return out
	}
	names, err := c.opts.Resources.Names(ctx, c.offer.ConfigDir())
	if err != nil {
		return out
	}
	for _, name := range names {
		if !strings.HasPrefix(name, typed) {
			continue
		}
		if out.Total++; len(out.Values) < 100 {
			out.Values = append(out.Values, name)
		}
	}
	out.HasMore = out.Total > len(out.Values)
	return out
}
