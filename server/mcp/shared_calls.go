package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"chiltepin/server/jsonrpc"
	"chiltepin/tools/operation"
)

// patience is how long a call keeps its client waiting. Many hosts give up
// after a minute, and then do not learn what became of the call; so a call
// that takes longer is answered with what is known, its operation goes on,
// and the same call again joins it.
const patience = 50 * time.Second

// executeShared runs the operation, or joins the same one under way.
func (c *call) executeShared(watch func(jsonrpc.ProgressEvent)) (operation.Result, error) {
	key := c.tool.Name + " " + digestArguments(c.withoutDurations())
	res, err := c.shared.Do(c.Request, key, watch, func(ctx context.Context, report func(jsonrpc.ProgressEvent)) jsonrpc.SharedEnd[operation.Result] {
		ctx = operation.WithConsent(operation.WithShow(ctx, c.showAddress), c.decideConsent)
		ctx = operation.WithProgress(ctx, func(e operation.Progress) { report(jsonrpc.ProgressEvent(e)) })
		res, err := c.offer.Call(ctx, c.tool, c.args)
		return jsonrpc.SharedEnd[operation.Result]{Result: res, Err: err, Private: c.mustAsk(err)}
	})
	var running *jsonrpc.StillRunning
	if errors.As(err, &running) {
		return res, c.stillRunning(running)
	}
	return res, err
}

// stillRunning tells a client that has waited long enough what is known.
func (c *call) stillRunning(r *jsonrpc.StillRunning) *operation.Error {
	tool := toolName(c.tool)
	msg := fmt.Sprintf("%s is still under way after %s and continues", tool, r.Waited)
	if r.Last != "" {
		msg += "; the last thing heard of it: " + r.Last
	}
	return &operation.Error{Code: operation.CodeTimeout, Message: msg, Next: operation.Do("call " + tool + " again with the same arguments to wait for it")}
}

// withoutDurations are the arguments but for the spans of time: two calls
// that differ in how long they wait want the same thing.
func (c *call) withoutDurations() json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(c.args, &fields) != nil {
		return c.args
	}
	for f := range c.tool.Fields() {
		if f.Type == reflect.TypeFor[operation.Duration]() {
			delete(fields, f.Name)
		}
	}
	b, err := json.Marshal(fields)
	if err != nil {
		return c.args
	}
	return b
}
