package sandbox

import "time"

// brokerConfig is what a broker is made with. The zero value is a broker
// that keeps no journal and asks for no heartbeats.
type brokerConfig struct {
	// Journal is told of every connection and method, in both directions, in
	// the order of each connection. It is called by the broker's own
	// goroutines, one at a time for a connection and several at a time for
	// the broker, never while the broker's lock is held. Nil keeps none.
	Journal func(brokerEntry)

	// Heartbeat is the interval offered to clients in whole seconds; a client
	// may choose a shorter one or, only when this is zero, none.
	Heartbeat time.Duration

	// FrameMax is the largest frame offered to clients, in bytes. Zero means
	// 131072, as RabbitMQ offers.
	FrameMax uint32
}

// brokerEntry is one line for the journal: who did what to which name. It
// never holds a password, a header or a body.
type brokerEntry struct {
	Time     time.Time
	Conn     uint64 // number of the connection, from 1; 0 is the service itself
	Peer     string // the client's address
	User     string // empty until it has authenticated
	Sent     bool   // true when the broker sent it, false when it received it
	Method   string // "Connection.Open", "Basic.Publish"; "opened" and "closed" for the socket
	Channel  uint16
	Exchange string
	Queue    string
	Key      string // routing key
	Consumer string // consumer tag
	Tag      uint64 // delivery tag
	Size     int    // bytes of the body, for the methods that have one
	Code     uint16 // reply code, of Close and Return
	Text     string // reply text, of Close and Return; the reason, of "closed"

	Redelivered bool // Basic.Deliver and Basic.Get-Ok
	Unroutable  bool // Basic.Publish that reached no queue
}

// message is one message as the service hands it to the broker and gets it
// from there. Nobody changes it once it was published.
type message struct {
	Exchange    string // where it was published
	Key         string // with which routing key
	Redelivered bool   // it was delivered before and not acknowledged
	Props       properties
	Body        []byte
}

// properties are the properties of a message. A zero field is not sent.
type properties struct {
	ContentType     string
	ContentEncoding string
	Headers         map[string]any // nil, bool, (u)int8…64, float32/64, string, []byte, time.Time, []any, map[string]any, amqpDecimal
	DeliveryMode    uint8
	Priority        uint8
	CorrelationID   string
	ReplyTo         string
	Expiration      string
	MessageID       string
	Timestamp       time.Time // to the second
	Type            string
	UserID          string
	AppID           string
	ClusterID       string
}

// brokerUser is somebody who may connect. Each list holds the names of the
// queues and exchanges that its permission covers; a trailing "*" stands for
// anything ("*" alone for every name, "amq.gen-*" for server-named queues).
// The default exchange is called "amq.default" here, as RabbitMQ does.
type brokerUser struct {
	Name      string
	Password  string
	Configure []string // declare, delete
	Write     []string // publish to an exchange, bind a queue
	Read      []string // consume, get, purge, bind to an exchange
}

// brokerFaults are the ways in which the broker misbehaves to order. The zero
// value is a broker in good health.
type brokerFaults struct {
	// User limits the faults to the connections of one user; empty is
	// everybody. RefuseConnections is for everybody always: nobody has a name
	// yet.
	User string

	RefuseConnections bool          // a new connection is reset before a byte is said
	RefuseAuth        bool          // the right password too is ACCESS_REFUSED
	Silent            bool          // what comes is read, nothing is answered, not even a heartbeat
	HoldDeliveries    bool          // everything is answered, no message is delivered
	Delay             time.Duration // before each answer and delivery
	CloseAfterFrames  int           // a connection is reset after so many more frames came in; 0 never
}

// queueState is what a queue holds.
type queueState struct {
	Ready, Unacked, Consumers int
}

// brokerConnection is one open connection.
type brokerConnection struct {
	Conn   uint64
	Peer   string
	User   string
	Opened time.Time
}
