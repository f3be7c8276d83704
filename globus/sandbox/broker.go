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
// kept when it closes.
type broker struct{}

var _ wire = (*broker)(nil)

// newBroker returns a broker that nobody can reach until Serve.
func newBroker(cfg brokerConfig) *broker { return &broker{} }

func (b *broker) Serve(l net.Listener) error                     { return errNotBuilt }
func (b *broker) Close() error                                   { return nil }
func (b *broker) declareExchange(name, kind string) error        { return errNotBuilt }
func (b *broker) declareQueue(name string) error                 { return errNotBuilt }
func (b *broker) bind(queue, exchange, key string) error         { return errNotBuilt }
func (b *broker) deleteQueue(name string) error                  { return errNotBuilt }
func (b *broker) addUser(name, password string, allow ...string) {}
func (b *broker) dropUser(name string)                           {}
func (b *broker) closeConnections(user string) int               { return 0 }
func (b *broker) addFault(f brokerFault)                         {}
func (b *broker) clearFaults()                                   {}
func (b *broker) queues() []queueState                           { return nil }

func (b *broker) publish(exchange, key string, p properties, body []byte) error {
	return errNotBuilt
}

func (b *broker) subscribe(queue string, deliver func(message)) (cancel func(), err error) {
	return nil, errNotBuilt
}
