package mcp

import (
	"encoding/json"
	"sync"
)

// calls is the table of requests under way, by id as it was written: "1" and
// 1 are two requests.
type calls struct {
	mu    sync.Mutex
	byID  map[string]*request
	owed  int           // answers not yet written and flights not landed; an id is free a little earlier
	empty chan struct{} // closed when nothing is owed; nil while nobody waits
}

func (c *calls) init() {
	c.byID = map[string]*request{}
}

// enter returns false if the id is taken.
func (c *calls) enter(r *request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID[string(r.id)] != nil {
		return false
	}
	c.owed++
	c.byID[string(r.id)] = r
	return true
}

// owe counts something that is to finish before the server ends, though no
// request waits for it.
func (c *calls) owe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed++
}

// free makes the id of r one that the client may use again.
func (c *calls) free(r *request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID[string(r.id)] == r {
		delete(c.byID, string(r.id))
	}
}

// leave marks that nothing is owed for r any more.
func (c *calls) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owed--; c.owed == 0 && c.empty != nil {
		close(c.empty)
		c.empty = nil
	}
}

// cancel ends the request with that id; nothing more is sent for it. It stays
// in the table until its operation has really ended. The handshake cannot be
// cancelled.
func (c *calls) cancel(id json.RawMessage) {
	c.mu.Lock()
	r := c.byID[string(id)]
	c.mu.Unlock()
	if r == nil || r.method == "initialize" {
		return
	}
	r.drop()
	r.cancel()
}

// idle returns a channel that is closed once nothing is owed.
func (c *calls) idle() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owed == 0 {
		done := make(chan struct{})
		close(done)
		return done
	}
	if c.empty == nil {
		c.empty = make(chan struct{})
	}
	return c.empty
}
