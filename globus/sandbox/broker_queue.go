package sandbox

import (
	"slices"
	"sort"
)

// brokerQueue holds messages until a consumer has acknowledged them. The
// broker's lock guards it.
type brokerQueue struct {
	name       string
	durable    bool
	autoDelete bool
	owner      *brokerConn // of an exclusive queue

	ready     []*queued // by position
	unacked   int
	added     uint64           // messages so far: the position of the last
	consumers []brokerConsumer // the one whose turn it is first
	exclusive bool
	deleted   bool
}

// queued is a message in one queue. A message that is returned to its queue
// stands where it stood.
type queued struct {
	message
	queue    *brokerQueue
	position uint64
}

// brokerConsumer gets the messages of a queue: a client's, or a subscriber in
// the process. Its methods are called with the broker locked.
type brokerConsumer interface {
	ready() bool // whether it would take a message now
	deliver(*queued)
	canceled() // the queue was deleted
}

// add puts a new message at the end.
func (q *brokerQueue) add(m message) {
	q.added++
	q.ready = append(q.ready, &queued{message: m, queue: q, position: q.added})
}

// pop takes the first message.
func (q *brokerQueue) pop() *queued {
	m := q.ready[0]
	q.ready[0] = nil
	q.ready = q.ready[1:]
	if len(q.ready) == 0 {
		q.ready = nil
	}
	q.unacked++
	return m
}

// requeue puts a message back that was delivered, and marks it so.
func (q *brokerQueue) requeue(m *queued) {
	q.unacked--
	if q.deleted {
		return
	}
	again := *m
	again.Redelivered = true
	i := sort.Search(len(q.ready), func(i int) bool { return q.ready[i].position > m.position })
	q.ready = slices.Insert(q.ready, i, &again)
}

// done forgets a message that was delivered.
func (q *brokerQueue) done() { q.unacked-- }

// pump delivers what can be delivered, the consumers taking turns.
func (q *brokerQueue) pump() {
	for len(q.ready) > 0 {
		c := q.next()
		if c == nil {
			return
		}
		c.deliver(q.pop())
	}
}

// next returns the first consumer that is ready, and puts it last.
func (q *brokerQueue) next() brokerConsumer {
	i := slices.IndexFunc(q.consumers, brokerConsumer.ready)
	if i < 0 {
		return nil
	}
	c := q.consumers[i]
	copy(q.consumers[i:], q.consumers[i+1:])
	q.consumers[len(q.consumers)-1] = c
	return c
}

// removeConsumer takes a consumer off its queue, and with its last one a
// queue that deletes itself.
func (b *broker) removeConsumer(q *brokerQueue, c brokerConsumer) {
	i := slices.Index(q.consumers, c)
	if i < 0 {
		return
	}
	q.consumers = slices.Delete(q.consumers, i, i+1)
	q.exclusive = false // an exclusive consumer was the only one
	if q.autoDelete && len(q.consumers) == 0 && !q.deleted {
		b.removeQueue(q)
	}
}

// removeQueue deletes a queue with its messages and bindings, and tells its
// consumers.
func (b *broker) removeQueue(q *brokerQueue) {
	q.deleted = true
	delete(b.byName, q.name)
	q.ready = nil
	for _, x := range b.exchanges {
		b.unbind(x, func(bd brokerBinding) bool { return bd.queue == q })
	}
	for _, c := range slices.Clone(q.consumers) {
		c.canceled()
	}
	q.consumers = nil
}

// pumpAll delivers what can be delivered anywhere, after a fault was lifted.
func (b *broker) pumpAll() {
	for _, q := range b.byName {
		q.pump()
	}
}
