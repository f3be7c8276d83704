package broker

import (
	"crypto/rand"
	"slices"

	"chiltepin/globus/sandbox/amqp"
)

// clientConsumer is a consumer of a channel.
type clientConsumer struct {
	channel     *channel
	tag         string
	queue       *queue
	noAck       bool
	prefetch    int
	outstanding int
}

func (cc *clientConsumer) canTake() bool {
	ch := cc.channel
	if !cc.noAck && (cc.prefetch > 0 && cc.outstanding >= cc.prefetch || ch.prefetchGlobal > 0 && ch.outstanding >= ch.prefetchGlobal) {
		return false
	}
	return !ch.conn.muted.Load() && !ch.conn.broker.faults.withholdsDeliveries(ch.conn.user) && ch.conn.outbox.hasRoom()
}

func (cc *clientConsumer) deliverMessage(m *queuedMessage) {
	ch := cc.channel
	ch.lastTag++
	if cc.noAck {
		cc.queue.settleMessage()
	} else {
		ch.unacked = append(ch.unacked, unacked{ch.lastTag, m, cc})
		cc.outstanding++
		ch.outstanding++
	}
	ch.conn.outbox.addItem(outItem{
		channel: ch.id, user: ch.conn.user, queue: cc.queue.name, message: &m.Message,
		method: &amqp.BasicDeliver{
			Consumer: cc.tag, Tag: ch.lastTag, Redelivered: m.Redelivered, Exchange: m.Exchange, Key: m.RoutingKey,
		},
	})
}

func (cc *clientConsumer) queueDeleted() {
	delete(cc.channel.consumers, cc.tag)
	if able, _ := cc.channel.conn.capabilities["consumer_cancel_notify"].(bool); able {
		cc.channel.sendReply(&amqp.BasicCancel{Consumer: cc.tag, NoWait: true})
	}
}

func (ch *channel) setPrefetch(m *amqp.BasicQos) *amqp.ReplyError {
	if m.Size != 0 {
		return amqp.Errorf(amqp.CodeNotImplemented, "prefetch_size!=0 (%d)", m.Size)
	}
	if m.Global {
		ch.prefetchGlobal = int(m.Count)
		ch.resumeConsumers()
	} else {
		ch.prefetch = int(m.Count)
	}
	ch.sendReply(&amqp.BasicQosOk{})
	return nil
}

func (ch *channel) startConsumer(m *amqp.BasicConsume) *amqp.ReplyError {
	q, err := ch.findQueue(m.Queue)
	if err != nil {
		return err
	}
	if err := ch.checkAccess("queue", q.name); err != nil {
		return err
	}
	if ch.consumers[m.Consumer] != nil {
		return amqp.Errorf(amqp.CodeNotAllowed, "attempt to reuse consumer tag '%s'", m.Consumer)
	}
	if q.exclusive || m.Exclusive && len(q.consumers) > 0 {
		return amqp.Errorf(amqp.CodeAccessRefused, "queue '%s' in vhost '/' in exclusive use", q.name)
	}
	tag := m.Consumer
	if tag == "" {
		tag = "amq.ctag-" + rand.Text()
	}
	cc := &clientConsumer{channel: ch, tag: tag, queue: q, noAck: m.NoAck, prefetch: ch.prefetch}
	ch.consumers[tag] = cc
	q.consumers = append(q.consumers, cc)
	q.exclusive = m.Exclusive
	ch.replyUnlessNoWait(m.NoWait, &amqp.BasicConsumeOk{Consumer: tag})
	q.deliverReady()
	return nil
}

func (ch *channel) cancelConsumer(m *amqp.BasicCancel) *amqp.ReplyError {
	if cc := ch.consumers[m.Consumer]; cc != nil {
		delete(ch.consumers, m.Consumer)
		ch.conn.broker.removeConsumer(cc.queue, cc)
	}
	return ch.replyUnlessNoWait(m.NoWait, &amqp.BasicCancelOk{Consumer: m.Consumer})
}

func (ch *channel) publishMessage(m *amqp.BasicPublish, msg *Message) *amqp.ReplyError {
	b := ch.conn.broker
	name := m.Exchange
	if name == "" {
		name = "amq.default"
	}
	x := b.exchanges[m.Exchange]
	switch err := ch.checkAccess("exchange", name); {
	case err != nil:
		return err
	case x == nil:
		return amqp.Errorf(amqp.CodeNotFound, "no exchange '%s' in vhost '/'", m.Exchange)
	case x.internal:
		return amqp.Errorf(amqp.CodeAccessRefused, "cannot publish to internal exchange '%s' in vhost '/'", m.Exchange)
	case m.Immediate:
		return amqp.Errorf(amqp.CodeNotImplemented, "immediate=true")
	case msg.Properties.UserID != "" && msg.Properties.UserID != ch.conn.user:
		return amqp.Errorf(amqp.CodePreconditionFailed, "user_id property set to '%s' but authenticated user was '%s'", msg.Properties.UserID, ch.conn.user)
	}
	if b.routeMessage(x, *msg) == 0 && m.Mandatory {
		ch.conn.sendMethod(ch.id, &amqp.BasicReturn{Code: amqp.CodeNoRoute, Text: amqp.CodeName(amqp.CodeNoRoute), Exchange: m.Exchange, Key: m.Key}, msg)
	}
	if ch.confirm {
		ch.published++
		ch.sendReply(&amqp.BasicAck{Tag: ch.published})
	}
	return nil
}

func (ch *channel) getMessage(m *amqp.BasicGet) *amqp.ReplyError {
	q, err := ch.findQueue(m.Queue)
	if err != nil {
		return err
	}
	if err := ch.checkAccess("queue", q.name); err != nil {
		return err
	}
	if len(q.ready) == 0 {
		ch.sendReply(&amqp.BasicGetEmpty{})
		return nil
	}
	got := q.popMessage()
	ch.lastTag++
	if m.NoAck {
		q.settleMessage()
	} else {
		ch.unacked = append(ch.unacked, unacked{ch.lastTag, got, nil})
	}
	ch.conn.sendMethod(ch.id, &amqp.BasicGetOk{
		Tag: ch.lastTag, Redelivered: got.Redelivered, Exchange: got.Exchange, Key: got.RoutingKey, Messages: uint32(len(q.ready)),
	}, &got.Message)
	return nil
}

func (ch *channel) requeueUnacked(requeue bool, ok amqp.Method) *amqp.ReplyError {
	if !requeue {
		return amqp.Errorf(amqp.CodeNotImplemented, "requeue=false")
	}
	settled := slices.Clone(ch.unacked)
	ch.unacked = nil
	if ok != nil {
		ch.sendReply(ok)
	}
	ch.finishDeliveries(settled, true)
	return nil
}
