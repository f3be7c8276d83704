package jsonrpc

import (
	"runtime/debug"
	"sync/atomic"
	"time"
)

// longestHold is how long a call may hold up the reading before another
// goroutine takes it over, at most twice that.
const longestHold = 25 * time.Millisecond

// watchman notices when a call, or a client that does not take its answers,
// holds up the goroutine that reads, so that another one can take the reading
// over: file systems of login nodes hang at times.
//
// What may hold up is put between beginHold and endHold, which cost an atomic
// operation each; while there is no traffic it costs nothing.
type watchman struct {
	count  atomic.Uint64 // odd while a call runs on the reading goroutine
	asleep atomic.Bool
	over   atomic.Bool
	woken  chan struct{}
}

// newWatchman returns a watchman, to be sent on his rounds with makeRounds.
func newWatchman() *watchman { return &watchman{woken: make(chan struct{}, 1)} }

// beginHold marks that a call begins, and returns what endHold needs.
func (w *watchman) beginHold() uint64 {
	n := w.count.Add(1)
	if w.asleep.Load() {
		w.wake()
	}
	return n
}

// endHold marks that it ended, and returns false when somebody else reads by now.
func (w *watchman) endHold(n uint64) bool { return w.count.CompareAndSwap(n, n+1) }

// dismiss ends makeRounds. It may be called twice.
func (w *watchman) dismiss() {
	w.over.Store(true)
	w.wake()
}

func (w *watchman) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// longIdle is how long nothing is asked before memory is given back.
const longIdle = 10 * time.Second

// sleepUntilCall waits until a call begins. A server that is left running for days
// beside an editor gives back what its last answers took.
func (w *watchman) sleepUntilCall() {
	timer := time.NewTimer(longIdle)
	defer timer.Stop()
	select {
	case <-w.woken:
		return
	case <-timer.C:
		debug.FreeOSMemory()
	}
	<-w.woken
}

// makeRounds calls replace whenever the same call is under way at two rounds in
// succession, until dismiss.
func (w *watchman) makeRounds(replace func()) {
	const drowsy = 10 // rounds without traffic
	ticker := time.NewTicker(longestHold)
	defer ticker.Stop()
	last, quiet := w.count.Load(), 0
	for !w.over.Load() {
		if quiet >= drowsy {
			ticker.Stop()
			w.asleep.Store(true)
			if w.count.Load() == last && !w.over.Load() {
				w.sleepUntilCall()
			}
			w.asleep.Store(false)
			ticker.Reset(longestHold)
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
