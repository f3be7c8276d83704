package sandbox

import (
	"crypto/rand"
	"slices"
)

// clientConsumer is a consumer of a channel.
type clientConsumer struct {
	ch          *brokerChannel
	tag         string
	queue       *brokerQueue
	noAck       bool
	prefetch    int
	outstanding int
}

func (cc *clientConsumer) ready() bool {
	ch := cc.ch
	if !cc.noAck && (cc.prefetch > 0 && cc.outstanding >= cc.prefetch || ch.prefetchGlobal > 0 && ch.outstanding >= ch.prefetchGlobal) {
		return false
	}
	return !ch.c.mute.Load() && !ch.c.b.faults.withholds(ch.c.user) && ch.c.out.hasRoom()
}

func (cc *clientConsumer) deliver(m *queued) {
	ch := cc.ch
	ch.tag++
	if cc.noAck {
		cc.queue.done()
	} else {
		ch.unacked = append(ch.unacked, unacked{ch.tag, m, cc})
		cc.outstanding++
		ch.outstanding++
	}
	ch.c.send(ch.id, &amqpBasicDeliver{
		queue: cc.queue.name, Consumer: cc.tag, Tag: ch.tag, Redelivered: m.Redelivered, Exchange: m.Exchange, Key: m.RoutingKey,
	}, &m.message)
}

func (cc *clientConsumer) canceled() {
	delete(cc.ch.consumers, cc.tag)
	if able, _ := cc.ch.c.able["consumer_cancel_notify"].(bool); able {
		cc.ch.reply(&amqpBasicCancel{Consumer: cc.tag, NoWait: true})
	}
}

func (ch *brokerChannel) qos(m *amqpBasicQos) *amqpError {
	if m.Size != 0 {
		return amqpErrorf(amqpNotImplemented, "prefetch_size!=0 (%d)", m.Size)
	}
	if m.Global {
		ch.prefetchGlobal = int(m.Count)
		ch.feed()
	} else {
		ch.prefetch = int(m.Count)
	}
	ch.reply(&amqpBasicQosOk{})
	return nil
}

func (ch *brokerChannel) consume(m *amqpBasicConsume) *amqpError {
	q, err := ch.reachQueue(m.Queue)
	if err != nil {
		return err
	}
	if err := ch.permit("queue", q.name); err != nil {
		return err
	}
	if ch.consumers[m.Consumer] != nil {
		return amqpErrorf(amqpNotAllowed, "attempt to reuse consumer tag '%s'", m.Consumer)
	}
	if q.exclusive || m.Exclusive && len(q.consumers) > 0 {
		return amqpErrorf(amqpAccessRefused, "queue '%s' in vhost '/' in exclusive use", q.name)
	}
	tag := m.Consumer
	if tag == "" {
		tag = "amq.ctag-" + rand.Text()
	}
	cc := &clientConsumer{ch: ch, tag: tag, queue: q, noAck: m.NoAck, prefetch: ch.prefetch}
	ch.consumers[tag] = cc
	q.consumers = append(q.consumers, cc)
	q.exclusive = m.Exclusive
	ch.answer(m.NoWait, &amqpBasicConsumeOk{Consumer: tag})
	q.pump()
	return nil
}

func (ch *brokerChannel) cancel(m *amqpBasicCancel) *amqpError {
	if cc := ch.consumers[m.Consumer]; cc != nil {
		delete(ch.consumers, m.Consumer)
		ch.c.b.removeConsumer(cc.queue, cc)
	}
	return ch.answer(m.NoWait, &amqpBasicCancelOk{Consumer: m.Consumer})
}

func (ch *brokerChannel) publish(m *amqpBasicPublish, msg *message) *amqpError {
	b := ch.c.b
	name := m.Exchange
	if name == "" {
		name = "amq.default"
	}
	x := b.exchanges[m.Exchange]
	switch err := ch.permit("exchange", name); {
	case err != nil:
		return err
	case x == nil:
		return amqpErrorf(amqpNotFound, "no exchange '%s' in vhost '/'", m.Exchange)
	case x.internal:
		return amqpErrorf(amqpAccessRefused, "cannot publish to internal exchange '%s' in vhost '/'", m.Exchange)
	case m.Immediate:
		return amqpErrorf(amqpNotImplemented, "immediate=true")
	case msg.Properties.UserID != "" && msg.Properties.UserID != ch.c.user:
		return amqpErrorf(amqpPreconditionFailed, "user_id property set to '%s' but authenticated user was '%s'", msg.Properties.UserID, ch.c.user)
	}
	if b.route(x, *msg) == 0 && m.Mandatory {
		ch.c.send(ch.id, &amqpBasicReturn{Code: amqpNoRoute, Text: amqpCodeName(amqpNoRoute), Exchange: m.Exchange, Key: m.Key}, msg)
	}
	if ch.confirm {
		ch.published++
		ch.reply(&amqpBasicAck{Tag: ch.published})
	}
	return nil
}

func (ch *brokerChannel) get(m *amqpBasicGet) *amqpError {
	q, err := ch.reachQueue(m.Queue)
	if err != nil {
		return err
	}
	if err := ch.permit("queue", q.name); err != nil {
		return err
	}
	if len(q.ready) == 0 {
		ch.reply(&amqpBasicGetEmpty{})
		return nil
	}
	got := q.pop()
	ch.tag++
	if m.NoAck {
		q.done()
	} else {
		ch.unacked = append(ch.unacked, unacked{ch.tag, got, nil})
	}
	ch.c.send(ch.id, &amqpBasicGetOk{
		Tag: ch.tag, Redelivered: got.Redelivered, Exchange: got.Exchange, Key: got.RoutingKey, Messages: uint32(len(q.ready)),
	}, &got.message)
	return nil
}

func (ch *brokerChannel) recover(requeue bool, ok amqpMethod) *amqpError {
	if !requeue {
		return amqpErrorf(amqpNotImplemented, "requeue=false")
	}
	settled := slices.Clone(ch.unacked)
	ch.unacked = nil
	if ok != nil {
		ch.reply(ok)
	}
	ch.giveBack(settled, true)
	return nil
}
