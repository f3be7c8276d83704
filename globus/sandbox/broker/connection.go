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

// errConnDone ends a connection that was closed as the protocol has it.
var errConnDone = errors.New("closed by connection.close")

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

	// Used by the reading goroutine only.
	expectedMethod string // next method of the handshake; "" when it is over
	partial        map[uint16]*partialMessage

	// Guarded by the broker's lock; only the reading goroutine sets user and
	// rights.
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
		// The client closes the socket: it may not have read close-ok yet.
		io.Copy(io.Discard, c.socket)
	}
	c.socket.Close()
	c.reportEvent("closed", err.Error(), "")
}

// leaveBroker releases everything that the connection holds, and forgets it.
func (c *connection) leaveBroker() {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	c.releaseEntities()
	c.closing = true
	delete(c.broker.connections, c)
}

// readPreamble reads the client's preamble. The answer to one of another protocol
// is the preamble of this one.
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
			// Where the next frame begins is unknown.
			c.replyError(0, nil, amqp.Errorf(amqp.CodeFrameError, "%v", err))
			c.socket.SetReadDeadline(time.Now().Add(farewellTime / 5))
			io.Copy(io.Discard, r)
			return err
		}
		if err == io.EOF {
			return errors.New("the client closed the socket")
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

// sendMethod puts a method into the outbox, with its message or nil.
func (c *connection) sendMethod(channel uint16, m amqp.Method, msg *Message) {
	c.outbox.addItem(outItem{channel: channel, user: c.user, method: m, message: msg})
}

// replyError closes the channel with an error, or the connection when the error
// demands it. m is the method that was wrong, nil for none.
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

// closeFromBroker sends connection.close. The broker is locked.
func (c *connection) closeFromBroker(err *amqp.ReplyError) { c.closeWithError(err, amqp.MethodSpec{}) }

func (c *connection) closeWithError(err *amqp.ReplyError, s amqp.MethodSpec) {
	if c.closing {
		return
	}
	c.releaseEntities()
	c.closing = true
	if c.muted.Load() { // connection.close would not be sent either
		c.resetSocket()
		return
	}
	c.sendMethod(0, &amqp.ConnectionClose{Code: err.Code, Text: err.Text, Class: s.Class, Method: s.Method}, nil)
	c.socket.SetDeadline(time.Now().Add(farewellTime))
}

// releaseEntities ends the consumers of the connection, requeues what it has not
// acknowledged and deletes its exclusive queues. The broker is locked.
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
