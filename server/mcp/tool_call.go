package mcp

import (
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"chiltepin/server/jsonrpc"
	"chiltepin/tools/operation"
)

// callTool takes a call of a tool. What only reads takes its turn among all
// that is worked on; what changes something waits for the one call of its
// kind, which does.
func (r *request) callTool() {
	name := textOf(r.params.name)
	t, fixture := r.names[name], r.fixtures.tools[name]
	switch args := r.params.arguments; {
	case name == "":
		r.replyError(fault(mcp.INVALID_PARAMS, "params.name must be the name of a tool"))
	case args != nil && args[0] != '{' && !isNull(args):
		r.replyError(fault(mcp.INVALID_PARAMS, "params.arguments must be an object"))
	case fixture != nil:
		r.Go(func() {
			r.answerRounds(func(round mcp.MultiRoundTripParams) (*mcp.CallToolResult, error) {
				return r.callFixture(fixture, round)
			})
		})
	case t == nil:
		r.replyError(r.noSuchTool(name))
	case t.Effect == operation.Reads:
		r.Run(t.Name, nil, func() { r.callOperation(t) })
	default:
		r.Go(func() { r.callOperation(t) })
	}
}

func (r *request) callOperation(t *operation.Tool) {
	r.answerRounds(func(round mcp.MultiRoundTripParams) (*mcp.CallToolResult, error) {
		c := &call{request: r, tool: t, outside: r.membersFromOutside(t), args: r.params.arguments, round: round}
		if isNull(c.args) {
			c.args = nil
		}
		return c.runRound()
	})
}

// mostRounds is how often a client of the old era is asked within one call.
const mostRounds = 10

// answerRounds answers with what a call results in. A client of the old era is
// asked what the call wants to ask its person, and the call is made again with
// the answer; one of the new era does that by itself.
func (r *request) answerRounds(do func(mcp.MultiRoundTripParams) (*mcp.CallToolResult, error)) {
	round, f := r.firstRound()
	if f != nil {
		r.replyError(f)
		return
	}
	for range mostRounds {
		res, err := do(round)
		if err == nil && res.NeedsInput() && !r.modern {
			round, err = r.askInputs(res)
			if err == nil {
				continue
			}
		}
		if err != nil {
			r.replyError(fault(mcp.INTERNAL_ERROR, "the call could not be answered"))
			return
		}
		r.replyWithCall(res)
		return
	}
	r.replyError(fault(mcp.INTERNAL_ERROR, "the call asked too often"))
}

// firstRound is what the client sent with the call of an earlier answer.
func (r *request) firstRound() (round mcp.MultiRoundTripParams, f *mcp.JSONRPCErrorDetails) {
	round.RequestState = textOf(r.params.state)
	if r.params.responses != nil && json.Unmarshal(r.params.responses, &round.InputResponses) != nil {
		return round, badForm()
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

func (c *call) runRound() (*mcp.CallToolResult, error) {
	began := time.Now()
	if f := c.redeemState(); f != nil {
		c.wanted = f
		return nil, errors.New(f.Message)
	}
	watch, stop := c.followProgress()
	res, err := c.runOperation(watch)
	stop()
	if c.mustAsk(err) {
		return c.askPerson()
	}
	c.log.Info().Str("tool", toolName(c.tool)).RawJSON("id", c.ID).Dur("ms", time.Since(began)).AnErr("err", errors.Unwrap(err)).Msg("called")
	if err != nil {
		return c.describeFailure(err), nil
	}
	return &mcp.CallToolResult{
		Content:           []mcp.Content{mcp.TextContent{Type: "text", Text: renderText(res.JSON, c.outside)}},
		StructuredContent: res.JSON,
	}, nil
}

// runOperation runs the operation; one that changes something is shared.
func (c *call) runOperation(watch func(jsonrpc.ProgressEvent)) (operation.Result, error) {
	if c.tool.Effect != operation.Reads {
		return c.executeShared(watch)
	}
	ctx := c.Context()
	if err := ctx.Err(); err != nil {
		return operation.Result{}, err
	}
	ctx = operation.WithConsent(operation.WithShow(ctx, c.showAddress), c.decideConsent)
	if watch != nil {
		ctx = operation.WithProgress(ctx, func(e operation.Progress) { watch(jsonrpc.ProgressEvent(e)) })
	}
	return c.offer.Call(ctx, c.tool, c.args)
}

// describeFailure is the result of a call that failed: a model reads it and
// calls better.
func (c *call) describeFailure(err error) *mcp.CallToolResult {
	var e *operation.Error
	if !errors.As(err, &e) {
		e = operation.AsError(err)
	}
	b, encodeErr := jsonrpc.EncodeStrict(struct {
		Error *operation.Error `json:"error"`
	}{e})
	if encodeErr != nil {
		b = json.RawMessage(`{"error":{"code":"internal","message":"the error could not be encoded"}}`)
	}
	return &mcp.CallToolResult{
		Content:           []mcp.Content{mcp.TextContent{Type: "text", Text: renderText(b, c.outside)}},
		StructuredContent: b,
		IsError:           true,
	}
}

// followProgress sends what the operation reports to a client that follows the
// call, under a token of a kind that the protocol knows.
func (c *call) followProgress() (watch func(jsonrpc.ProgressEvent), stop func()) {
	if !jsonrpc.ValidID(c.params.progressToken) {
		return nil, func() {}
	}
	pacer := jsonrpc.NewPacer(c.tool.Summary, func(text string, _ *int) { c.sendProgress(text) })
	return pacer.Report, pacer.Stop
}

// sendProgress numbers the reports of the request: progress must grow with
// each. One pacer at a time calls it.
func (r *request) sendProgress(text string) {
	r.steps++
	r.Notify("notifications/progress", jsonrpc.Encode(struct {
		Token   json.RawMessage `json:"progressToken"`
		Step    int             `json:"progress"`
		Message string          `json:"message"`
	}{r.params.progressToken, r.steps, text}))
}
