package rpc

import (
	"encoding/json"
	"strings"
	"sync"

	"chiltepin/tools/operation"

	"github.com/sourcegraph/jsonrpc2"
)

// follows are the operations that go on telling, by what they were called
// with: the same call again takes the place of the one before it.
type follows struct {
	mu    sync.Mutex
	byKey map[string]*call
}

func (f *follows) init() { f.byKey = map[string]*call{} }

// begin has c tell from now on.
func (f *follows) begin(c *call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := followKey(c.tool, c.args)
	if before := f.byKey[key]; before != nil {
		before.cancel()
	}
	f.byKey[key] = c
}

// end stops what was called so, all of it for "", and returns how many.
func (f *follows) end(key string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for k, c := range f.byKey {
		if key == "" || k == key {
			c.cancel()
			delete(f.byKey, k)
			n++
		}
	}
	return n
}

func (f *follows) over(c *call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if key := followKey(c.tool, c.args); f.byKey[key] == c {
		delete(f.byKey, key)
	}
}

// followKey is the same for two ways to write the same arguments.
func followKey(t *operation.Tool, args json.RawMessage) string {
	all := map[string]any{}
	_ = json.Unmarshal(args, &all) // none, or an object
	return t.Name + " " + string(encode(all))
}

// follow runs an operation that goes on. The first that it tells is the
// answer; what comes later is sent as notifications, until the client ends it
// or goes.
func (c *call) follow(turn *turn) {
	defer c.cancel()
	if err := turn.wait(c.ctx); err != nil {
		c.finish(outcome{err: err}, c.stream.Reply)
		return
	}
	answered := false
	ctx := operation.WithEmit(c.ctx, func(r operation.Result) error {
		if answered {
			if err := c.ctx.Err(); err != nil {
				return err
			}
			c.notify(methodName(c.tool.Event), r.JSON)
			return nil
		}
		answered = true
		c.follows.begin(c)
		c.finish(outcome{res: r}, c.stream.Reply)
		go func() {
			select {
			case <-c.stream.Ended(): // nobody is left to tell
				c.cancel()
			case <-c.ctx.Done():
			}
		}()
		return nil
	})
	res, err := c.offer.Call(ctx, c.tool, c.args)
	c.follows.over(c)
	switch {
	case !answered:
		c.finish(outcome{res, err}, c.stream.Reply)
	case err != nil && c.ctx.Err() == nil:
		c.log.Warn().AnErr("err", operation.AsError(err)).Str("method", methodName(c.tool.Name)).Msg(methodName(c.tool.Name) + " has ended: " + operation.AsError(err).Message)
	}
}

// endName is the method that ends an operation that goes on: the same name
// with "un" before its last word.
func endName(method string) string {
	i := strings.LastIndexByte(method, '/') + 1
	return method[:i] + "un" + method[i:]
}

// unfollow ends an operation that goes on; false if method is none that does.
func (s *instance) unfollow(id jsonrpc2.ID, method string, params json.RawMessage) bool {
	for name, t := range s.methods {
		if t.Event == "" || endName(name) != method {
			continue
		}
		s.answer(id, map[string]bool{"ended": s.follows.end(followKey(t, params)) > 0})
		return true
	}
	return false
}
