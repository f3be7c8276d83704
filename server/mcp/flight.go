package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"time"

	"chiltepin/tools/operation"
)

// patience is how long a call keeps its client waiting. Many hosts give up
// after a minute, and then do not learn what became of the call; so a call
// that takes longer is answered with what is known, its operation goes on,
// and the same call again joins it.
const patience = 50 * time.Second

// flights are the operations under way that change something, by what they
// were called with.
type flights struct {
	mu    sync.Mutex
	byKey map[string]*flight
}

// flight is one operation under way, with those who wait for it.
type flight struct {
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	waiting  int
	watchers map[*call]func(operation.Progress)
	last     string
	lost     bool // everybody gave up on it

	// Set before done is closed.
	res   operation.Result
	err   error
	asked bool // it ended because a person must be asked first
}

// execute runs the operation, or joins the same one under way.
func (c *call) execute(ctx context.Context, watch func(operation.Progress)) (operation.Result, error) {
	if c.tool.Effect == operation.Reads || c.tool.Instant {
		ctx = operation.WithConsent(operation.WithShow(ctx, c.show), c.consent)
		if watch != nil {
			ctx = operation.WithProgress(ctx, watch)
		}
		return c.offer.Call(ctx, c.tool, c.args)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		f, mine := c.board(watch)
		select {
		case <-f.done:
			if !mine && (f.asked || f.abandoned()) {
				continue // that was the affair of those who started it
			}
			return f.res, f.err
		case <-ctx.Done():
			if f.giveUp(c) {
				<-f.done // so that the next call finds what this one left
			}
			return operation.Result{}, ctx.Err()
		case <-timer.C:
			f.leave(c)
			return operation.Result{}, f.unfinished(toolName(c.tool))
		}
	}
}

// board returns the flight of this call, and whether it was started for it.
func (c *call) board(watch func(operation.Progress)) (f *flight, mine bool) {
	key := c.tool.Name + " " + digest(c.withoutDurations())
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	f = c.flights.byKey[key]
	if f == nil {
		f, mine = &flight{done: make(chan struct{}), watchers: map[*call]func(operation.Progress){}}, true
		f.ctx, f.cancel = context.WithCancel(c.base)
		c.flights.byKey[key] = f
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting++
	if watch != nil {
		f.watchers[c] = watch
		if !mine && f.last != "" {
			watch(operation.Progress{Stage: "joined", Text: "already under way: " + f.last})
		}
	}
	if mine {
		c.calls.owe()
		go c.fly(f, key)
	}
	return f, mine
}

// fly runs the operation to its end, whoever still waits for it.
func (c *call) fly(f *flight, key string) {
	defer c.calls.leave()
	defer f.cancel()
	ctx := operation.WithConsent(operation.WithShow(f.ctx, c.show), c.consent)
	ctx = operation.WithProgress(ctx, f.show)
	f.res, f.err = c.offer.Call(ctx, c.tool, c.args)
	f.asked = c.open(f.err)
	c.flights.mu.Lock()
	delete(c.flights.byKey, key)
	c.flights.mu.Unlock()
	close(f.done)
}

func (f *flight) show(e operation.Progress) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = e.Text
	for _, watch := range f.watchers {
		watch(e)
	}
}

// leave takes c off the flight, which goes on.
func (f *flight) leave(c *call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.watchers, c)
	f.waiting--
}

// giveUp takes c off the flight, and ends it if nobody else waits for it.
func (f *flight) giveUp(c *call) bool {
	f.leave(c)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lost = f.waiting == 0
	if f.lost {
		f.cancel()
	}
	return f.lost
}

func (f *flight) abandoned() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost
}

// unfinished tells a client that has waited long enough what is known.
func (f *flight) unfinished(tool string) *operation.Error {
	f.mu.Lock()
	defer f.mu.Unlock()
	msg := fmt.Sprintf("%s is still under way after %s and goes on", tool, patience)
	if f.last != "" {
		msg += "; the last thing heard of it: " + f.last
	}
	return &operation.Error{Code: operation.CodeTimeout, Message: msg, Next: "call " + tool + " again with the same arguments to go on waiting for it"}
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
