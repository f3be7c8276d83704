package mcp

import (
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// tooLong is how long an operation that calls itself instant may hold up the
// reading before another goroutine takes it over. File systems of login nodes
// hang at times.
const tooLong = 25 * time.Millisecond

// startReading reads and dispatches messages until the input ends; how it
// ended is sent to ended, nil for the end of input.
//
// What is instant runs on the reading goroutine, between two messages: a hop
// to another goroutine and back costs more than such a call does. A watchman
// looks after it: when one call holds up the reading, a new goroutine reads
// on, and the old one ends with its call. Until a call begins, messages are
// taken strictly in their order.
func (s *instance) startReading(ended chan<- error) {
	w := &s.guard
	w.woken = make(chan struct{}, 1)
	read := func() {
		for {
			msg, err := s.stream.Read()
			if err != nil {
				w.dismiss()
				if errors.Is(err, io.EOF) {
					err = nil
				}
				ended <- err
				return
			}
			if !s.receive(msg) {
				return
			}
		}
	}
	go w.run(func() { go read() })
	go read()
}

// watchman notices when a call holds up the reading. It costs two atomic
// operations a call, and nothing while there is no traffic.
type watchman struct {
	count  atomic.Uint64 // odd while a call runs on the reading goroutine
	asleep atomic.Bool
	over   atomic.Bool
	woken  chan struct{}
}

// begin marks that a call begins, and returns what end needs.
func (w *watchman) begin() uint64 {
	n := w.count.Add(1)
	if w.asleep.Load() {
		w.wake()
	}
	return n
}

// end marks that it ended, and returns false when somebody else reads
// by now.
func (w *watchman) end(n uint64) bool { return w.count.CompareAndSwap(n, n+1) }

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

// run calls replace whenever the same call is under way at two rounds in
// succession.
func (w *watchman) run(replace func()) {
	const drowsy = 10 // rounds without traffic
	ticker := time.NewTicker(tooLong)
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
			ticker.Reset(tooLong)
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
