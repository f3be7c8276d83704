package jsonrpc

import (
	"context"
	"time"
)

const (
	// grace is what calls under way have to finish, and the client to take
	// their answers, once the server is told to end.
	grace = time.Second
	// stuck is how long a client takes a message before it counts as one that
	// does not read.
	stuck = 250 * time.Millisecond
)

// untilOver waits for what ends the server, and returns what is wrong with
// that; fromWithin is true for [Core.End].
func (s *Core) untilOver(ctx context.Context) (failure error, fromWithin bool) {
	var patience <-chan time.Time
	var idle, sent <-chan struct{}
	for {
		select {
		case failure := <-s.inputEnd:
			s.clientGone() // nobody will answer a question any more
			if failure != nil {
				return failure, false
			}
			if s.opts.Drain != nil {
				if most := s.opts.Drain(); most > 0 {
					timer := time.NewTimer(most)
					defer timer.Stop()
					patience = timer.C
				}
			}
			idle = s.pending.whenNone()
		case <-idle:
			idle, sent = nil, s.stream.Sent()
		case <-sent:
			return s.stream.Flush(), false
		case <-patience:
			return nil, false
		case <-s.stream.Broken():
			return s.stream.Flush(), false
		case failure := <-s.over:
			return failure, true
		case <-ctx.Done():
			s.closing.Store(true)
			s.clientGone()
			if s.stream.StuckFor() < stuck {
				waitFor(s.pending.whenNone(), grace)
			}
			return nil, false
		}
	}
}

// finishWork gives what is under way, and was told to end, the time to do so, and
// the client the time to take what it is sent. One that does not read has none.
func (s *Core) finishWork() {
	if s.stream.StuckFor() >= stuck {
		s.stream.Abandon()
	}
	waitFor(s.pending.whenNone(), grace)
	go func() { _ = s.stream.Flush() }() // it may never return; Sent tells
	waitFor(s.stream.Sent(), grace)
	s.stream.Abandon()
}

// waitFor waits for done, at most so long.
func waitFor(done <-chan struct{}, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
