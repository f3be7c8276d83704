package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"chiltepin/tools/operation"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// toolName is the name under which clients call t; many refuse dots.
func toolName(t *operation.Tool) string { return strings.ReplaceAll(t.Name, ".", "_") }

// addTools registers what is offered.
func (s *instance) addTools() error {
	s.names = map[string]*operation.Tool{}
	s.outside = map[*operation.Tool]map[string]bool{}
	var list []server.ServerTool
	for t := range s.offer.All() {
		name := toolName(t)
		if other := s.names[name]; other != nil {
			return fmt.Errorf("operations %s and %s would both be the tool %s", other.Name, t.Name, name)
		}
		s.names[name] = t
		s.outside[t] = t.FromOutside()
		list = append(list, server.ServerTool{Tool: s.describe(t), Handler: s.handler(t)})
	}
	s.mcp.AddTools(list...)
	return nil
}

// describe is t as tools/list shows it.
func (s *instance) describe(t *operation.Tool) mcp.Tool {
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
		Description:     description(t),
		RawInputSchema:  s.offer.InputSchema(t),
		RawOutputSchema: shape(t.OutputSchema()),
		Annotations: mcp.ToolAnnotation{
			ReadOnlyHint:    hint(t.Effect == operation.Reads),
			DestructiveHint: hint(t.Effect == operation.Destroys),
			IdempotentHint:  hint(t.Effect == operation.Reads || t.Effect == operation.Idempotent),
			// What cannot find Globus unreachable does not talk to it.
			OpenWorldHint: hint(t.CanFailWith(operation.CodeUnavailable)),
		},
	}
}

// description is the prose of t with the words of a tool in place of those of
// the command line.
func description(t *operation.Tool) string {
	return strings.TrimSpace(t.Summary + ".\n\n" + t.Prose())
}

// shape is the schema of a result as clients are shown it: its members and
// their types, with the error that stands in their place when a call failed,
// for some clients hold failed calls to the schema too. What the members mean
// is told once, in the reference; a list of tools is paid for by each model
// that reads it.
func shape(schema json.RawMessage) json.RawMessage {
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
	b, err := encode(s)
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

// handler makes the call of t that a request asks for. It is how a call runs
// that came through mcp-go.
func (s *instance) handler(t *operation.Tool) server.ToolHandlerFunc {
	return func(ctx context.Context, in mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return requestOf(ctx).newCall(t, in.Params.MultiRoundTripParams).run(ctx)
	}
}

func (r *request) newCall(t *operation.Tool, round mcp.MultiRoundTripParams) *call {
	c := &call{request: r, tool: t, outside: r.outside[t], args: r.params.Arguments, round: round}
	if bytes.Equal(c.args, []byte("null")) {
		c.args = nil
	}
	return c
}

// callTool answers a call without mcp-go's dispatch, which parses a message
// six times. A client of the old era is asked what the operation wants to ask
// its person, and the operation runs again with the answer.
func (r *request) callTool(t *operation.Tool) {
	round := mcp.MultiRoundTripParams{RequestState: r.params.RequestState, InputResponses: r.params.Responses}
	for {
		res, err := r.newCall(t, round).run(r.ctx)
		if err == nil && res.NeedsInput() && !r.modern {
			round, err = r.put(res)
			if err == nil {
				continue
			}
		}
		if err != nil {
			r.reply(mcp.JSONRPCError{Error: *fault(mcp.INTERNAL_ERROR, "the call could not be answered")})
			return
		}
		if r.modern {
			if res.ResultType == "" {
				res.ResultType = mcp.ResultTypeComplete
			}
			res.Meta = r.meta
		}
		r.reply(mcp.JSONRPCResponse{Result: res})
		return
	}
}

// put puts the questions in res to the client, one after the other.
func (r *request) put(res *mcp.CallToolResult) (mcp.MultiRoundTripParams, error) {
	round := mcp.MultiRoundTripParams{RequestState: res.RequestState, InputResponses: mcp.InputResponses{}}
	for name, q := range res.InputRequests {
		answer, err := (&session{r}).RequestElicitation(r.ctx, mcp.ElicitationRequest{Params: *q.Elicitation})
		if err != nil {
			return round, err
		}
		round.InputResponses[name] = mcp.NewElicitationInputResponse(*answer)
	}
	return round, nil
}

// call is one run of an operation for a request; a request that has to ask a
// person makes several.
type call struct {
	*request
	tool    *operation.Tool
	outside map[string]bool // members with text that others wrote
	args    json.RawMessage
	round   mcp.MultiRoundTripParams

	granted  *grant // what a person answered in this round
	asking   sync.Mutex
	question *operation.Question // what a person is still to be asked
	address  string              // where a person is still to be sent
}

func (c *call) run(ctx context.Context) (*mcp.CallToolResult, error) {
	began := time.Now()
	if f := c.redeem(); f != nil {
		c.instead(f)
		return nil, errors.New(f.Message)
	}
	var watch func(operation.Progress)
	stop := func() {}
	if c.tracked() {
		p := newReporter(c)
		watch, stop = p.show, p.stop
	}
	res, err := c.execute(ctx, watch)
	stop()
	if c.open(err) {
		return c.ask()
	}
	c.log.Info().Str("tool", toolName(c.tool)).RawJSON("id", c.id).Dur("ms", time.Since(began)).AnErr("err", errors.Unwrap(err)).Msg("called")
	if err != nil {
		return c.failed(err), nil
	}
	return &mcp.CallToolResult{
		Content:           []mcp.Content{mcp.TextContent{Type: "text", Text: outline(res.JSON, c.outside)}},
		StructuredContent: res.JSON,
	}, nil
}

// failed is the result of a call that failed: a model reads it and mends.
func (c *call) failed(err error) *mcp.CallToolResult {
	var e *operation.Error
	if !errors.As(err, &e) {
		e = operation.AsError(err)
	}
	b, encodeErr := encode(struct {
		Error *operation.Error `json:"error"`
	}{e})
	if encodeErr != nil {
		b = json.RawMessage(`{"error":{"code":"internal","message":"the error could not be encoded"}}`)
	}
	return &mcp.CallToolResult{
		Content:           []mcp.Content{mcp.TextContent{Type: "text", Text: outline(b, c.outside)}},
		StructuredContent: json.RawMessage(b),
		IsError:           true,
	}
}
