package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"chiltepin/tools/operation"

	"github.com/sourcegraph/jsonrpc2"
)

// call is one run of an operation, from its arrival to its answer.
type call struct {
	*instance
	id     jsonrpc2.ID
	tool   *operation.Tool
	args   json.RawMessage
	extras extras
	began  time.Time
	ctx    context.Context
	cancel context.CancelFunc
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

// invoke runs the operation behind a method, or ends one that goes on.
func (r *reader) invoke(id jsonrpc2.ID, method string, params json.RawMessage) {
	t := r.methods[method]
	if t == nil {
		if !r.unfollow(id, method, params) {
			r.refuse(id, r.unknown(method))
		}
		return
	}
	c := &call{instance: r.instance, id: id, tool: t, args: params, began: time.Now()}
	if f := c.unwrap(); f != nil {
		r.refuse(id, f)
		return
	}
	c.ctx, c.cancel = context.WithCancel(r.base)
	r.calls.enter(c)
	turn := r.queue.enter(c.lane())
	switch {
	case t.Event != "":
		turn.leave() // it never ends
		go c.follow(turn)
	case t.InstantFor(params) && turn.now():
		defer turn.leave() // with its answer sent: the next one's comes after it
		n := r.guard.Begin()
		out := c.run(turn)
		if r.guard.End(n) {
			c.finish(out, r.stream.ReplyLater)
			return
		}
		r.relieved = true
		c.finish(out, r.stream.Reply)
	default:
		go func() {
			defer turn.leave()
			c.finish(c.run(turn), r.stream.Reply)
		}()
	}
}

// unknown is the failure for a method that is none.
func (s *instance) unknown(method string) *failure {
	if len(method) > 60 {
		method = method[:60] + "…"
	}
	msg := fmt.Sprintf("unknown method %q", method)
	dots := strings.NewReplacer(".", "/", "_", "/").Replace(method)
	var known []string
	for name := range s.methods {
		known = append(known, name)
	}
	slices.Sort(known)
	if slices.Contains(known, dots) {
		msg += fmt.Sprintf("; did you mean %q?", dots)
	} else if near := s.offer.Nearest(method, known); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	return &failure{Code: jsonrpc2.CodeMethodNotFound, Message: msg, Data: &failureData{Code: operation.CodeInvalid, Next: "rpc.discover lists the methods"}}
}

// unwrap takes the extras out of the parameters.
func (c *call) unwrap() *failure {
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
	if err := json.Unmarshal(c.args, &c.extras); err != nil {
		return failed(operation.Invalid("confirm", "the name of what may be destroyed", string(all["confirm"])))
	}
	for name, token := range map[string]*json.RawMessage{"workDoneToken": &c.extras.WorkDone, "partialResultToken": &c.extras.Partial} {
		switch {
		case string(*token) == "null":
			*token = nil
		case len(*token) > 0 && strings.ContainsRune("{[tf", rune((*token)[0])):
			return failed(operation.Invalid(name, "a string or a number", string(*token)))
		}
	}
	for _, name := range extraNames() {
		delete(all, name)
	}
	c.args = encode(all)
	return nil
}

// lane is which calls this one keeps its order with. A client that never said
// initialize is a script: its calls run one after the other, as in a shell. To
// others calls run at the same time, but those that change the same thing.
func (c *call) lane() string {
	if !c.session.begun() {
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

// run waits for the call's turn and runs the operation.
func (c *call) run(turn *turn) outcome {
	defer c.cancel()
	if err := turn.wait(c.ctx); err != nil {
		return outcome{err: err}
	}
	ctx := operation.WithConsent(c.ctx, c.consent)
	p := c.report()
	defer p.stop()
	if p != nil {
		ctx = operation.WithProgress(ctx, p.show)
	}
	if c.extras.Partial != nil {
		ctx = operation.WithEmit(ctx, c.partial)
	}
	if c.session.canShow() {
		ctx = operation.WithShow(ctx, c.show)
	}
	res, err := c.offer.Call(ctx, c.tool, c.args)
	return outcome{res, err}
}

// partial sends a piece of the result ahead of it.
func (c *call) partial(r operation.Result) error {
	return c.stream.Write(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"$/progress","params":{"token":%s,"value":%s}}`, c.extras.Partial, r.JSON))
}

// finish sends the answer.
func (c *call) finish(out outcome, reply func(jsonrpc2.ID, string, json.RawMessage) error) {
	took := time.Since(c.began)
	c.log.Info().Str("method", methodName(c.tool.Name)).RawJSON("id", c.stream.WireID(c.id)).Dur("ms", took).AnErr("err", errors.Unwrap(out.err)).Msg("called")
	c.logTrace(took, out.err)
	c.calls.leave(c)
	if out.err != nil {
		_ = reply(c.id, "error", encode(failed(out.err)))
		return
	}
	_ = reply(c.id, "result", out.res.JSON)
}

// consent takes the name in confirm for the word of whoever wrote the call.
func (c *call) consent(_ context.Context, q operation.Question) error {
	switch {
	case c.extras.Confirm == nil:
		return &operation.Error{Code: operation.CodeRefused, Message: fmt.Sprintf("nothing was done: %s destroys something, and the call does not confirm it", q.Operation),
			Next: fmt.Sprintf("add \"confirm\": %s to the parameters", encode(q.Subject))}
	case *c.extras.Confirm != q.Subject:
		return &operation.Error{Code: operation.CodeRefused, Message: fmt.Sprintf("nothing was done: confirm is %.60q, and the name is %q", *c.extras.Confirm, q.Subject)}
	}
	return nil
}

// calls are the operations under way, as jsonrpc2 numbers them.
type calls struct {
	mu   sync.Mutex
	byID map[jsonrpc2.ID]*call
}

func (c *calls) init() { c.byID = map[jsonrpc2.ID]*call{} }

func (c *calls) enter(one *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byID[one.id] = one
}

func (c *calls) leave(one *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byID, one.id)
}

// cancel has a call end soon; it is answered all the same.
func (c *calls) cancel(id jsonrpc2.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one := c.byID[id]; one != nil {
		one.cancel()
	}
}
