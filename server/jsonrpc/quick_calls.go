package jsonrpc

import (
	"sync"
	"time"
)

const (
	// quickEnough is what a call may take to be done on the reading goroutine
	// the next time: a few times what a hop to another goroutine costs.
	quickEnough = time.Millisecond
	// tooSlow is what it may take there before it loses that again.
	tooSlow = 10 * time.Millisecond
	// mostTrials bounds how many quick calls it takes to win that back.
	mostTrials = 1024
)

// quickCalls learns which calls are quick, by name. Nobody tells it: what was
// quick is taken to be quick again, and what then was not has to be quick
// twice as often as before until it is.
type quickCalls struct {
	mu     sync.Mutex
	byName map[string]*callHistory
}

type callHistory struct {
	missing int  // quick calls until it counts as quick
	trials  int  // how many it takes after a slow one
	reading bool // one is under way on a goroutine that reads, or did
}

func (q *quickCalls) init() { q.byName = map[string]*callHistory{} }

// beginOnReader is true if calls of that name are quick, and this one is begun on the
// goroutine that reads. While one is that has held up the reading, so that
// another goroutine reads, no other is begun there.
func (q *quickCalls) beginOnReader(name string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.byName[name]
	if h == nil || h.missing > 0 || h.reading {
		return false
	}
	h.reading = true
	return true
}

// endOnReader ends what beginOnReader began.
func (q *quickCalls) endOnReader(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.byName[name].reading = false
}

// noteDuration takes how long a call of that name took.
func (q *quickCalls) noteDuration(name string, took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.byName[name]
	if h == nil {
		h = &callHistory{missing: 1, trials: 1}
		q.byName[name] = h
	}
	switch {
	case took <= quickEnough && h.missing > 0:
		h.missing--
	case took > tooSlow, took > quickEnough && h.missing > 0:
		if h.missing == 0 {
			h.trials = min(2*h.trials, mostTrials)
		}
		h.missing = h.trials
	}
}
