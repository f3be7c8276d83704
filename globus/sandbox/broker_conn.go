package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	brokerHandshakeTime = 10 * time.Second // until connection.open
	brokerFarewellTime  = 5 * time.Second  // for connection.close-ok, and for the last bytes to leave
	brokerChannelMax    = 2047
	brokerFrameMin      = 4096
	brokerMessageMax    = 128 << 20
)

// errConnDone ends a connection that said good-bye.
var errConnDone = errors.New("closed in order")

// brokerConn is a client's connection. One goroutine reads and handles, one
// writes.
type brokerConn struct {
	b     *broker
	nc    net.Conn
	label string
	out   *outbox

	frameMax  atomic.Uint32 // bytes, as negotiated
	heartbeat atomic.Int64  // a time.Duration, as negotiated
	mute      atomic.Bool   // a fault: nothing is said any more
	down      chan struct{} // closed when it ends, for those who wait

	// The reader's own.
	expects string // next method of the handshake; "" when it is over
	partial map[uint16]*partial

	// Guarded by the broker's lock; user and rights are the reader's to set.
	user     string
	rights   brokerUser
	able     map[string]any // the client's capabilities
	closing  bool           // connection.close was sent, or is due
	channels map[uint16]*brokerChannel
}

func newBrokerConn(b *broker, nc net.Conn, number int) *brokerConn {
	c := &brokerConn{
		b: b, nc: nc, label: fmt.Sprintf("conn#%d", number), out: newOutbox(), down: make(chan struct{}),
		partial: map[uint16]*partial{}, channels: map[uint16]*brokerChannel{},
	}
	c.frameMax.Store(b.cfg.frameMax)
	return c
}

// serve handles the connection until its end.
func (c *brokerConn) serve() {
	if fault, ok := c.b.faults.strike("", "", "refuse"); ok {
		c.event("opened", "", fault.Kind)
		c.reset()
		c.leave()
		return
	}
	c.event("opened", "", "")
	written := make(chan struct{})
	err := c.greet()
	go func() {
		defer close(written)
		c.write()
	}()
	if err == nil {
		err = c.read()
	}
	c.leave()
	c.nc.SetDeadline(time.Now().Add(brokerFarewellTime / 5))
	c.out.finish()
	<-written
	if err == errConnDone {
		// It is for the client to hang up: one that has not read close-ok yet
		// must not find the connection gone.
		io.Copy(io.Discard, c.nc)
	}
	c.nc.Close()
	c.event("closed", err.Error(), "")
}

// leave gives back everything that the connection had.
func (c *brokerConn) leave() {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	c.release()
	c.closing = true
	delete(c.b.conns, c)
}

// greet reads the client's preamble. To one of another protocol it answers
// with the one that it speaks.
func (c *brokerConn) greet() error {
	c.nc.SetDeadline(time.Now().Add(brokerHandshakeTime))
	var hello [len(amqpPreamble)]byte
	if _, err := io.ReadFull(c.nc, hello[:]); err != nil {
		return fmt.Errorf("waiting for the client: %w", err)
	}
	if string(hello[:]) != amqpPreamble {
		io.WriteString(c.nc, amqpPreamble)
		return fmt.Errorf("the client began with %q", hello)
	}
	c.nc.SetWriteDeadline(time.Time{})
	c.start()
	return nil
}

// read handles frames until the connection ends.
func (c *brokerConn) read() error {
	r := bufio.NewReaderSize(c.nc, 64<<10)
	for {
		if d := time.Duration(c.heartbeat.Load()); d > 0 && !c.isClosing() {
			c.nc.SetReadDeadline(time.Now().Add(2 * d))
		}
		f, err := readAMQPFrame(r, c.frameMax.Load())
		if errors.Is(err, errAMQPFrame) {
			// Where the next frame begins is not known any more.
			c.fail(0, nil, amqpErrorf(amqpFrameError, "%v", err))
			c.nc.SetReadDeadline(time.Now().Add(brokerFarewellTime / 5))
			io.Copy(io.Discard, r)
			return err
		}
		if err == io.EOF {
			return errors.New("the client hung up")
		}
		if err != nil {
			return err
		}
		if err := c.frame(f); err != nil {
			return err
		}
		for c.out.isFull() {
			select {
			case <-c.out.room:
			case <-c.down:
				return errConnDone
			}
		}
	}
}

func (c *brokerConn) isClosing() bool {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	return c.closing
}

// send puts a method on its way, with a message or nil.
func (c *brokerConn) send(channel uint16, m amqpMethod, msg *message) {
	c.out.put(outItem{channel, c.user, m, msg})
}

// fail answers an error: by closing the channel, or the connection when it is
// grave. m is what it was about, nil for none.
func (c *brokerConn) fail(channel uint16, m amqpMethod, err *amqpError) {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	c.failLocked(channel, m, err)
}

func (c *brokerConn) failLocked(channel uint16, m amqpMethod, err *amqpError) {
	var s amqpSpec
	if m != nil {
		s = m.spec()
	}
	ch := c.channels[channel]
	if err.hard() || ch == nil {
		c.closeFor(err, s)
		return
	}
	ch.release()
	ch.closing = true
	c.send(channel, &amqpChannelClose{Code: err.Code, Text: err.Text, Class: s.class, Method: s.method}, nil)
}

// close ends the connection as the protocol wants it, from the broker's side.
// The broker is locked.
func (c *brokerConn) close(err *amqpError) { c.closeFor(err, amqpSpec{}) }

func (c *brokerConn) closeFor(err *amqpError, s amqpSpec) {
	if c.closing {
		return
	}
	c.release()
	c.closing = true
	if c.mute.Load() { // it can hear no good-bye
		c.reset()
		return
	}
	c.send(0, &amqpConnectionClose{Code: err.Code, Text: err.Text, Class: s.class, Method: s.method}, nil)
	c.nc.SetDeadline(time.Now().Add(brokerFarewellTime))
}

// release gives back the messages, consumers and queues of the connection.
// The broker is locked.
func (c *brokerConn) release() {
	for _, ch := range c.channels {
		ch.release()
	}
	clear(c.channels)
	for _, q := range c.b.byName {
		if q.owner == c {
			c.b.removeQueue(q)
		}
	}
	select {
	case <-c.down:
	default:
		close(c.down)
	}
}
