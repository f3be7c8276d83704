package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"chiltepin/server/jsonrpc"
	"chiltepin/tools/operation"
)

// call is one run of an operation, from its arrival to its answer.
type call struct {
	*dialect
	request *jsonrpc.Request
	tool    *operation.Tool
	args    json.RawMessage
	extras  extras
	began   time.Time
}

// extras are what a client says beside the arguments of an operation.
type extras struct {
	// Confirm is the name of what may be destroyed.
	Confirm *string `json:"confirm"`
	// WorkDone and Partial are tokens under which progress and pieces of the
	// result are sent.
	WorkDone json.RawMessage `json:"workDoneToken"`
	Partial  json.RawMessage `json:"partialResultToken"`
}

// extraNames are the members of [extras].
func extraNames() []string { return []string{"confirm", "workDoneToken", "partialResultToken"} }

// callOperation runs the operation behind a method, or ends one that goes on.
func (d *dialect) callOperation(r *jsonrpc.Request, method string, params json.RawMessage) {
	t := d.operations[method]
	if t == nil {
		if !d.endFollow(r, method, params) {
			d.refuseInOrder(r, d.unknownMethod(method))
		}
		return
	}
	c := &call{dialect: d, request: r, tool: t, args: params, began: time.Now()}
	if f := c.takeExtras(); f != nil {
		d.refuseInOrder(r, f)
		return
	}
	turn := d.lanes.enter(c.lane())
	if t.Event != "" {
		turn.leave() // it never ends
		r.Go(func() { c.follow(turn) })
		return
	}
	r.Run(t.Name, turn.before, func() {
		defer turn.leave() // with its answer sent: the next one's comes after it
		c.sendAnswer(c.runOperation(turn))
	})
}

// unknownMethod is the failure for a method that is none.
func (d *dialect) unknownMethod(method string) *failure {
	if len(method) > 60 {
		method = method[:60] + "…"
	}
	msg := fmt.Sprintf("unknown method %q", method)
	dots := strings.NewReplacer(".", "/", "_", "/").Replace(method)
	var known []string
	for name := range d.operations {
		known = append(known, name)
	}
	slices.Sort(known)
	if slices.Contains(known, dots) {
		msg += fmt.Sprintf("; did you mean %q?", dots)
	} else if near := d.offer.Nearest(method, known); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	return &failure{Code: jsonrpc2.CodeMethodNotFound, Message: msg, Data: &failureData{Code: operation.CodeInvalid, Next: operation.Do("rpc.discover lists the methods")}}
}

// takeExtras takes the extras out of the parameters.
func (c *call) takeExtras() *failure {
	if len(c.args) == 0 || string(c.args) == "null" {
		c.args = nil
		return nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(c.args, &all); err != nil {
		return fail(jsonrpc2.CodeInvalidParams, "params must be an object")
	}
	if !slices.ContainsFunc(extraNames(), func(n string) bool { return all[n] != nil }) {
		return nil
	}
	// Before what is ours is taken out: what is left is written anew.
	if err := operation.CheckMembers(c.args); err != nil {
		return describeError(err)
	}
	if err := json.Unmarshal(c.args, &c.extras); err != nil {
		return describeError(operation.Invalid("confirm", "the name of what may be destroyed", string(all["confirm"])))
	}
	for name, token := range map[string]*json.RawMessage{"workDoneToken": &c.extras.WorkDone, "partialResultToken": &c.extras.Partial} {
		switch {
		case string(*token) == "null":
			*token = nil
		case len(*token) > 0 && strings.ContainsRune("{[tf", rune((*token)[0])):
			return describeError(operation.Invalid(name, "a string or a number", string(*token)))
		}
	}
	for _, name := range extraNames() {
		delete(all, name)
	}
	c.args = jsonrpc.Encode(all)
	return nil
}

// lane is which calls this one keeps its order with. A client that never said
// initialize is a script: its calls run one after the other, as in a shell. To
// others calls run at the same time, but those that change the same thing.
func (c *call) lane() string {
	if !c.session.hasBegun() {
		return everything
	}
	if c.tool.Effect == operation.Reads {
		return ""
	}
	var all map[string]json.RawMessage
	_ = json.Unmarshal(c.args, &all) // what is no object is refused by the operation
	for f := range c.tool.Fields() {
		if f.Positional {
			return "the " + f.Name + " " + string(all[f.Name])
		}
	}
	group, _, _ := strings.Cut(c.tool.Name, ".")
	return "all of " + group
}

// outcome is how an operation ended.
type outcome struct {
	res operation.Result
	err error
}

// runOperation waits for the call's turn and runs the operation.
func (c *call) runOperation(turn *turn) outcome {
	ctx := c.request.Context()
	if err := turn.waitFor(ctx); err != nil {
		return outcome{err: err}
	}
	ctx = operation.WithConsent(ctx, c.checkConfirm)
	watch, stop := c.followProgress()
	defer stop()
	if watch != nil {
		ctx = operation.WithProgress(ctx, watch)
	}
	if c.extras.Partial != nil {
		ctx = operation.WithEmit(ctx, c.sendPartial)
	}
	if c.session.canShow() {
		ctx = operation.WithShow(ctx, c.showDocument)
	}
	res, err := c.offer.Call(ctx, c.tool, c.args)
	return outcome{res, err}
}

// sendPartial sends a piece of the result ahead of it.
func (c *call) sendPartial(r operation.Result) error {
	c.request.Notify("$/progress", fmt.Appendf(nil, `{"token":%s,"value":%s}`, c.extras.Partial, r.JSON))
	return c.request.Context().Err()
}

// sendAnswer sends the answer.
func (c *call) sendAnswer(out outcome) {
	took := time.Since(c.began)
	c.log.Info().Str("method", methodName(c.tool.Name)).RawJSON("id", c.request.ID).Dur("ms", took).AnErr("err", errors.Unwrap(out.err)).Msg("called")
	c.logTrace(took, out.err)
	if out.err != nil {
		c.request.Fail(describeError(out.err).wireError())
		return
	}
	c.request.Reply(out.res.JSON)
}

// checkConfirm takes the name in confirm for the word of whoever wrote the
// call.
func (c *call) checkConfirm(_ context.Context, q operation.Question) error {
	switch {
	case c.extras.Confirm == nil:
		what := fmt.Sprintf("%s destroys something, and the call does not confirm it", q.Operation)
		if q.Late {
			what = q.Text
		}
		return (&operation.Error{Code: operation.CodeRefused, Message: "nothing was done: " + what,
			Next: operation.Do(fmt.Sprintf("ask the person whom it concerns; their word is the member \"confirm\": %s in the parameters", jsonrpc.Encode(q.Subject)))}).Because(operation.ErrPostponed)
	case *c.extras.Confirm != q.Subject:
		return &operation.Error{Code: operation.CodeRefused, Message: fmt.Sprintf("nothing was done: confirm is %.60q, and the name is %q", *c.extras.Confirm, q.Subject)}
	}
	return nil
}
