package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"chiltepin/server/jsonrpc"
	"chiltepin/tools/operation"
)

// follows are the operations that go on telling, by what they were called
// with: the same call again takes the place of the one before it.
type follows struct {
	mu      sync.Mutex
	running int
	byKey   map[string]*follow
}

// mostFollows is how many may be under way at once.
const mostFollows = 64

// follow is one operation that goes on telling.
type follow struct {
	*call
	key    string
	ctx    context.Context
	cancel context.CancelFunc
}

func (f *follows) init() { f.byKey = map[string]*follow{} }

// mayBegin counts one more, false if there are too many.
func (f *follows) mayBegin() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running >= mostFollows {
		return false
	}
	f.running++
	return true
}

// add has one tell from now on.
func (f *follows) add(one *follow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if before := f.byKey[one.key]; before != nil {
		before.cancel()
	}
	f.byKey[one.key] = one
}

// endByKey stops what was called so, all of it for "", and returns how many.
func (f *follows) endByKey(key string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for k, one := range f.byKey {
		if key == "" || k == key {
			one.cancel()
			delete(f.byKey, k)
			n++
		}
	}
	return n
}

// remove takes one off that has ended.
func (f *follows) remove(one *follow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running--
	if f.byKey[one.key] == one {
		delete(f.byKey, one.key)
	}
}

// followKey is the same for two ways to write the same arguments.
func followKey(t *operation.Tool, args json.RawMessage) string {
	all := map[string]any{}
	_ = json.Unmarshal(args, &all) // none, or an object
	return t.Name + " " + string(jsonrpc.Encode(all))
}

// follow runs an operation that goes on. The first that it tells is the
// answer; what comes later is sent as notifications, until the client ends it
// or goes.
func (c *call) follow(turn *turn) {
	if err := turn.waitFor(c.request.Context()); err != nil {
		c.sendAnswer(outcome{err: err})
		return
	}
	if !c.follows.mayBegin() {
		c.sendAnswer(outcome{err: &operation.Error{Code: operation.CodeRefused, Message: fmt.Sprintf("%d operations stream already; end one of them first", mostFollows)}})
		return
	}
	one := &follow{call: c, key: followKey(c.tool, c.args)}
	one.ctx, one.cancel = context.WithCancel(c.core.Context())
	defer one.cancel()
	defer c.follows.remove(one)
	one.tellUntilEnd()
}

// tellUntilEnd tells until it is cancelled: while the request is not answered, with it.
func (f *follow) tellUntilEnd() {
	answered := false
	untilAnswered := context.AfterFunc(f.request.Context(), f.cancel)
	ctx := operation.WithEmit(f.ctx, func(r operation.Result) error {
		if answered {
			if err := f.ctx.Err(); err != nil {
				return err
			}
			f.core.Notify(methodName(f.tool.Event), r.JSON)
			return nil
		}
		answered = true
		untilAnswered()
		f.follows.add(f)
		f.sendAnswer(outcome{res: r})
		go f.endWithClient()
		return nil
	})
	res, err := f.offer.Call(ctx, f.tool, f.args)
	switch {
	case !answered:
		f.sendAnswer(outcome{res, err})
	case err != nil && f.ctx.Err() == nil:
		f.log.Warn().AnErr("err", operation.AsError(err)).Str("method", methodName(f.tool.Name)).Msg(methodName(f.tool.Name) + " has ended: " + operation.AsError(err).Message)
	}
}

// endWithClient ends it when nobody is left to tell.
func (f *follow) endWithClient() {
	select {
	case <-f.core.ClientGone():
		f.cancel()
	case <-f.ctx.Done():
	}
}

// endMethodName is the method that ends an operation that goes on: the same
// name with "un" before its last word.
func endMethodName(method string) string {
	i := strings.LastIndexByte(method, '/') + 1
	return method[:i] + "un" + method[i:]
}

// endFollow ends an operation that goes on; false if method is none that does.
func (d *dialect) endFollow(r *jsonrpc.Request, method string, params json.RawMessage) bool {
	for name, t := range d.operations {
		if t.Event == "" || endMethodName(name) != method {
			continue
		}
		d.replyInOrder(r, map[string]bool{"ended": d.follows.endByKey(followKey(t, params)) > 0})
		return true
	}
	return false
}
