package sandbox

// reportMethod tells of a method that crossed the connection: names and sizes,
// never a password, a header or a body.
func (c *brokerConn) reportMethod(e Entry, m amqpMethod, msg *message) {
	if c.broker.cfg.journal == nil {
		return
	}
	e.Time, e.Kind, e.Method, e.Connection = c.broker.cfg.now(), "amqp", m.spec().name, c.label
	if msg != nil {
		e.Exchange, e.RoutingKey, e.Bytes = msg.Exchange, msg.RoutingKey, len(msg.Body)
	}
	switch m := m.(type) {
	case *amqpConnectionClose:
		e.Status, e.Detail = int(m.Code), m.Text
	case *amqpChannelClose:
		e.Status, e.Detail = int(m.Code), m.Text
	case *amqpBasicReturn:
		e.Status, e.Detail = int(m.Code), m.Text
	case *amqpExchangeDeclare:
		e.Exchange = m.Exchange
	case *amqpExchangeDelete:
		e.Exchange = m.Exchange
	case *amqpQueueDeclare:
		e.Queue = m.Queue
	case *amqpQueueDeclareOk:
		e.Queue = m.Queue
	case *amqpQueueBind:
		e.Queue, e.Exchange, e.RoutingKey = m.Queue, m.Exchange, m.Key
	case *amqpQueueUnbind:
		e.Queue, e.Exchange, e.RoutingKey = m.Queue, m.Exchange, m.Key
	case *amqpQueuePurge:
		e.Queue = m.Queue
	case *amqpQueueDelete:
		e.Queue = m.Queue
	case *amqpBasicConsume:
		e.Queue = m.Queue
	case *amqpBasicGet:
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
