package jsonrpc

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// SharedCalls are calls under way for which several requests may wait: one
// that asks for what is under way already joins it. R is what they result in.
// It belongs to one server; make one with [NewSharedCalls].
type SharedCalls[R any] struct {
	server   *Core
	patience time.Duration

	mu    sync.Mutex
	byKey map[string]*sharedCall[R]
}

// NewSharedCalls returns an empty table. A request waits at most patience; the
// call goes on then.
func NewSharedCalls[R any](s *Core, patience time.Duration) *SharedCalls[R] {
	return &SharedCalls[R]{server: s, patience: patience, byKey: map[string]*sharedCall[R]{}}
}

// SharedEnd is how a shared call ended.
type SharedEnd[R any] struct {
	Result R
	Err    error
	// Private is set when the end concerns only the request that began the
	// call; others that wait for it begin one of their own.
	Private bool
}

// StillRunning is the error of a request that has waited long enough for a
// call which goes on.
type StillRunning struct {
	// Waited is how long, Last the text of the last report, "" if there was
	// none.
	Waited time.Duration
	Last   string
}

// Error says that it goes on.
func (e *StillRunning) Error() string { return fmt.Sprintf("still under way after %s", e.Waited) }

// sharedCall is one call with those who wait for it.
type sharedCall[R any] struct {
	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}

	mu       sync.Mutex
	waiting  int
	watchers map[*Request]func(ProgressEvent)
	last     string
	lost     bool // everybody gave up on it

	end SharedEnd[R] // set before ended is closed
}

// Do does the work behind key, or joins it where it is under way. watch, if
// set, is shown what is reported. Work that nobody waits for any more is told
// to end; that of the last who gives up has ended when Do returns.
func (s *SharedCalls[R]) Do(r *Request, key string, watch func(ProgressEvent), work func(context.Context, func(ProgressEvent)) SharedEnd[R]) (R, error) {
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	ctx := r.Context()
	for {
		c, mine := s.joinOrBegin(r, key, watch, work)
		select {
		case <-c.ended:
			if !mine && (c.end.Private || c.isLost()) {
				continue
			}
			return c.end.Result, c.end.Err
		case <-ctx.Done():
			if c.giveUp(r) {
				<-c.ended // so that the next call finds what this one left
			}
			var none R
			return none, ctx.Err()
		case <-timer.C:
			var none R
			return none, c.leaveRunning(r, s.patience)
		}
	}
}

// joinOrBegin returns the call behind key, and whether it was begun for r.
func (s *SharedCalls[R]) joinOrBegin(r *Request, key string, watch func(ProgressEvent), work func(context.Context, func(ProgressEvent)) SharedEnd[R]) (c *sharedCall[R], mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c = s.byKey[key]
	if c == nil {
		c, mine = &sharedCall[R]{ended: make(chan struct{}), watchers: map[*Request]func(ProgressEvent){}}, true
		c.ctx, c.cancel = context.WithCancel(s.server.base)
		s.byKey[key] = c
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting++
	if watch != nil {
		c.watchers[r] = watch
		if !mine && c.last != "" {
			watch(ProgressEvent{Stage: "joined", Text: "already under way: " + c.last})
		}
	}
	if mine {
		s.server.pending.addWork()
		go s.runToEnd(c, key, work)
	}
	return c, mine
}

// runToEnd does the work to its end, whoever still waits for it.
func (s *SharedCalls[R]) runToEnd(c *sharedCall[R], key string, work func(context.Context, func(ProgressEvent)) SharedEnd[R]) {
	defer s.server.pending.done(0)
	defer c.cancel()
	if s.server.slots.take(c.ctx) {
		c.end = work(c.ctx, c.showWatchers)
		s.server.slots.free()
	} else {
		c.end.Err = c.ctx.Err()
	}
	s.mu.Lock()
	delete(s.byKey, key)
	s.mu.Unlock()
	close(c.ended)
}

// showWatchers shows an event to everybody who waits.
func (c *sharedCall[R]) showWatchers(e ProgressEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = e.Text
	for _, watch := range c.watchers {
		watch(e)
	}
}

// removeWaiter takes r off the call; the caller holds the lock.
func (c *sharedCall[R]) removeWaiter(r *Request) {
	delete(c.watchers, r)
	c.waiting--
}

// leaveRunning takes r off the call, which goes on.
func (c *sharedCall[R]) leaveRunning(r *Request, waited time.Duration) *StillRunning {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removeWaiter(r)
	return &StillRunning{Waited: waited, Last: c.last}
}

// giveUp takes r off the call, and ends it if nobody else waits for it.
func (c *sharedCall[R]) giveUp(r *Request) (lost bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removeWaiter(r)
	c.lost = c.waiting == 0
	if c.lost {
		c.cancel()
	}
	return c.lost
}

func (c *sharedCall[R]) isLost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}
