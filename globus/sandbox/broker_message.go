package sandbox

import (
	"time"

	"chiltepin/globus/sandbox/amqp"
)

// brokerConfig is what a broker needs; the zero value of each field works.
type brokerConfig struct {
	// reportMethod is told of every method that crosses a connection; nil for none.
	journal func(Entry)
	// now is the clock; nil for time.Now.
	now func() time.Time
	// receiveHeartbeat is offered to clients, in whole seconds; a client may choose
	// less, or any when it is zero, which asks for none.
	heartbeat time.Duration
	// frameMax is the largest frame offered to clients; zero is 131072, as
	// with RabbitMQ.
	frameMax uint32
}

// message is one message as a consumer gets it.
type message struct {
	Exchange    string
	RoutingKey  string
	Redelivered bool
	Properties  amqp.Properties
	Body        []byte
}

// brokerFault is a fault to order of the broker. It strikes Times times, or
// until it is cleared when Times is 0.
type brokerFault struct {
	// Kind is one of
	//   refuse  a new connection is closed as soon as it is accepted
	//   auth    connection.start-ok is answered ACCESS_REFUSED
	//   close   the connection is cut, with no farewell, at a method
	//   silent  the method and whatever comes after it is never answered
	//   delay   the method is handled after Delay
	//   withhold  nothing is delivered to consumers until the fault is cleared
	Kind string `json:"kind"`
	// User limits the fault to one user's connections; not for refuse.
	User string `json:"user,omitempty"`
	// Method is the client's method that sets off close, silent and delay,
	// such as "basic.publish"; "" is any.
	Method string `json:"method,omitempty"`
	// After is how many more methods that match pass before it strikes.
	After int           `json:"after,omitempty"`
	Times int           `json:"times,omitempty"`
	Delay time.Duration `json:"-"`
}

// QueueState is a queue of the broker.
type QueueState struct {
	Name      string `json:"name"`
	Ready     int    `json:"ready"`
	Unacked   int    `json:"unacked"`
	Consumers int    `json:"consumers"`
}

type queueState = QueueState
