package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"chiltepin/globus/sandbox/amqp"
)

// errUnroutable is publish's: the message reached no queue.
var errUnroutable = errors.New("no queue is bound for it")

// broker is an AMQP 0-9-1 broker in the process: what pika, the Globus
// Compute SDK and amqp091-go need of one, answering as RabbitMQ does. It has
// the one virtual host "/", and forgets everything when it closes.
//
// One lock guards all that connections share. Nothing waits while it is held:
// what goes to a client is put on the connection's outbox, and a consumer
// whose outbox is full gets nothing more until it was emptied.
type broker struct {
	cfg    brokerConfig
	faults brokerFaults

	mu            sync.Mutex
	closed        bool
	wg            sync.WaitGroup // everything that runs
	listeners     map[net.Listener]bool
	conns         map[*brokerConn]bool
	opened        int // connections so far
	users         map[string]brokerUser
	exchanges     map[string]*brokerExchange
	queueByName   map[string]*brokerQueue
	subscriptions map[*subscription]bool
}

// newBroker returns a broker that nobody can reach until Serve.
func newBroker(cfg brokerConfig) *broker {
	if cfg.now == nil {
		cfg.now = time.Now
	}
	if cfg.frameMax == 0 {
		cfg.frameMax = 131072
	}
	b := &broker{
		cfg:           cfg,
		listeners:     map[net.Listener]bool{},
		conns:         map[*brokerConn]bool{},
		users:         map[string]brokerUser{},
		exchanges:     map[string]*brokerExchange{},
		queueByName:   map[string]*brokerQueue{},
		subscriptions: map[*subscription]bool{},
	}
	for name, kind := range map[string]string{"": "direct", "amq.direct": "direct", "amq.fanout": "fanout", "amq.topic": "topic"} {
		b.exchanges[name] = &brokerExchange{name: name, kind: kind, durable: true}
	}
	return b
}

// Serve accepts AMQP 0-9-1 connections until l or the broker is closed. It may
// be called for several listeners; it returns nil after Close.
func (b *broker) Serve(l net.Listener) error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		l.Close()
		return nil
	}
	b.listeners[l] = true
	b.wg.Add(1)
	b.mu.Unlock()
	defer b.wg.Done()
	for {
		nc, err := l.Accept()
		if err != nil {
			l.Close()
			b.mu.Lock()
			delete(b.listeners, l)
			closed := b.closed
			b.mu.Unlock()
			if closed || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accepting AMQP connections: %w", err)
		}
		b.acceptConnection(nc)
	}
}

// acceptConnection starts serving one connection.
func (b *broker) acceptConnection(nc net.Conn) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		nc.Close()
		return
	}
	b.opened++
	c := newBrokerConn(b, nc, b.opened)
	b.conns[c] = true
	b.wg.Add(1)
	b.mu.Unlock()
	go func() {
		defer b.wg.Done()
		c.serveClient()
	}()
}

// Close ends every listener and connection and waits until all of the broker's
// goroutines have ended; subscribers get nothing after that. No subscriber may
// call it, since it would wait for itself.
func (b *broker) Close() error {
	b.mu.Lock()
	b.closed = true
	for l := range b.listeners {
		l.Close()
	}
	for c := range b.conns {
		c.closeFromBroker(amqp.Errorf(amqp.CodeConnectionForced, "broker forced connection closure with reason 'shutdown'"))
		c.socket.SetDeadline(time.Now().Add(brokerFarewellTime / 5))
	}
	for s := range b.subscriptions {
		s.endSubscription()
	}
	b.mu.Unlock()
	b.wg.Wait()
	return nil
}

// declareExchange makes sure that there is an exchange of that name and kind
// (direct, topic or fanout). One of another kind is an error.
func (b *broker) declareExchange(name, kind string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.exchanges[name]; x != nil {
		if x.kind != kind {
			return fmt.Errorf("declaring exchange %q: it is there as %s, not %s", name, x.kind, kind)
		}
		return nil
	}
	if !slices.Contains([]string{"direct", "topic", "fanout"}, kind) {
		return fmt.Errorf("declaring exchange %q: no kind %q", name, kind)
	}
	b.exchanges[name] = &brokerExchange{name: name, kind: kind, durable: true}
	return nil
}

// declareQueue makes sure that there is a queue of that name. It lives until
// it is deleted, and keeps what was not acknowledged.
func (b *broker) declareQueue(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if name == "" {
		return errors.New("declaring queue: it has no name")
	}
	if q := b.queueByName[name]; q != nil && q.owner != nil {
		return fmt.Errorf("declaring queue %q: a connection has it for itself", name)
	} else if q == nil {
		b.queueByName[name] = &brokerQueue{name: name, durable: true}
	}
	return nil
}

// bind makes the exchange send on to the queue what has the routing key.
func (b *broker) bind(queue, exchange, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	q, x := b.queueByName[queue], b.exchanges[exchange]
	switch {
	case exchange == "":
		return fmt.Errorf("binding queue %q: the default exchange cannot be bound", queue)
	case q == nil:
		return fmt.Errorf("binding queue %q: there is none", queue)
	case x == nil:
		return fmt.Errorf("binding queue %q: there is no exchange %q", queue, exchange)
	}
	x.addBinding(q, key)
	return nil
}

// deleteQueue deletes a queue and cancels its consumers; deleting a queue that
// does not exist is no error.
func (b *broker) deleteQueue(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queueByName[name]; q != nil {
		b.removeQueue(q)
	}
	return nil
}

// publish routes one message. The default exchange "" routes by the name of the
// queue. A message that reaches no queue is an error.
func (b *broker) publish(exchange, key string, p amqp.Properties, body []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.exchanges[exchange]
	if x == nil {
		return fmt.Errorf("publishing to exchange %q: there is none", exchange)
	}
	if _, err := amqp.AppendHeader(nil, amqp.Header{Properties: p}); err != nil {
		return fmt.Errorf("publishing to exchange %q: %w", exchange, err)
	}
	if b.routeMessage(x, message{Exchange: exchange, RoutingKey: key, Properties: p, Body: body}) == 0 {
		return fmt.Errorf("publishing to exchange %q with key %q: %w", exchange, key, errUnroutable)
	}
	return nil
}

// queues describes every queue, sorted by name.
func (b *broker) queues() []queueState {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []queueState
	for _, q := range slices.SortedFunc(maps.Values(b.queueByName), func(p, q *brokerQueue) int { return strings.Compare(p.name, q.name) }) {
		all = append(all, queueState{Name: q.name, Ready: len(q.ready), Unacked: q.unacked, Consumers: len(q.consumers)})
	}
	return all
}
