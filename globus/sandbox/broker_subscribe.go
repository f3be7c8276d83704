package sandbox

import "fmt"

// subscription is a consumer in the process. The broker's lock guards it.
type subscription struct {
	b      *broker
	queue  *brokerQueue
	busy   bool // a message is being handled
	gone   bool // nothing more is delivered
	inbox  chan *queued
	handle func(message)
}

// subscribe calls deliver for each message of the queue, one after the other;
// a message is acknowledged when deliver returns. deliver may call the broker.
// cancel does not wait for a call of deliver that is under way.
func (b *broker) subscribe(queue string, deliver func(message)) (cancel func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.byName[queue]
	switch {
	case b.closed:
		return nil, fmt.Errorf("subscribing to queue %q: the broker is closed", queue)
	case q == nil:
		return nil, fmt.Errorf("subscribing to queue %q: there is none", queue)
	case q.exclusive || q.owner != nil:
		return nil, fmt.Errorf("subscribing to queue %q: somebody has it for itself", queue)
	}
	s := &subscription{b: b, queue: q, inbox: make(chan *queued, 1), handle: deliver}
	b.subs[s] = true
	q.consumers = append(q.consumers, s)
	b.wg.Add(1)
	go s.run()
	q.pump()
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		s.stop()
	}, nil
}

// run handles one message after the other until the subscription ends.
func (s *subscription) run() {
	defer s.b.wg.Done()
	for m := range s.inbox {
		s.handle(m.message)
		s.b.mu.Lock()
		s.busy = false
		s.queue.done()
		s.queue.pump()
		s.b.mu.Unlock()
	}
}

func (s *subscription) ready() bool { return !s.busy && !s.gone }

func (s *subscription) deliver(m *queued) {
	s.busy = true
	s.inbox <- m // has room: it is never busy twice
}

func (s *subscription) canceled() { s.stop() }

// stop ends the subscription; a message that is being handled is finished.
func (s *subscription) stop() {
	if s.gone {
		return
	}
	s.gone = true
	delete(s.b.subs, s)
	s.b.removeConsumer(s.queue, s)
	select {
	case m := <-s.inbox: // delivered, and not begun
		s.queue.requeue(m)
		s.queue.pump()
	default:
	}
	close(s.inbox)
}
