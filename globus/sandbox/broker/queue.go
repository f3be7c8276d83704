package broker

import (
	"slices"
	"sort"

	"chiltepin/globus/sandbox/amqp"
)

// Message is one message as a consumer gets it.
type Message struct {
	Exchange    string
	RoutingKey  string
	Redelivered bool
	Properties  amqp.Properties
	Body        []byte
}

// queue holds messages until a consumer has acknowledged them. The
// broker's lock guards it.
type queue struct {
	name       string
	durable    bool
	autoDelete bool
	owner      *connection // of an exclusive queue

	ready     []*queuedMessage // by position
	unacked   int
	added     uint64     // messages so far: the position of the last
	consumers []consumer // the one whose turn it is first
	exclusive bool
	deleted   bool
}

// queuedMessage is a message in one queue. A message that is returned to its queue
// stands where it stood.
type queuedMessage struct {
	Message
	queue    *queue
	position uint64
}

// consumer gets the messages of a queue: a client's, or a subscriber in
// the process. Its methods are called with the broker locked.
type consumer interface {
	canTake() bool // whether it would take a message now
	deliverMessage(*queuedMessage)
	queueDeleted() // the queue was deleted
}

// addMessage puts a new message at the end.
func (q *queue) addMessage(m Message) {
	q.added++
	q.ready = append(q.ready, &queuedMessage{Message: m, queue: q, position: q.added})
}

// popMessage takes the first message.
func (q *queue) popMessage() *queuedMessage {
	m := q.ready[0]
	q.ready[0] = nil
	q.ready = q.ready[1:]
	if len(q.ready) == 0 {
		q.ready = nil
	}
	q.unacked++
	return m
}

// requeueMessage puts a message back that was delivered, and marks it so.
func (q *queue) requeueMessage(m *queuedMessage) {
	q.unacked--
	if q.deleted {
		return
	}
	again := *m
	again.Redelivered = true
	i := sort.Search(len(q.ready), func(i int) bool { return q.ready[i].position > m.position })
	q.ready = slices.Insert(q.ready, i, &again)
}

// settleMessage forgets a message that was delivered.
func (q *queue) settleMessage() { q.unacked-- }

// deliverReady delivers what can be delivered, the consumers taking turns.
func (q *queue) deliverReady() {
	for len(q.ready) > 0 {
		c := q.nextConsumer()
		if c == nil {
			return
		}
		c.deliverMessage(q.popMessage())
	}
}

// nextConsumer returns the first consumer that is ready, and puts it last.
func (q *queue) nextConsumer() consumer {
	i := slices.IndexFunc(q.consumers, consumer.canTake)
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
func (b *Server) removeConsumer(q *queue, c consumer) {
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
func (b *Server) removeQueue(q *queue) {
	q.deleted = true
	delete(b.queueByName, q.name)
	q.ready = nil
	for _, x := range b.exchanges {
		b.removeBindings(x, func(bd binding) bool { return bd.queue == q })
	}
	for _, c := range slices.Clone(q.consumers) {
		c.queueDeleted()
	}
	q.consumers = nil
}

// deliverAllReady delivers what can be delivered anywhere, after a fault was lifted.
func (b *Server) deliverAllReady() {
	for _, q := range b.queueByName {
		q.deliverReady()
	}
}
