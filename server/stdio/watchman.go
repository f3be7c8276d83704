package stdio

import (
	"sync/atomic"
	"time"
)

// held is how long a call may hold up the reading.
const held = 25 * time.Millisecond

// Watchman notices when a call holds up the goroutine that reads, so that
// another one can take the reading over. What is instant runs there, between
// two messages, because a hop to another goroutine and back costs more than
// such a call does; but file systems of login nodes hang at times.
//
// A call is put between [Watchman.Begin] and [Watchman.End], which cost an
// atomic operation each; while there is no traffic it costs nothing. [NewWatchman]
// makes one.
type Watchman struct {
	count  atomic.Uint64 // odd while a call runs on the reading goroutine
	asleep atomic.Bool
	over   atomic.Bool
	woken  chan struct{}
}

// NewWatchman returns a watchman, to be sent on his round with Run.
func NewWatchman() *Watchman { return &Watchman{woken: make(chan struct{}, 1)} }

// Begin marks that a call begins, and returns what End needs.
func (w *Watchman) Begin() uint64 {
	n := w.count.Add(1)
	if w.asleep.Load() {
		w.wake()
	}
	return n
}

// End marks that it ended, and returns false when somebody else reads by now.
func (w *Watchman) End(n uint64) bool { return w.count.CompareAndSwap(n, n+1) }

// Dismiss ends Run. It may be called twice.
func (w *Watchman) Dismiss() {
	w.over.Store(true)
	w.wake()
}

func (w *Watchman) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// Run calls replace whenever the same call is under way at two rounds in
// succession, until Dismiss.
func (w *Watchman) Run(replace func()) {
	const drowsy = 10 // rounds without traffic
	ticker := time.NewTicker(held)
	defer ticker.Stop()
	last, quiet := w.count.Load(), 0
	for !w.over.Load() {
		if quiet >= drowsy {
			ticker.Stop()
			w.asleep.Store(true)
			if w.count.Load() == last && !w.over.Load() {
				<-w.woken
			}
			w.asleep.Store(false)
			ticker.Reset(held)
			quiet = 0
		}
		<-ticker.C
		now := w.count.Load()
		switch {
		case now != last:
			quiet = 0
		case now%2 == 0:
			quiet++
		case w.count.CompareAndSwap(now, now+1):
			now++
			replace()
		}
		last = now
	}
}
