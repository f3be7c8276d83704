package mcp

import (
	"context"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"

	"chiltepin/server/jsonrpc"
)

// Fixtures are what conformance tests have served beside the catalogue: parts
// of the protocol that no operation uses, on the server that all of them do.
// A server with fixtures says that it can log.
type Fixtures struct {
	Tools     []FixtureTool
	Prompts   []FixturePrompt
	Resources []FixtureResource
}

// FixtureTool is a tool, and what its call does.
type FixtureTool struct {
	Tool mcp.Tool
	Call func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error)
}

// FixturePrompt is a prompt, and what it renders.
type FixturePrompt struct {
	Prompt mcp.Prompt
	Get    func(context.Context, mcp.GetPromptRequest) (*mcp.GetPromptResult, error)
}

// FixtureResource is a resource, and what is in it.
type FixtureResource struct {
	Resource mcp.Resource
	Contents []mcp.ResourceContents
}

// fixtures are [Fixtures] by name, or address.
type fixtures struct {
	tools     map[string]*FixtureTool
	prompts   map[string]*FixturePrompt
	resources map[string]*FixtureResource
}

func indexFixtures(all *Fixtures) fixtures {
	f := fixtures{}
	if all == nil {
		return f
	}
	f.tools, f.prompts, f.resources = map[string]*FixtureTool{}, map[string]*FixturePrompt{}, map[string]*FixtureResource{}
	for _, one := range all.Tools {
		f.tools[one.Tool.Name] = &one
	}
	for _, one := range all.Prompts {
		f.prompts[one.Prompt.Name] = &one
	}
	for _, one := range all.Resources {
		f.resources[one.Resource.URI] = &one
	}
	return f
}

func (r *request) callFixture(f *FixtureTool, round mcp.MultiRoundTripParams) (*mcp.CallToolResult, error) {
	in := mcp.CallToolRequest{}
	if err := json.Unmarshal(r.Params, &in.Params); err != nil {
		return nil, err
	}
	in.Params.MultiRoundTripParams = round
	return f.Call(r.withRequest(), in)
}

func (r *request) getFixturePrompt(f *FixturePrompt, params mcp.GetPromptParams) (any, *mcp.JSONRPCErrorDetails) {
	res, err := f.Get(r.withRequest(), mcp.GetPromptRequest{Params: params})
	if err != nil {
		return nil, fault(mcp.INTERNAL_ERROR, err.Error())
	}
	return res, nil
}

// FixtureClient is what a fixture can know of its client.
type FixtureClient struct {
	// Modern is true for a request of the new era.
	Modern bool
	// Capabilities are those in force for the request.
	Capabilities mcp.ClientCapabilities
	// LogLevel is what a request of the new era wants to be told, "" for
	// nothing.
	LogLevel mcp.LoggingLevel
}

// ClientOf returns what is known of the client whose request ctx belongs to.
func ClientOf(ctx context.Context) FixtureClient {
	r := requestOf(ctx)
	c := FixtureClient{Modern: r.modern, Capabilities: r.clientCapabilities()}
	var in struct {
		Meta *mcp.Meta `json:"_meta"`
	}
	if r.decodeParams(&in) == nil {
		c.LogLevel = in.Meta.LogLevel()
	}
	return c
}

// Notify sends a notification on behalf of the request that ctx belongs to:
// before its answer, or never.
func Notify(ctx context.Context, method string, params any) error {
	b, err := jsonrpc.EncodeStrict(params)
	if err != nil {
		return err
	}
	requestOf(ctx).Notify(method, b)
	return nil
}

// Ask sends a request to a client of the old era on behalf of the request
// that ctx belongs to, and waits for the result.
func Ask(ctx context.Context, method string, params any) (json.RawMessage, error) {
	var result json.RawMessage
	err := requestOf(ctx).askClient(ctx, method, params, &result)
	return result, err
}

// Refuse has the request that ctx belongs to answered with f where it would
// be with another error.
func Refuse(ctx context.Context, f *mcp.JSONRPCErrorDetails) { requestOf(ctx).wanted = f }
