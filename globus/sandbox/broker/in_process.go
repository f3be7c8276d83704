package broker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chiltepin/globus/sandbox/amqp"
)

// ErrUnroutable is the error of Publish for a message that reached no queue.
var ErrUnroutable = errors.New("no queue is bound with that key")

// DeclareExchange makes sure that there is an exchange of that name and kind
// (direct, topic or fanout). One of another kind is an error.
func (b *Server) DeclareExchange(name, kind string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.exchanges[name]; x != nil {
		if x.kind != kind {
			return fmt.Errorf("declaring exchange %q: it exists with kind %s, not %s", name, x.kind, kind)
		}
		return nil
	}
	if !slices.Contains([]string{"direct", "topic", "fanout"}, kind) {
		return fmt.Errorf("declaring exchange %q: unknown kind %q", name, kind)
	}
	b.exchanges[name] = &exchange{name: name, kind: kind, durable: true}
	return nil
}

// DeclareQueue makes sure that there is a queue of that name. It lives until
// it is deleted, and keeps what was not acknowledged.
func (b *Server) DeclareQueue(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if name == "" {
		return errors.New("declaring queue: it has no name")
	}
	if q := b.queueByName[name]; q != nil && q.owner != nil {
		return fmt.Errorf("declaring queue %q: it is exclusive to a connection", name)
	} else if q == nil {
		b.queueByName[name] = &queue{name: name, durable: true}
	}
	return nil
}

// Bind makes the exchange send on to the queue what has the routing key.
func (b *Server) Bind(queue, exchange, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	q, x := b.queueByName[queue], b.exchanges[exchange]
	switch {
	case exchange == "":
		return fmt.Errorf("binding queue %q: the default exchange cannot be bound", queue)
	case q == nil:
		return fmt.Errorf("binding queue %q: no such queue", queue)
	case x == nil:
		return fmt.Errorf("binding queue %q: no such exchange %q", queue, exchange)
	}
	x.addBinding(q, key)
	return nil
}

// DeleteQueue deletes a queue and cancels its consumers; deleting a queue that
// does not exist is no error.
func (b *Server) DeleteQueue(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queueByName[name]; q != nil {
		b.removeQueue(q)
	}
	return nil
}

// Publish routes one message. The default exchange "" routes by the name of the
// queue. A message that reaches no queue is an error.
func (b *Server) Publish(exchange, key string, p amqp.Properties, body []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.exchanges[exchange]
	if x == nil {
		return fmt.Errorf("publishing to exchange %q: no such exchange", exchange)
	}
	if _, err := amqp.AppendHeader(nil, amqp.Header{Properties: p}); err != nil {
		return fmt.Errorf("publishing to exchange %q: %w", exchange, err)
	}
	if b.routeMessage(x, Message{Exchange: exchange, RoutingKey: key, Properties: p, Body: body}) == 0 {
		return fmt.Errorf("publishing to exchange %q with key %q: %w", exchange, key, ErrUnroutable)
	}
	return nil
}

// QueueState is a queue of the broker.
type QueueState struct {
	Name      string `json:"name"`
	Ready     int    `json:"ready"`
	Unacked   int    `json:"unacked"`
	Consumers int    `json:"consumers"`
}

// Queues describes every queue, sorted by name.
func (b *Server) Queues() []QueueState {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []QueueState
	for _, q := range slices.SortedFunc(maps.Values(b.queueByName), func(p, q *queue) int { return strings.Compare(p.name, q.name) }) {
		all = append(all, QueueState{Name: q.name, Ready: len(q.ready), Unacked: q.unacked, Consumers: len(q.consumers)})
	}
	return all
}
