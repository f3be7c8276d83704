package broker

import (
	"slices"
	"sort"

	"chiltepin/globus/sandbox/amqp"
)

// channel is a channel of a connection. The broker's lock guards it.
type channel struct {
	conn    *connection
	id      uint16
	closing bool // channel.close was sent

	confirm   bool
	published uint64 // messages since confirm.select

	lastTag   uint64 // last delivery tag
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
	message  *queuedMessage
	consumer *clientConsumer // nil for basic.get
}

// handleChannelMethod handles a method on a channel other than 0.
func (c *connection) handleChannelMethod(id uint16, m amqp.Method, msg *Message) *amqp.ReplyError {
	ch := c.channels[id]
	if _, ok := m.(*amqp.ChannelOpen); ok {
		if ch != nil {
			return amqp.Errorf(amqp.CodeChannelError, "second 'channel.open' seen")
		}
		if id > channelMax {
			return amqp.Errorf(amqp.CodeChannelError, "channel %d is higher than the negotiated channel_max (%d)", id, channelMax)
		}
		c.channels[id] = &channel{conn: c, id: id, consumers: map[string]*clientConsumer{}}
		c.sendMethod(id, &amqp.ChannelOpenOk{}, nil)
		return nil
	}
	if ch == nil {
		return amqp.Errorf(amqp.CodeChannelError, "expected 'channel.open'")
	}
	switch m := m.(type) {
	case *amqp.ChannelClose:
		ch.endConsumers()
		delete(c.channels, id)
		ch.sendReply(&amqp.ChannelCloseOk{})
		return nil
	case *amqp.ChannelCloseOk:
		if ch.closing {
			delete(c.channels, id)
		}
		return nil
	case *amqp.ChannelFlow:
		if ch.closing {
			return nil
		}
		if !m.Active {
			return amqp.Errorf(amqp.CodeNotImplemented, "active=false")
		}
		ch.sendReply(&amqp.ChannelFlowOk{Active: true})
		return nil
	}
	if ch.closing {
		return nil
	}
	return ch.dispatchMethod(m, msg)
}

// dispatchMethod handles the methods of an open channel; msg is the message of
// basic.publish.
func (ch *channel) dispatchMethod(m amqp.Method, msg *Message) *amqp.ReplyError {
	switch m := m.(type) {
	case *amqp.ExchangeDeclare:
		return ch.declareExchange(m)
	case *amqp.ExchangeDelete:
		return ch.deleteExchange(m)
	case *amqp.QueueDeclare:
		return ch.declareQueue(m)
	case *amqp.QueueBind:
		return ch.bindQueue(m)
	case *amqp.QueueUnbind:
		return ch.unbindQueue(m)
	case *amqp.QueuePurge:
		return ch.purgeQueue(m)
	case *amqp.QueueDelete:
		return ch.deleteQueue(m)
	case *amqp.ConfirmSelect:
		ch.confirm = true
		return ch.replyUnlessNoWait(m.NoWait, &amqp.ConfirmSelectOk{})
	case *amqp.BasicQos:
		return ch.setPrefetch(m)
	case *amqp.BasicConsume:
		return ch.startConsumer(m)
	case *amqp.BasicCancel:
		return ch.cancelConsumer(m)
	case *amqp.BasicPublish:
		return ch.publishMessage(m, msg)
	case *amqp.BasicGet:
		return ch.getMessage(m)
	case *amqp.BasicAck:
		return ch.settleDeliveries(m.Tag, m.Multiple, false)
	case *amqp.BasicNack:
		return ch.settleDeliveries(m.Tag, m.Multiple, m.Requeue)
	case *amqp.BasicReject:
		return ch.settleDeliveries(m.Tag, false, m.Requeue)
	case *amqp.BasicRecover:
		return ch.requeueUnacked(m.Requeue, &amqp.BasicRecoverOk{})
	case *amqp.BasicRecoverAsync:
		return ch.requeueUnacked(m.Requeue, nil)
	}
	return amqp.Errorf(amqp.CodeCommandInvalid, "'%s' is not for a server", amqp.SpecOf(m).Name)
}

func (ch *channel) sendReply(m amqp.Method) { ch.conn.sendMethod(ch.id, m, nil) }

// replyUnlessNoWait replies unless the client asked for none.
func (ch *channel) replyUnlessNoWait(noWait bool, m amqp.Method) *amqp.ReplyError {
	if !noWait {
		ch.sendReply(m)
	}
	return nil
}

// settleDeliveries acknowledges the delivery with that tag, or with multiple all
// up to it (tag 0: all); with requeue it returns them to their queues instead.
func (ch *channel) settleDeliveries(tag uint64, multiple, requeue bool) *amqp.ReplyError {
	i := sort.Search(len(ch.unacked), func(i int) bool { return ch.unacked[i].tag >= tag })
	found := i < len(ch.unacked) && ch.unacked[i].tag == tag
	from, to := i, i+1
	switch {
	case multiple && tag == 0:
		from, to = 0, len(ch.unacked)
	case !found:
		return amqp.Errorf(amqp.CodePreconditionFailed, "unknown delivery tag %d", tag)
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
	ch.finishDeliveries(settled, requeue)
	return nil
}

// finishDeliveries takes deliveries that were settled off the counts of their
// queues and consumers, then lets the queues deliver.
func (ch *channel) finishDeliveries(settled []unacked, requeue bool) {
	var queues []*queue
	for _, u := range settled {
		if u.consumer != nil {
			u.consumer.outstanding--
			ch.outstanding--
		}
		if requeue {
			u.message.queue.requeueMessage(u.message)
		} else {
			u.message.queue.settleMessage()
		}
		if !slices.Contains(queues, u.message.queue) {
			queues = append(queues, u.message.queue)
		}
	}
	for _, q := range queues {
		q.deliverReady()
	}
	if ch.prefetchGlobal > 0 {
		ch.resumeConsumers()
	}
}

// resumeConsumers lets the queues of the channel's consumers deliver.
func (ch *channel) resumeConsumers() {
	for _, cc := range ch.consumers {
		cc.queue.deliverReady()
	}
}

// endConsumers ends the channel's consumers and requeues what the channel has not
// acknowledged.
func (ch *channel) endConsumers() {
	for _, cc := range ch.consumers {
		ch.conn.broker.removeConsumer(cc.queue, cc)
	}
	clear(ch.consumers)
	settled := ch.unacked
	ch.unacked = nil
	ch.finishDeliveries(settled, true)
}
