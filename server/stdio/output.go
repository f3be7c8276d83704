package stdio

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// DefaultHeld is how many bytes a client that does not read may leave with us
// when [Options] says nothing else.
const DefaultHeld = 16 << 20

// errAbandoned is the error of an output that was given up.
var errAbandoned = errors.New("the output was given up")

// output is what was written and not yet taken by the client. Whoever writes
// while nobody else does carries out everything that was added meanwhile, so
// that no goroutine has to be woken for a message and none is interleaved.
type output struct {
	w    io.Writer
	most int // bytes held before writers wait

	mu      sync.Mutex
	room    sync.Cond // there is room, or the output is broken
	pending []byte    // not yet handed to w
	spare   []byte    // the last buffer that w has taken
	busy    int       // bytes that w is taking
	since   time.Time // when w was handed them
	err     error
	sent    chan struct{} // closed when nothing is held; nil while nobody waits

	eased  chan struct{} // told when there is room again
	broken chan struct{} // closed with the first error
}

func (o *output) init(w io.Writer, most int) {
	o.w, o.most = w, most
	o.room.L = &o.mu
	o.eased, o.broken = make(chan struct{}, 1), make(chan struct{})
}

// addMessage puts one framed message behind those that are held. It waits while too
// much is.
func (o *output) addMessage(headers bool, msg []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && o.heldBytes() > o.most {
		o.room.Wait()
	}
	if o.err != nil {
		return o.err
	}
	if headers {
		o.pending = fmt.Appendf(o.pending, "Content-Length: %d\r\n\r\n", len(msg))
	}
	o.pending = append(o.pending, msg...)
	if !headers {
		o.pending = append(o.pending, '\n')
	}
	return nil
}

// writeHeld hands on what is held, unless somebody is at it, who takes it along.
func (o *output) writeHeld() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && o.busy == 0 && len(o.pending) > 0 {
		chunk := o.pending
		o.pending, o.spare = o.spare[:0], nil
		o.busy, o.since = len(chunk), time.Now()
		o.mu.Unlock()
		_, err := o.w.Write(chunk)
		o.mu.Lock()
		o.busy = 0
		if cap(chunk) <= 256<<10 {
			o.spare = chunk[:0]
		}
		if err != nil {
			o.keepError(fmt.Errorf("writing a message: %w", err))
		}
		o.wakeWaiters()
	}
	return o.err
}

// heldBytes is how much the client has not taken; the caller holds the lock.
func (o *output) heldBytes() int { return len(o.pending) + o.busy }

// wakeWaiters tells those who wait that something was taken; the caller holds
// the lock.
func (o *output) wakeWaiters() {
	if o.heldBytes() <= o.most || o.err != nil {
		o.room.Broadcast()
		select {
		case o.eased <- struct{}{}:
		default:
		}
	}
	if o.sent != nil && (o.heldBytes() == 0 || o.err != nil) {
		close(o.sent)
		o.sent = nil
	}
}

// keepError keeps the first error; the caller holds the lock.
func (o *output) keepError(err error) {
	if o.err == nil {
		o.err = err
		close(o.broken)
	}
}

// Full is true while the client has left more with us than it may. Who reads
// for it should stop then: whatever it asks for would be added.
func (s *Stream) Full() bool {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.err == nil && s.out.heldBytes() > s.out.most
}

// Eased returns a channel that receives when the stream is no longer
// [Stream.Full]; one goroutine may wait on it.
func (s *Stream) Eased() <-chan struct{} { return s.out.eased }

// Broken returns a channel that is closed when the output has failed, or was
// given up.
func (s *Stream) Broken() <-chan struct{} { return s.out.broken }

// Sent returns a channel that is closed once the client has taken all that
// was written, or the output is broken.
func (s *Stream) Sent() <-chan struct{} {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if s.out.sent != nil {
		return s.out.sent
	}
	sent := make(chan struct{})
	if s.out.heldBytes() == 0 || s.out.err != nil {
		close(sent)
	} else {
		s.out.sent = sent
	}
	return sent
}

// StuckFor is how long the client has been taking what was handed to it last;
// zero if it has taken everything.
func (s *Stream) StuckFor() time.Duration {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if s.out.busy == 0 {
		return 0
	}
	return time.Since(s.out.since)
}

// Abandon gives the output up: nothing more is written, and nobody waits any
// longer for room.
func (s *Stream) Abandon() {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.out.keepError(errAbandoned)
	s.out.wakeWaiters()
}
