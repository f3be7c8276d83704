package mcp

import (
	"cmp"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"

	"chiltepin/tools/operation"
)

// mostListed bounds the endpoints whose resources are listed one by one; the
// templates stand for all of them.
const mostListed = 50

// listResources lists what can be read by address, by name: what there is
// always, and what there is of each endpoint.
func (r *request) listResources() (any, *mcp.JSONRPCErrorDetails) {
	if f := r.checkCursor(); f != nil {
		return nil, f
	}
	res := &mcp.ListResourcesResult{Resources: []mcp.Resource{}}
	for _, f := range r.fixtures.resources {
		res.Resources = append(res.Resources, f.Resource)
	}
	endpoints := r.endpointsToList()
	for _, one := range r.opts.Resources.List {
		if !one.Templated() {
			res.Resources = append(res.Resources, describeResource(one, ""))
			continue
		}
		for _, name := range endpoints {
			res.Resources = append(res.Resources, describeResource(one, name))
		}
	}
	slices.SortStableFunc(res.Resources, func(a, b mcp.Resource) int { return cmp.Compare(a.Name, b.Name) })
	return res, nil
}

func (r *request) endpointsToList() []string {
	if r.opts.Resources.Names == nil {
		return nil
	}
	names, err := r.opts.Resources.Names(r.Context(), r.offer.ConfigDir())
	if err != nil {
		r.log.Warn().Err(err).Msg("listing resources")
		return nil
	}
	return names[:min(len(names), mostListed)]
}

// describeResource is one resource, of one endpoint if it has a name in it, as
// resources/list shows it.
func describeResource(one operation.Resource, endpoint string) mcp.Resource {
	out := mcp.Resource{URI: one.Address(endpoint), Name: one.Name, Title: one.Title, Description: one.Doc, MIMEType: one.MIME}
	if endpoint != "" {
		out.Name, out.Title = one.Name+":"+endpoint, one.Title+" of "+endpoint
	}
	return out
}

// listResourceTemplates lists the addresses with a name in them, by name.
func (r *request) listResourceTemplates() (any, *mcp.JSONRPCErrorDetails) {
	if f := r.checkCursor(); f != nil {
		return nil, f
	}
	res := &mcp.ListResourceTemplatesResult{ResourceTemplates: []mcp.ResourceTemplate{}}
	for _, one := range r.opts.Resources.List {
		if one.Templated() {
			t := mcp.NewResourceTemplate(one.URI, one.Name, mcp.WithTemplateDescription(one.Doc), mcp.WithTemplateMIMEType(one.MIME))
			t.Title = one.Title
			res.ResourceTemplates = append(res.ResourceTemplates, t)
		}
	}
	slices.SortFunc(res.ResourceTemplates, func(a, b mcp.ResourceTemplate) int { return cmp.Compare(a.Name, b.Name) })
	return res, nil
}

// readAddress returns the address in the parameters.
func (r *request) readAddress() (string, *mcp.JSONRPCErrorDetails) {
	var in struct {
		URI string `json:"uri"`
	}
	if r.decodeParams(&in) != nil || in.URI == "" {
		return "", fault(mcp.INVALID_PARAMS, "params.uri must be the address of a resource")
	}
	return in.URI, nil
}

// readResource reads what is at an address.
func (r *request) readResource() (any, *mcp.JSONRPCErrorDetails) {
	uri, f := r.readAddress()
	if f != nil {
		return nil, f
	}
	if fixture := r.fixtures.resources[uri]; fixture != nil {
		return &mcp.ReadResourceResult{Contents: fixture.Contents}, nil
	}
	one, name := r.opts.Resources.Find(uri)
	if one == nil {
		return nil, r.noSuchResource(uri)
	}
	ctx := r.Context()
	if ctx.Err() != nil {
		return nil, fault(mcp.INTERNAL_ERROR, "the request was cancelled")
	}
	text, err := one.Read(ctx, r.offer.ConfigDir(), name)
	if err != nil {
		e := operation.AsError(err)
		if e.Code == operation.CodeNotFound || e.Code == operation.CodeInvalid {
			f = r.noSuchResource(uri)
			f.Message = e.Message
			return nil, f
		}
		return nil, &mcp.JSONRPCErrorDetails{Code: mcp.INTERNAL_ERROR, Message: e.Message, Data: e}
	}
	return &mcp.ReadResourceResult{Contents: []mcp.ResourceContents{mcp.TextResourceContents{URI: uri, MIMEType: one.MIME, Text: text}}}, nil
}

// noSuchResource is the error of its revision for an address that nothing is
// at.
func (r *request) noSuchResource(uri string) *mcp.JSONRPCErrorDetails {
	code := mcp.RESOURCE_NOT_FOUND
	if r.modern {
		code = mcp.INVALID_PARAMS
	}
	return &mcp.JSONRPCErrorDetails{Code: code, Message: "there is no such resource", Data: map[string]string{"uri": uri}}
}
