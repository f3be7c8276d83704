package broker

import "chiltepin/globus/sandbox/amqp"

// findBindingEnds finds the two ends of a binding that the user may touch.
func (ch *channel) findBindingEnds(queue, exchange string) (*queue, *exchange, *amqp.ReplyError) {
	x, err := ch.findExchange(exchange)
	if err != nil {
		return nil, nil, err
	}
	q, err := ch.findQueue(queue)
	if err != nil {
		return nil, nil, err
	}
	if err := ch.checkAccess("queue", q.name); err != nil {
		return nil, nil, err
	}
	return q, x, ch.checkAccess("exchange", x.name)
}

func (ch *channel) bindQueue(m *amqp.QueueBind) *amqp.ReplyError {
	q, x, err := ch.findBindingEnds(m.Queue, m.Exchange)
	if err != nil {
		return err
	}
	key := m.Key
	if m.Queue == "" && key == "" {
		key = q.name // as the standard has it
	}
	x.addBinding(q, key)
	return ch.replyUnlessNoWait(m.NoWait, &amqp.QueueBindOk{})
}

func (ch *channel) unbindQueue(m *amqp.QueueUnbind) *amqp.ReplyError {
	q, x, err := ch.findBindingEnds(m.Queue, m.Exchange)
	if err != nil {
		return err
	}
	ch.conn.broker.removeBindings(x, func(bd binding) bool { return bd == binding{q, m.Key} })
	ch.sendReply(&amqp.QueueUnbindOk{})
	return nil
}

func (ch *channel) purgeQueue(m *amqp.QueuePurge) *amqp.ReplyError {
	q, err := ch.findQueue(m.Queue)
	if err != nil {
		return err
	}
	if err := ch.checkAccess("queue", q.name); err != nil {
		return err
	}
	n := len(q.ready)
	q.ready = nil
	return ch.replyUnlessNoWait(m.NoWait, &amqp.QueuePurgeOk{Messages: uint32(n)})
}

func (ch *channel) deleteQueue(m *amqp.QueueDelete) *amqp.ReplyError {
	name := m.Queue
	if name == "" {
		name = ch.lastQueue
	}
	if err := ch.checkAccess("queue", name); err != nil {
		return err
	}
	q := ch.conn.broker.queueByName[name]
	if q == nil { // deleting nothing is no error
		return ch.replyUnlessNoWait(m.NoWait, &amqp.QueueDeleteOk{})
	}
	if err := ch.checkNotLocked(q); err != nil {
		return err
	}
	switch {
	case m.IfUnused && len(q.consumers) > 0:
		return amqp.Errorf(amqp.CodePreconditionFailed, "queue '%s' in vhost '/' in use", name)
	case m.IfEmpty && len(q.ready) > 0:
		return amqp.Errorf(amqp.CodePreconditionFailed, "queue '%s' in vhost '/' not empty", name)
	}
	n := len(q.ready)
	ch.conn.broker.removeQueue(q)
	return ch.replyUnlessNoWait(m.NoWait, &amqp.QueueDeleteOk{Messages: uint32(n)})
}
