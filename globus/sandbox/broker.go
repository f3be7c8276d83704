package sandbox

import (
	"errors"
	"net"
)

// errUnroutable is publish's: the message reached no queue.
var errUnroutable = errors.New("no queue is bound for it")

var errNotBuilt = errors.New("not built yet")

// broker is an AMQP 0-9-1 broker in the process: what pika, the Globus
// Compute SDK and amqp091-go need, answering as RabbitMQ does. Nothing is
// kept when it closes. Its methods may be called by many goroutines.
type broker struct{}

// newBroker returns a broker that nobody can reach until serve.
func newBroker(cfg brokerConfig) *broker { return &broker{} }

// Serve answers connections from l until Close, then returns nil; an error of
// l's otherwise. It closes l. A broker may serve several listeners.
func (b *broker) Serve(l net.Listener) error { return errNotBuilt }

// Close ends every connection and waits until nothing of the broker runs. No
// subscriber may call it.
func (b *broker) Close() {}

// declareExchange makes an exchange; kind is "direct", "topic" or "fanout".
// One of the same kind being there already is fine.
func (b *broker) declareExchange(name, kind string) error { return errNotBuilt }

// declareQueue makes a durable queue. One being there already is fine.
func (b *broker) declareQueue(name string) error { return errNotBuilt }

// bind makes exchange route key (a pattern, for a topic exchange) to queue.
func (b *broker) bind(queue, exchange, key string) error { return errNotBuilt }

// deleteQueue removes a queue with what it holds and cancels its consumers.
// It tells whether there was one.
func (b *broker) deleteQueue(name string) bool { return false }

// purgeQueue drops what is ready in a queue and tells how much that was.
func (b *broker) purgeQueue(name string) int { return 0 }

// queue tells what a queue holds; false when there is none of that name.
func (b *broker) queue(name string) (queueState, bool) { return queueState{}, false }

// publish routes m. The error is errUnroutable when it reached no queue, and
// an amqpError when there is no such exchange.
func (b *broker) publish(exchange, key string, m message) error { return errNotBuilt }

// subscribe hands the messages of a queue to f, one at a time and in order;
// each counts as acknowledged when f returns. After cancel f is not called
// again, though a call may still be under way. f may call the broker.
func (b *broker) subscribe(queue string, f func(message)) (cancel func(), err error) {
	return nil, errNotBuilt
}

// addUser lets somebody connect, or gives a known user a new password and
// permissions; connections that are open keep the old ones.
func (b *broker) addUser(u brokerUser) {}

// dropUser forgets a user and closes its connections.
func (b *broker) dropUser(name string) {}

// closeConnections closes the connections of a user ("" is everybody) as an
// operator of RabbitMQ would: 320 CONNECTION_FORCED with the reason. It tells
// how many there were, and does not wait for the clients to answer.
func (b *broker) closeConnections(user, reason string) int { return 0 }

// resetConnections breaks the connections of a user ("" is everybody) without
// a word, as a network does. It tells how many there were.
func (b *broker) resetConnections(user string) int { return 0 }

// connections lists the open connections by age.
func (b *broker) connections() []brokerConnection { return nil }

// setFaults replaces the faults that are in force.
func (b *broker) setFaults(f brokerFaults) {}

// faults tells which faults are in force.
func (b *broker) faults() brokerFaults { return brokerFaults{} }
