package rpc

import (
	"context"
	"sync"
)

// everything is the lane of a client whose calls all run one after the other.
const everything = "everything"

// queue keeps the order of calls that must not overtake each other: each lane
// is a line in which one waits for the one before. The zero value is empty.
type queue struct {
	mu   sync.Mutex
	last map[string]*turn
}

// turn is a place in a lane.
type turn struct {
	queue  *queue
	lane   string
	before <-chan struct{} // nil where nobody is before
	done   chan struct{}
	once   sync.Once
}

// enter takes a place at the end of a lane; "" is no lane, where nobody waits.
func (q *queue) enter(lane string) *turn {
	t := &turn{queue: q, lane: lane, done: make(chan struct{})}
	if lane == "" {
		return t
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.last == nil {
		q.last = map[string]*turn{}
	}
	if before := q.last[lane]; before != nil {
		t.before = before.done
	}
	q.last[lane] = t
	return t
}

// now is true if it is the turn of t already.
func (t *turn) now() bool {
	select {
	case <-t.before:
		return true
	default:
		return t.before == nil
	}
}

// wait waits until it is the turn of t, or returns the error of ctx.
func (t *turn) wait(ctx context.Context) error {
	if t.before == nil {
		return ctx.Err()
	}
	select {
	case <-t.before:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave lets the next one have its turn, once those before have had theirs.
// It may be called twice.
func (t *turn) leave() {
	t.once.Do(func() {
		if t.now() {
			t.pass()
			return
		}
		// It gave up before its turn; the one behind it still waits for those
		// before.
		go func() {
			<-t.before
			t.pass()
		}()
	})
}

func (t *turn) pass() {
	close(t.done)
	t.queue.mu.Lock()
	defer t.queue.mu.Unlock()
	if t.queue.last[t.lane] == t {
		delete(t.queue.last, t.lane)
	}
}
