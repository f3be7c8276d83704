package mcp

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"chiltepin/server/jsonrpc"
)

// askInputs puts the questions in res to a client of the old era, one after
// the other: requests of our own, where the new era has it call again.
func (r *request) askInputs(res *mcp.CallToolResult) (mcp.MultiRoundTripParams, error) {
	round := mcp.MultiRoundTripParams{RequestState: res.RequestState, InputResponses: mcp.InputResponses{}}
	for name, q := range res.InputRequests {
		answer, err := r.elicitAnswer(r.Context(), q.Elicitation)
		if err != nil {
			return round, err
		}
		round.InputResponses[name] = mcp.NewElicitationInputResponse(answer)
	}
	return round, nil
}

// elicitAnswer asks one question. A client that answers with an error has not asked
// its person: that is a dismissal, not a failure of ours.
func (r *request) elicitAnswer(ctx context.Context, q *mcp.ElicitationParams) (mcp.ElicitationResult, error) {
	dismissed := mcp.ElicitationResult{ElicitationResponse: mcp.ElicitationResponse{Action: mcp.ElicitationResponseActionCancel}}
	if q == nil || !r.canElicit(q.Mode) {
		return dismissed, nil
	}
	var res mcp.ElicitationResult
	if err := r.askClient(ctx, string(mcp.MethodElicitationCreate), q, &res); err != nil {
		if ctx.Err() != nil {
			return dismissed, ctx.Err()
		}
		r.log.Info().Err(err).Msg("the client did not ask its person")
		return dismissed, nil
	}
	return res, nil
}

// askClient sends a request of our own. One that is moot because the call was
// cancelled is withdrawn; a client may take it off the screen.
func (r *request) askClient(ctx context.Context, method string, params, result any) error {
	id, err := r.Ask(ctx, method, params, result)
	if err != nil && ctx.Err() != nil && id != nil {
		r.core.Notify("notifications/cancelled", jsonrpc.Encode(struct {
			ID     any    `json:"requestId"`
			Reason string `json:"reason"`
		}{id, "the call was cancelled"}))
	}
	return err
}

// elicitationIn is the answer to a question among the client's, nil if there
// is none.
func elicitationIn(responses mcp.InputResponses, name string) *mcp.ElicitationResult {
	response, ok := responses[name]
	if !ok || response.Elicitation == nil && response.DecodeFor(mcp.MethodElicitationCreate) != nil {
		return nil
	}
	return response.Elicitation
}

// inputRequired is a result that asks one question.
func inputRequired(state, name string, q mcp.ElicitationParams) *mcp.CallToolResult {
	res := &mcp.CallToolResult{}
	res.ResultType = mcp.ResultTypeInputRequired
	res.RequestState = state
	res.InputRequests = mcp.InputRequests{name: mcp.NewElicitationInputRequest(q)}
	return res
}
