package broker

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"chiltepin/globus/sandbox/amqp"
)

// ServerConfig configures a broker; the zero value of each field works.
type ServerConfig struct {
	// Report gets every event, from several goroutines at once; nil for
	// none.
	Report func(ConnectionEvent)
	// Now is the clock; nil for time.Now.
	Now func() time.Time
	// Heartbeat is the interval that clients are offered, in whole seconds. A
	// client may choose less; zero asks for none and leaves it to the client.
	Heartbeat time.Duration
	// FrameMax is the largest frame in bytes that clients are offered; zero
	// means 131072, as with RabbitMQ.
	FrameMax uint32
}

// Server is an AMQP 0-9-1 broker in the process: what pika, the Globus
// Compute SDK and amqp091-go need of one, answering as RabbitMQ does. It has
// the one virtual host "/", and forgets everything when it closes.
//
// One lock guards all that connections share. Nothing waits while it is held:
// what goes to a client is put on the connection's outbox, and a consumer
// whose outbox is full gets nothing more until it was emptied.
type Server struct {
	config ServerConfig
	faults faultList

	mu            sync.Mutex
	closed        bool
	wg            sync.WaitGroup // everything that runs
	listeners     map[net.Listener]bool
	connections   map[*connection]bool
	opened        int // connections so far
	users         map[string]user
	exchanges     map[string]*exchange
	queueByName   map[string]*queue
	subscriptions map[*subscription]bool
}

// New returns a broker that nobody can reach until Serve.
func New(cfg ServerConfig) *Server {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.FrameMax == 0 {
		cfg.FrameMax = 131072
	}
	b := &Server{
		config:        cfg,
		listeners:     map[net.Listener]bool{},
		connections:   map[*connection]bool{},
		users:         map[string]user{},
		exchanges:     map[string]*exchange{},
		queueByName:   map[string]*queue{},
		subscriptions: map[*subscription]bool{},
	}
	for name, kind := range map[string]string{"": "direct", "amq.direct": "direct", "amq.fanout": "fanout", "amq.topic": "topic"} {
		b.exchanges[name] = &exchange{name: name, kind: kind, durable: true}
	}
	return b
}

// Serve accepts AMQP 0-9-1 connections until l or the broker is closed. It may
// be called for several listeners; it returns nil after Close.
func (b *Server) Serve(l net.Listener) error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		l.Close()
		return nil
	}
	b.listeners[l] = true
	b.wg.Add(1)
	b.mu.Unlock()
	defer b.wg.Done()
	for {
		nc, err := l.Accept()
		if err != nil {
			l.Close()
			b.mu.Lock()
			delete(b.listeners, l)
			closed := b.closed
			b.mu.Unlock()
			if closed || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accepting AMQP connections: %w", err)
		}
		b.acceptConnection(nc)
	}
}

// acceptConnection starts serving one connection.
func (b *Server) acceptConnection(nc net.Conn) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		nc.Close()
		return
	}
	b.opened++
	c := newConnection(b, nc, b.opened)
	b.connections[c] = true
	b.wg.Add(1)
	b.mu.Unlock()
	go func() {
		defer b.wg.Done()
		c.serveClient()
	}()
}

// Close ends every listener and connection and waits until all of the broker's
// goroutines have ended; subscribers get nothing after that. No subscriber may
// call it, since it would wait for itself.
func (b *Server) Close() error {
	b.mu.Lock()
	b.closed = true
	for l := range b.listeners {
		l.Close()
	}
	for c := range b.connections {
		c.closeFromBroker(amqp.Errorf(amqp.CodeConnectionForced, "broker forced connection closure with reason 'shutdown'"))
		c.socket.SetDeadline(time.Now().Add(farewellTime / 5))
	}
	for s := range b.subscriptions {
		s.endSubscription()
	}
	b.mu.Unlock()
	b.wg.Wait()
	return nil
}
