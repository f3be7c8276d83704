package broker

import (
	"crypto/rand"
	"slices"
	"strings"

	"chiltepin/globus/sandbox/amqp"
)

// checkAccess checks that the user may touch an exchange or a queue.
func (ch *channel) checkAccess(what, name string) *amqp.ReplyError {
	if ch.conn.rights.mayTouch(name) {
		return nil
	}
	return amqp.Errorf(amqp.CodeAccessRefused, "access to %s '%s' in vhost '/' refused for user '%s'", what, name, ch.conn.user)
}

// findQueue finds a queue that this connection may use. An empty name is the
// queue that the channel declared last.
func (ch *channel) findQueue(name string) (*queue, *amqp.ReplyError) {
	if name == "" {
		if ch.lastQueue == "" {
			return nil, amqp.Errorf(amqp.CodeNotFound, "no previously declared queue")
		}
		name = ch.lastQueue
	}
	q := ch.conn.broker.queueByName[name]
	if q == nil {
		return nil, amqp.Errorf(amqp.CodeNotFound, "no queue '%s' in vhost '/'", name)
	}
	return q, ch.checkNotLocked(q)
}

// checkNotLocked refuses a queue that is exclusive to another connection.
func (ch *channel) checkNotLocked(q *queue) *amqp.ReplyError {
	if q.owner == nil || q.owner == ch.conn {
		return nil
	}
	return lockedError(q)
}

func lockedError(q *queue) *amqp.ReplyError {
	return amqp.Errorf(amqp.CodeResourceLocked, "cannot obtain exclusive access to locked queue '%s' in vhost '/'. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.", q.name)
}

func (ch *channel) findExchange(name string) (*exchange, *amqp.ReplyError) {
	if name == "" {
		return nil, amqp.Errorf(amqp.CodeAccessRefused, "operation not permitted on the default exchange")
	}
	x := ch.conn.broker.exchanges[name]
	if x == nil {
		return nil, amqp.Errorf(amqp.CodeNotFound, "no exchange '%s' in vhost '/'", name)
	}
	return x, nil
}

func (ch *channel) declareExchange(m *amqp.ExchangeDeclare) *amqp.ReplyError {
	b := ch.conn.broker
	if m.Passive {
		if _, err := ch.findExchange(m.Exchange); err != nil {
			return err
		}
		return ch.replyUnlessNoWait(m.NoWait, &amqp.ExchangeDeclareOk{})
	}
	if m.Exchange == "" {
		return amqp.Errorf(amqp.CodeAccessRefused, "operation not permitted on the default exchange")
	}
	if !slices.Contains([]string{"direct", "topic", "fanout"}, m.Kind) {
		return amqp.Errorf(amqp.CodeCommandInvalid, "unknown exchange type '%s'", m.Kind)
	}
	if err := ch.checkAccess("exchange", m.Exchange); err != nil {
		return err
	}
	x := b.exchanges[m.Exchange]
	if x == nil {
		if strings.HasPrefix(m.Exchange, "amq.") {
			return amqp.Errorf(amqp.CodeAccessRefused, "exchange name '%s' contains reserved prefix 'amq.*'", m.Exchange)
		}
		b.exchanges[m.Exchange] = &exchange{
			name: m.Exchange, kind: m.Kind, durable: m.Durable, autoDelete: m.AutoDelete, internal: m.Internal,
		}
		return ch.replyUnlessNoWait(m.NoWait, &amqp.ExchangeDeclareOk{})
	}
	if err := checkEquivalent("exchange", m.Exchange,
		declaredArgument{"type", m.Kind, x.kind}, declaredArgument{"durable", m.Durable, x.durable},
		declaredArgument{"auto_delete", m.AutoDelete, x.autoDelete}, declaredArgument{"internal", m.Internal, x.internal}); err != nil {
		return err
	}
	return ch.replyUnlessNoWait(m.NoWait, &amqp.ExchangeDeclareOk{})
}

// declaredArgument is an argument that has to be equal in two declarations.
type declaredArgument struct {
	name           string
	received, have any
}

func checkEquivalent(what, name string, args ...declaredArgument) *amqp.ReplyError {
	for _, a := range args {
		if a.received != a.have {
			return amqp.Errorf(amqp.CodePreconditionFailed, "inequivalent arg '%s' for %s '%s' in vhost '/': received '%v' but current is '%v'",
				a.name, what, name, a.received, a.have)
		}
	}
	return nil
}

func (ch *channel) deleteExchange(m *amqp.ExchangeDelete) *amqp.ReplyError {
	if m.Exchange == "" {
		return amqp.Errorf(amqp.CodeAccessRefused, "operation not permitted on the default exchange")
	}
	if strings.HasPrefix(m.Exchange, "amq.") {
		return amqp.Errorf(amqp.CodeAccessRefused, "deletion of system exchange '%s' in vhost '/' not allowed", m.Exchange)
	}
	if err := ch.checkAccess("exchange", m.Exchange); err != nil {
		return err
	}
	if x := ch.conn.broker.exchanges[m.Exchange]; x != nil {
		if m.IfUnused && len(x.bindings) > 0 {
			return amqp.Errorf(amqp.CodePreconditionFailed, "exchange '%s' in vhost '/' in use", m.Exchange)
		}
		delete(ch.conn.broker.exchanges, m.Exchange)
	}
	return ch.replyUnlessNoWait(m.NoWait, &amqp.ExchangeDeleteOk{})
}

func (ch *channel) declareQueue(m *amqp.QueueDeclare) *amqp.ReplyError {
	b := ch.conn.broker
	if m.Passive {
		q, err := ch.findQueue(m.Queue)
		if err != nil {
			return err
		}
		return ch.replyDeclared(m, q)
	}
	name := m.Queue
	if name == "" {
		name = "amq.gen-" + rand.Text()
	}
	if err := ch.checkAccess("queue", name); err != nil {
		return err
	}
	q := b.queueByName[name]
	if q == nil {
		if strings.HasPrefix(m.Queue, "amq.") {
			return amqp.Errorf(amqp.CodeAccessRefused, "queue name '%s' contains reserved prefix 'amq.*'", name)
		}
		q = &queue{name: name, durable: m.Durable, autoDelete: m.AutoDelete}
		if m.Exclusive {
			q.owner = ch.conn
		}
		b.queueByName[name] = q
		return ch.replyDeclared(m, q)
	}
	if err := ch.checkNotLocked(q); err != nil {
		return err
	}
	if m.Exclusive != (q.owner != nil) {
		return lockedError(q)
	}
	if err := checkEquivalent("queue", name,
		declaredArgument{"durable", m.Durable, q.durable}, declaredArgument{"auto_delete", m.AutoDelete, q.autoDelete}); err != nil {
		return err
	}
	return ch.replyDeclared(m, q)
}

func (ch *channel) replyDeclared(m *amqp.QueueDeclare, q *queue) *amqp.ReplyError {
	ch.lastQueue = q.name
	return ch.replyUnlessNoWait(m.NoWait, &amqp.QueueDeclareOk{Queue: q.name, Messages: uint32(len(q.ready)), Consumers: uint32(len(q.consumers))})
}
