package broker

import (
	"time"

	"chiltepin/globus/sandbox/amqp"
)

// ConnectionEvent is a method that crossed a connection, or something else that
// happened to one. It holds names and sizes, never a password, a header or a body.
type ConnectionEvent struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method,omitempty"` // "basic.publish"; "" for what is no method
	// Status is the reply code of a close or return method; its text is Detail.
	Status int    `json:"status,omitempty"`
	Fault  string `json:"fault,omitempty"` // the kind of the fault that struck

	Direction  string `json:"direction,omitempty"`  // of a method: "in" (from the client) or "out"
	Connection string `json:"connection,omitempty"` // label such as "conn#2"
	User       string `json:"user,omitempty"`
	Channel    uint16 `json:"channel,omitempty"`
	Exchange   string `json:"exchange,omitempty"`
	RoutingKey string `json:"routing_key,omitempty"`
	Queue      string `json:"queue,omitempty"`
	Bytes      int    `json:"bytes,omitempty"` // of the message body

	Event  string `json:"event,omitempty"` // of what is no method: "opened", "refused", "closed"
	Detail string `json:"detail,omitempty"`
}

// reportMethod reports a method that crossed the connection, with the message
// that followed it or nil.
func (c *connection) reportMethod(e ConnectionEvent, m amqp.Method, msg *Message) {
	if c.broker.config.Report == nil {
		return
	}
	e.Time, e.Method, e.Connection = c.broker.config.Now(), amqp.SpecOf(m).Name, c.label
	if msg != nil {
		e.Exchange, e.RoutingKey, e.Bytes = msg.Exchange, msg.RoutingKey, len(msg.Body)
	}
	switch m := m.(type) {
	case *amqp.ConnectionClose:
		e.Status, e.Detail = int(m.Code), m.Text
	case *amqp.ChannelClose:
		e.Status, e.Detail = int(m.Code), m.Text
	case *amqp.BasicReturn:
		e.Status, e.Detail = int(m.Code), m.Text
	case *amqp.ExchangeDeclare:
		e.Exchange = m.Exchange
	case *amqp.ExchangeDelete:
		e.Exchange = m.Exchange
	case *amqp.QueueDeclare:
		e.Queue = m.Queue
	case *amqp.QueueDeclareOk:
		e.Queue = m.Queue
	case *amqp.QueueBind:
		e.Queue, e.Exchange, e.RoutingKey = m.Queue, m.Exchange, m.Key
	case *amqp.QueueUnbind:
		e.Queue, e.Exchange, e.RoutingKey = m.Queue, m.Exchange, m.Key
	case *amqp.QueuePurge:
		e.Queue = m.Queue
	case *amqp.QueueDelete:
		e.Queue = m.Queue
	case *amqp.BasicConsume:
		e.Queue = m.Queue
	case *amqp.BasicGet:
		e.Queue = m.Queue
	}
	c.broker.config.Report(e)
}

// reportEvent reports what is no method: the connection was opened or closed, or
// its user was refused.
func (c *connection) reportEvent(what, detail, fault string) {
	if c.broker.config.Report == nil {
		return
	}
	c.broker.config.Report(ConnectionEvent{
		Time: c.broker.config.Now(), Event: what, Connection: c.label, User: c.user, Detail: detail, Fault: fault,
	})
}
