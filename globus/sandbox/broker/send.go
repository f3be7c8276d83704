package broker

import (
	"bufio"
	"net"
	"time"

	"chiltepin/globus/sandbox/amqp"
)

// writeItems sends what is put in the outbox until it is finished or the client is
// gone, and heartbeats while there is nothing. When the client is gone it
// closes the socket, so that the reader sees it too.
func (c *connection) writeItems() {
	defer c.outbox.addNoMore()
	w := bufio.NewWriterSize(c.socket, 64<<10)
	for {
		items, last := c.outbox.takeItems()
		for _, it := range items {
			if err := c.writeItem(w, it); err != nil {
				c.socket.Close()
				return
			}
			if c.outbox.itemWritten(it) {
				c.resumeConsumers()
			}
		}
		if len(items) > 0 {
			continue
		}
		if w.Flush() != nil {
			c.socket.Close()
			return
		}
		if last {
			return
		}
		var beat <-chan time.Time
		if d := time.Duration(c.heartbeat.Load()); d > 0 {
			beat = time.After(d / 2)
		}
		select {
		case <-c.outbox.wake:
		case <-beat:
			if !c.muted.Load() {
				w.Write(amqp.AppendFrame(nil, amqp.Frame{Type: amqp.FrameHeartbeat}))
			}
		}
	}
}

// writeItem writes a method and, in as many frames as it takes, its message.
func (c *connection) writeItem(w *bufio.Writer, it outItem) error {
	if c.muted.Load() {
		return nil
	}
	c.reportMethod(ConnectionEvent{Direction: "out", User: it.user, Channel: it.channel, Queue: it.queue}, it.method, it.message)
	p, err := amqp.AppendMethod(nil, it.method)
	if err != nil {
		return err
	}
	out := amqp.AppendFrame(nil, amqp.Frame{Type: amqp.FrameMethod, Channel: it.channel, Payload: p})
	if it.message == nil {
		_, err = w.Write(out)
		return err
	}
	body := it.message.Body
	p, err = amqp.AppendHeader(nil, amqp.Header{Size: uint64(len(body)), Properties: it.message.Properties})
	if err != nil {
		return err
	}
	if _, err = w.Write(amqp.AppendFrame(out, amqp.Frame{Type: amqp.FrameHeader, Channel: it.channel, Payload: p})); err != nil {
		return err
	}
	most := int(c.frameMax.Load()) - amqp.FrameOverhead
	for len(body) > 0 {
		n := min(len(body), most)
		if _, err = w.Write(amqp.AppendFrame(nil, amqp.Frame{Type: amqp.FrameBody, Channel: it.channel, Payload: body[:n]})); err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}

// resumeConsumers goes on with the consumers that had to wait for this client to read.
func (c *connection) resumeConsumers() {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	for _, ch := range c.channels {
		ch.resumeConsumers()
	}
}

// resetSocket breaks the connection without a word.
func (c *connection) resetSocket() {
	if t, ok := c.socket.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.socket.Close()
}
