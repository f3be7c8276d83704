package sandbox

// ends finds the two ends of a binding that the user may touch.
func (ch *brokerChannel) ends(queue, exchange string) (*brokerQueue, *brokerExchange, *amqpError) {
	x, err := ch.reachExchange(exchange)
	if err != nil {
		return nil, nil, err
	}
	q, err := ch.reachQueue(queue)
	if err != nil {
		return nil, nil, err
	}
	if err := ch.permit("queue", q.name); err != nil {
		return nil, nil, err
	}
	return q, x, ch.permit("exchange", x.name)
}

func (ch *brokerChannel) queueBind(m *amqpQueueBind) *amqpError {
	q, x, err := ch.ends(m.Queue, m.Exchange)
	if err != nil {
		return err
	}
	key := m.Key
	if m.Queue == "" && key == "" {
		key = q.name // as the standard has it
	}
	x.bind(q, key)
	return ch.answer(m.NoWait, &amqpQueueBindOk{})
}

func (ch *brokerChannel) queueUnbind(m *amqpQueueUnbind) *amqpError {
	q, x, err := ch.ends(m.Queue, m.Exchange)
	if err != nil {
		return err
	}
	ch.c.b.unbind(x, func(bd brokerBinding) bool { return bd == brokerBinding{q, m.Key} })
	ch.reply(&amqpQueueUnbindOk{})
	return nil
}

func (ch *brokerChannel) queuePurge(m *amqpQueuePurge) *amqpError {
	q, err := ch.reachQueue(m.Queue)
	if err != nil {
		return err
	}
	if err := ch.permit("queue", q.name); err != nil {
		return err
	}
	n := len(q.ready)
	q.ready = nil
	return ch.answer(m.NoWait, &amqpQueuePurgeOk{Messages: uint32(n)})
}

func (ch *brokerChannel) queueDelete(m *amqpQueueDelete) *amqpError {
	name := m.Queue
	if name == "" {
		name = ch.lastQueue
	}
	if err := ch.permit("queue", name); err != nil {
		return err
	}
	q := ch.c.b.byName[name]
	if q == nil { // deleting nothing is no error
		return ch.answer(m.NoWait, &amqpQueueDeleteOk{})
	}
	if err := ch.unlocked(q); err != nil {
		return err
	}
	switch {
	case m.IfUnused && len(q.consumers) > 0:
		return amqpErrorf(amqpPreconditionFailed, "queue '%s' in vhost '/' in use", name)
	case m.IfEmpty && len(q.ready) > 0:
		return amqpErrorf(amqpPreconditionFailed, "queue '%s' in vhost '/' not empty", name)
	}
	n := len(q.ready)
	ch.c.b.removeQueue(q)
	return ch.answer(m.NoWait, &amqpQueueDeleteOk{Messages: uint32(n)})
}
