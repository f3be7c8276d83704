package broker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"chiltepin/globus/sandbox/amqp"
)

const (
	handshakeTime = 10 * time.Second // until connection.open
	farewellTime  = 5 * time.Second  // for connection.close-ok, and for the last bytes to leave
	channelMax    = 2047
	frameMin      = 4096
	messageMax    = 128 << 20
)

// errConnDone ends a connection that said good-bye.
var errConnDone = errors.New("closed in order")

// connection is a client's connection. One goroutine reads and handles, one
// writes.
type connection struct {
	broker *Server
	socket net.Conn
	label  string
	outbox *outbox

	frameMax  atomic.Uint32 // bytes, as negotiated
	heartbeat atomic.Int64  // a time.Duration, as negotiated
	muted     atomic.Bool   // a fault: nothing is said any more
	ended     chan struct{} // closed when it ends, for those who wait

	// The reader's own.
	expectedMethod string // next method of the handshake; "" when it is over
	partial        map[uint16]*partialMessage

	// Guarded by the broker's lock; user and rights are the reader's to set.
	user         string
	rights       user
	capabilities map[string]any // the client's capabilities
	closing      bool           // connection.close was sent, or is due
	channels     map[uint16]*channel
}

func newConnection(b *Server, nc net.Conn, number int) *connection {
	c := &connection{
		broker: b, socket: nc, label: fmt.Sprintf("conn#%d", number), outbox: newOutbox(), ended: make(chan struct{}),
		partial: map[uint16]*partialMessage{}, channels: map[uint16]*channel{},
	}
	c.frameMax.Store(b.config.FrameMax)
	return c
}

// serveClient handles the connection until its end.
func (c *connection) serveClient() {
	if fault, ok := c.broker.faults.takeFault("", "", "refuse"); ok {
		c.reportEvent("opened", "", fault.Kind)
		c.resetSocket()
		c.leaveBroker()
		return
	}
	c.reportEvent("opened", "", "")
	written := make(chan struct{})
	err := c.readPreamble()
	go func() {
		defer close(written)
		c.writeItems()
	}()
	if err == nil {
		err = c.readFrames()
	}
	c.leaveBroker()
	c.socket.SetDeadline(time.Now().Add(farewellTime / 5))
	c.outbox.addNoMore()
	<-written
	if err == errConnDone {
		// It is for the client to hang up: one that has not read close-ok yet
		// must not find the connection gone.
		io.Copy(io.Discard, c.socket)
	}
	c.socket.Close()
	c.reportEvent("closed", err.Error(), "")
}

// leaveBroker gives back everything that the connection had.
func (c *connection) leaveBroker() {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	c.releaseEntities()
	c.closing = true
	delete(c.broker.connections, c)
}

// readPreamble reads the client's preamble. To one of another protocol it answers
// with the one that it speaks.
func (c *connection) readPreamble() error {
	c.socket.SetDeadline(time.Now().Add(handshakeTime))
	var hello [len(amqp.Preamble)]byte
	if _, err := io.ReadFull(c.socket, hello[:]); err != nil {
		return fmt.Errorf("waiting for the client: %w", err)
	}
	if string(hello[:]) != amqp.Preamble {
		io.WriteString(c.socket, amqp.Preamble)
		return fmt.Errorf("the client began with %q", hello)
	}
	c.socket.SetWriteDeadline(time.Time{})
	c.sendStart()
	return nil
}

// readFrames handles frames until the connection ends.
func (c *connection) readFrames() error {
	r := bufio.NewReaderSize(c.socket, 64<<10)
	for {
		if d := time.Duration(c.heartbeat.Load()); d > 0 && !c.isClosing() {
			c.socket.SetReadDeadline(time.Now().Add(2 * d))
		}
		f, err := amqp.ReadFrame(r, c.frameMax.Load())
		if errors.Is(err, amqp.ErrFrame) {
			// Where the next frame begins is not known any more.
			c.replyError(0, nil, amqp.Errorf(amqp.CodeFrameError, "%v", err))
			c.socket.SetReadDeadline(time.Now().Add(farewellTime / 5))
			io.Copy(io.Discard, r)
			return err
		}
		if err == io.EOF {
			return errors.New("the client hung up")
		}
		if err != nil {
			return err
		}
		if err := c.handleFrame(f); err != nil {
			return err
		}
		for c.outbox.isFull() {
			select {
			case <-c.outbox.room:
			case <-c.ended:
				return errConnDone
			}
		}
	}
}

func (c *connection) isClosing() bool {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	return c.closing
}

// sendMethod puts a method on its way, with a message or nil.
func (c *connection) sendMethod(channel uint16, m amqp.Method, msg *Message) {
	c.outbox.addItem(outItem{channel: channel, user: c.user, method: m, message: msg})
}

// replyError answers an error: by closing the channel, or the connection when it is
// grave. m is what it was about, nil for none.
func (c *connection) replyError(channel uint16, m amqp.Method, err *amqp.ReplyError) {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	c.replyErrorLocked(channel, m, err)
}

func (c *connection) replyErrorLocked(channel uint16, m amqp.Method, err *amqp.ReplyError) {
	var s amqp.MethodSpec
	if m != nil {
		s = amqp.SpecOf(m)
	}
	ch := c.channels[channel]
	if err.ClosesConnection() || ch == nil {
		c.closeWithError(err, s)
		return
	}
	ch.endConsumers()
	ch.closing = true
	c.sendMethod(channel, &amqp.ChannelClose{Code: err.Code, Text: err.Text, Class: s.Class, Method: s.Method}, nil)
}

// closeFromBroker ends the connection as the protocol wants it, from the broker's side.
// The broker is locked.
func (c *connection) closeFromBroker(err *amqp.ReplyError) { c.closeWithError(err, amqp.MethodSpec{}) }

func (c *connection) closeWithError(err *amqp.ReplyError, s amqp.MethodSpec) {
	if c.closing {
		return
	}
	c.releaseEntities()
	c.closing = true
	if c.muted.Load() { // it can hear no good-bye
		c.resetSocket()
		return
	}
	c.sendMethod(0, &amqp.ConnectionClose{Code: err.Code, Text: err.Text, Class: s.Class, Method: s.Method}, nil)
	c.socket.SetDeadline(time.Now().Add(farewellTime))
}

// releaseEntities gives back the messages, consumers and queues of the connection.
// The broker is locked.
func (c *connection) releaseEntities() {
	for _, ch := range c.channels {
		ch.endConsumers()
	}
	clear(c.channels)
	for _, q := range c.broker.queueByName {
		if q.owner == c {
			c.broker.removeQueue(q)
		}
	}
	select {
	case <-c.ended:
	default:
		close(c.ended)
	}
}
