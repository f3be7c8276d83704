package sandbox

import (
	"slices"
	"sort"
)

// brokerChannel is a channel of a connection. The broker's lock guards it.
type brokerChannel struct {
	c       *brokerConn
	id      uint16
	closing bool // channel.close was sent

	confirm   bool
	published uint64 // messages since confirm.select

	tag       uint64 // last delivery tag
	unacked   []unacked
	consumers map[string]*clientConsumer

	prefetch       int // of consumers to come
	prefetchGlobal int // of all of them together
	outstanding    int // deliveries to consumers that wait for an ack

	lastQueue string // declared last: what an empty name stands for
}

// unacked is a delivery that waits to be acknowledged.
type unacked struct {
	tag      uint64
	m        *queued
	consumer *clientConsumer // nil for basic.get
}

// onChannel handles a method on a channel other than 0.
func (c *brokerConn) onChannel(id uint16, m amqpMethod, msg *message) *amqpError {
	ch := c.channels[id]
	if _, ok := m.(*amqpChannelOpen); ok {
		if ch != nil {
			return amqpErrorf(amqpChannelError, "second 'channel.open' seen")
		}
		if id > brokerChannelMax {
			return amqpErrorf(amqpChannelError, "channel %d is higher than the negotiated channel_max (%d)", id, brokerChannelMax)
		}
		c.channels[id] = &brokerChannel{c: c, id: id, consumers: map[string]*clientConsumer{}}
		c.send(id, &amqpChannelOpenOk{}, nil)
		return nil
	}
	if ch == nil {
		return amqpErrorf(amqpChannelError, "expected 'channel.open'")
	}
	switch m := m.(type) {
	case *amqpChannelClose:
		ch.release()
		delete(c.channels, id)
		ch.reply(&amqpChannelCloseOk{})
		return nil
	case *amqpChannelCloseOk:
		if ch.closing {
			delete(c.channels, id)
		}
		return nil
	case *amqpChannelFlow:
		if ch.closing {
			return nil
		}
		if !m.Active {
			return amqpErrorf(amqpNotImplemented, "active=false")
		}
		ch.reply(&amqpChannelFlowOk{Active: true})
		return nil
	}
	if ch.closing {
		return nil
	}
	return ch.handle(m, msg)
}

// handle handles what a channel is for.
func (ch *brokerChannel) handle(m amqpMethod, msg *message) *amqpError {
	switch m := m.(type) {
	case *amqpExchangeDeclare:
		return ch.exchangeDeclare(m)
	case *amqpExchangeDelete:
		return ch.exchangeDelete(m)
	case *amqpQueueDeclare:
		return ch.queueDeclare(m)
	case *amqpQueueBind:
		return ch.queueBind(m)
	case *amqpQueueUnbind:
		return ch.queueUnbind(m)
	case *amqpQueuePurge:
		return ch.queuePurge(m)
	case *amqpQueueDelete:
		return ch.queueDelete(m)
	case *amqpConfirmSelect:
		ch.confirm = true
		return ch.answer(m.NoWait, &amqpConfirmSelectOk{})
	case *amqpBasicQos:
		return ch.qos(m)
	case *amqpBasicConsume:
		return ch.consume(m)
	case *amqpBasicCancel:
		return ch.cancel(m)
	case *amqpBasicPublish:
		return ch.publish(m, msg)
	case *amqpBasicGet:
		return ch.get(m)
	case *amqpBasicAck:
		return ch.settle(m.Tag, m.Multiple, false)
	case *amqpBasicNack:
		return ch.settle(m.Tag, m.Multiple, m.Requeue)
	case *amqpBasicReject:
		return ch.settle(m.Tag, false, m.Requeue)
	case *amqpBasicRecover:
		return ch.recover(m.Requeue, &amqpBasicRecoverOk{})
	case *amqpBasicRecoverAsync:
		return ch.recover(m.Requeue, nil)
	}
	return amqpErrorf(amqpCommandInvalid, "'%s' is not for a server", m.spec().name)
}

func (ch *brokerChannel) reply(m amqpMethod) { ch.c.send(ch.id, m, nil) }

// answer replies unless the client asked for none.
func (ch *brokerChannel) answer(noWait bool, m amqpMethod) *amqpError {
	if !noWait {
		ch.reply(m)
	}
	return nil
}

// settle acknowledges the delivery with that tag, or with multiple all up to
// it (tag 0: all), or gives them back to their queues.
func (ch *brokerChannel) settle(tag uint64, multiple, requeue bool) *amqpError {
	i := sort.Search(len(ch.unacked), func(i int) bool { return ch.unacked[i].tag >= tag })
	found := i < len(ch.unacked) && ch.unacked[i].tag == tag
	from, to := i, i+1
	switch {
	case multiple && tag == 0:
		from, to = 0, len(ch.unacked)
	case !found:
		return amqpErrorf(amqpPreconditionFailed, "unknown delivery tag %d", tag)
	case multiple:
		from = 0
	}
	settled := slices.Clone(ch.unacked[from:to])
	if from == 0 { // nearly always: the rest need not move
		clear(ch.unacked[:to])
		ch.unacked = ch.unacked[to:]
	} else {
		ch.unacked = slices.Delete(ch.unacked, from, to)
	}
	ch.giveBack(settled, requeue)
	return nil
}

// giveBack tells the queues of deliveries that are settled, then lets them
// deliver.
func (ch *brokerChannel) giveBack(settled []unacked, requeue bool) {
	var queues []*brokerQueue
	for _, u := range settled {
		if u.consumer != nil {
			u.consumer.outstanding--
			ch.outstanding--
		}
		if requeue {
			u.m.queue.requeue(u.m)
		} else {
			u.m.queue.done()
		}
		if !slices.Contains(queues, u.m.queue) {
			queues = append(queues, u.m.queue)
		}
	}
	for _, q := range queues {
		q.pump()
	}
	if ch.prefetchGlobal > 0 {
		ch.feed()
	}
}

// feed lets the queues of the channel's consumers deliver.
func (ch *brokerChannel) feed() {
	for _, cc := range ch.consumers {
		cc.queue.pump()
	}
}

// release ends the channel's consumers and gives back what they had.
func (ch *brokerChannel) release() {
	for _, cc := range ch.consumers {
		ch.c.b.removeConsumer(cc.queue, cc)
	}
	clear(ch.consumers)
	settled := ch.unacked
	ch.unacked = nil
	ch.giveBack(settled, true)
}
