package broker

import "fmt"

// subscription is a consumer in the process. The broker's lock guards it.
type subscription struct {
	broker *Server
	queue  *queue
	busy   bool // a message is being handled
	gone   bool // nothing more is delivered
	inbox  chan *queuedMessage
	handle func(Message)
}

// Subscribe calls deliver for each message of the queue, one after the other;
// a message is acknowledged when deliver returns. deliver may call the broker.
// cancel does not wait for a call of deliver that is under way.
func (b *Server) Subscribe(queue string, deliver func(Message)) (cancel func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queueByName[queue]
	switch {
	case b.closed:
		return nil, fmt.Errorf("subscribing to queue %q: the broker is closed", queue)
	case q == nil:
		return nil, fmt.Errorf("subscribing to queue %q: no such queue", queue)
	case q.exclusive || q.owner != nil:
		return nil, fmt.Errorf("subscribing to queue %q: it is exclusive to another consumer or connection", queue)
	}
	s := &subscription{broker: b, queue: q, inbox: make(chan *queuedMessage, 1), handle: deliver}
	b.subscriptions[s] = true
	q.consumers = append(q.consumers, s)
	b.wg.Add(1)
	go s.handleMessages()
	q.deliverReady()
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		s.endSubscription()
	}, nil
}

// handleMessages handles one message after the other until the subscription ends.
func (s *subscription) handleMessages() {
	defer s.broker.wg.Done()
	for m := range s.inbox {
		s.handle(m.Message)
		s.broker.mu.Lock()
		s.busy = false
		s.queue.settleMessage()
		s.queue.deliverReady()
		s.broker.mu.Unlock()
	}
}

func (s *subscription) canTake() bool { return !s.busy && !s.gone }

func (s *subscription) deliverMessage(m *queuedMessage) {
	s.busy = true
	s.inbox <- m // has room: it is never busy twice
}

func (s *subscription) queueDeleted() { s.endSubscription() }

// endSubscription ends the subscription; a message that is being handled is finished.
func (s *subscription) endSubscription() {
	if s.gone {
		return
	}
	s.gone = true
	delete(s.broker.subscriptions, s)
	s.broker.removeConsumer(s.queue, s)
	select {
	case m := <-s.inbox: // delivered, and not begun
		s.queue.requeueMessage(m)
		s.queue.deliverReady()
	default:
	}
	close(s.inbox)
}
