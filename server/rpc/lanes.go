package rpc

import (
	"context"
	"sync"
)

// everything is the lane of a client whose calls all run one after the other.
const everything = "everything"

// lanes keep the order of calls that must not overtake each other: each is a
// line in which one waits for the one before. The zero value has none.
type lanes struct {
	mu   sync.Mutex
	last map[string]*turn
}

// turn is a place in a lane.
type turn struct {
	lanes  *lanes
	lane   string
	before <-chan struct{} // nil where nobody is before
	done   chan struct{}
	once   sync.Once
}

// enter takes a place at the end of a lane; "" is no lane, where nobody waits.
func (l *lanes) enter(lane string) *turn {
	t := &turn{lanes: l, lane: lane, done: make(chan struct{})}
	if lane == "" {
		return t
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil {
		l.last = map[string]*turn{}
	}
	if before := l.last[lane]; before != nil {
		t.before = before.done
	}
	l.last[lane] = t
	return t
}

// hasCome is true if it is the turn of t already.
func (t *turn) hasCome() bool {
	select {
	case <-t.before:
		return true
	default:
		return t.before == nil
	}
}

// waitFor waits until it is the turn of t, or returns the error of ctx.
func (t *turn) waitFor(ctx context.Context) error {
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
		if t.hasCome() {
			t.passOn()
			return
		}
		// It gave up before its turn; the one behind it still waits for those
		// before.
		go func() {
			<-t.before
			t.passOn()
		}()
	})
}

func (t *turn) passOn() {
	close(t.done)
	t.lanes.mu.Lock()
	defer t.lanes.mu.Unlock()
	if t.lanes.last[t.lane] == t {
		delete(t.lanes.last, t.lane)
	}
}
