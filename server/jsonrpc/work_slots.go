package jsonrpc

import "context"

// mostWork is how many calls are worked on at once; the others wait.
const mostWork = 64

// workSlots are the places of those that are.
type workSlots chan struct{}

func newWorkSlots() workSlots { return make(workSlots, mostWork) }

// take waits for a place; false if ctx ended first.
func (w workSlots) take(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case w <- struct{}{}:
		if ctx.Err() == nil {
			return true
		}
		w.free()
		return false
	case <-ctx.Done():
		return false
	}
}

// free gives a place back.
func (w workSlots) free() { <-w }
