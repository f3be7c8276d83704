package sandbox

import (
	"bufio"
	"net"
	"time"
)

// write sends what is put in the outbox until it is finished or the client is
// gone, and heartbeats while there is nothing. When the client is gone it
// closes the socket, so that the reader sees it too.
func (c *brokerConn) write() {
	defer c.out.finish()
	w := bufio.NewWriterSize(c.nc, 64<<10)
	for {
		items, last := c.out.take()
		for _, it := range items {
			if err := c.writeItem(w, it); err != nil {
				c.nc.Close()
				return
			}
			if c.out.wrote(it) {
				c.feed()
			}
		}
		if len(items) > 0 {
			continue
		}
		if w.Flush() != nil {
			c.nc.Close()
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
		case <-c.out.wake:
		case <-beat:
			if !c.mute.Load() {
				w.Write(appendAMQPFrame(nil, amqpFrame{Type: amqpFrameHeartbeat}))
			}
		}
	}
}

// writeItem writes a method and, in as many frames as it takes, its message.
func (c *brokerConn) writeItem(w *bufio.Writer, it outItem) error {
	if c.mute.Load() {
		return nil
	}
	c.journal(it.user, "out", it.channel, it.method, it.message, "")
	p, err := appendAMQPMethod(nil, it.method)
	if err != nil {
		return err
	}
	out := appendAMQPFrame(nil, amqpFrame{amqpFrameMethod, it.channel, p})
	if it.message == nil {
		_, err = w.Write(out)
		return err
	}
	body := it.message.Body
	p, err = appendAMQPHeader(nil, amqpHeader{uint64(len(body)), it.message.Properties})
	if err != nil {
		return err
	}
	if _, err = w.Write(appendAMQPFrame(out, amqpFrame{amqpFrameHeader, it.channel, p})); err != nil {
		return err
	}
	most := int(c.frameMax.Load()) - amqpFrameOverhead
	for len(body) > 0 {
		n := min(len(body), most)
		if _, err = w.Write(appendAMQPFrame(nil, amqpFrame{amqpFrameBody, it.channel, body[:n]})); err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}

// feed goes on with the consumers that had to wait for this client to read.
func (c *brokerConn) feed() {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	for _, ch := range c.channels {
		ch.feed()
	}
}

// reset breaks the connection without a word.
func (c *brokerConn) reset() {
	if t, ok := c.nc.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.nc.Close()
}
