package sandbox

import "chiltepin/globus/sandbox/amqp"

// reportMethod tells of a method that crossed the connection: names and sizes,
// never a password, a header or a body.
func (c *brokerConn) reportMethod(e Entry, m amqp.Method, msg *message) {
	if c.broker.cfg.journal == nil {
		return
	}
	e.Time, e.Kind, e.Method, e.Connection = c.broker.cfg.now(), "amqp", amqp.SpecOf(m).Name, c.label
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
	c.broker.cfg.journal(e)
}

// reportEvent tells of something that is no method: the socket was opened or closed,
// a user was refused.
func (c *brokerConn) reportEvent(what, detail, fault string) {
	if c.broker.cfg.journal == nil {
		return
	}
	c.broker.cfg.journal(Entry{
		Time: c.broker.cfg.now(), Kind: "amqp", Event: what, Connection: c.label, User: c.user, Detail: detail, Fault: fault,
	})
}
