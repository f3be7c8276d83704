package broker

import (
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"chiltepin/globus/sandbox/amqp"
)

func TestBrokerFaults(t *testing.T) {
	t.Parallel()
	dial := func(user string, target amqpTarget) error {
		c, err := amqp091.DialConfig("amqp://"+user+":"+amqpPassword+"@"+target.address, amqp091.Config{Dial: amqp091.DefaultDial(time.Second)})
		if err == nil {
			c.Close()
		}
		return err
	}
	t.Run("refuse", func(t *testing.T) {
		t.Parallel()
		b, target := startBrokerItself(t, ServerConfig{})
		b.AddFault(ConnectionFault{Kind: "refuse", Times: 1})
		if dial("all", target) == nil {
			t.Error("the first connection was taken")
		}
		must(t, dial("all", target))
	})
	t.Run("auth", func(t *testing.T) {
		t.Parallel()
		b, target := startBrokerItself(t, ServerConfig{})
		b.AddFault(ConnectionFault{Kind: "auth", User: "some"})
		for range 2 {
			if err := dial("some", target); !errors.Is(err, amqp091.ErrCredentials) {
				t.Errorf("got %v", err)
			}
		}
		must(t, dial("all", target))
		b.ClearFaults()
		must(t, dial("some", target))
	})
	t.Run("close", func(t *testing.T) {
		t.Parallel()
		b, target := startBrokerItself(t, ServerConfig{})
		must(t, b.DeclareQueue("some.q"))
		b.AddFault(ConnectionFault{Kind: "close", Method: "basic.publish", After: 1, Times: 1})
		c := dialBroker(t, target, "all")
		closed := c.NotifyClose(make(chan *amqp091.Error, 1))
		ch := openChannel(t, c)
		must(t, ch.Publish("", "some.q", false, false, amqp091.Publishing{Body: []byte("in time")}))
		must(t, ch.Publish("", "some.q", false, false, amqp091.Publishing{Body: []byte("too late")}))
		if e := receive(t, closed); e == nil || e.Server {
			t.Errorf("closed with %v, want a broken connection", e)
		}
		if q := b.Queues(); q[0].Ready != 1 {
			t.Errorf("%d messages came through, want 1", q[0].Ready)
		}
		must(t, openChannel(t, dialBroker(t, target, "all")).Publish("", "some.q", false, false, amqp091.Publishing{}))
	})
	t.Run("silent", func(t *testing.T) {
		t.Parallel()
		b, target := startBrokerItself(t, ServerConfig{})
		must(t, b.DeclareQueue("q"))
		b.AddFault(ConnectionFault{Kind: "silent", Method: "queue.declare", Times: 1})
		mute, well := openChannel(t, dialBroker(t, target, "all")), openChannel(t, dialBroker(t, target, "all"))
		in, err := mute.Consume("q", "", true, false, false, false, nil)
		must(t, err)
		answered := make(chan error, 1)
		go func() {
			_, err := mute.QueueDeclarePassive("q", true, false, false, false, nil)
			answered <- err
		}()
		select {
		case err := <-answered:
			t.Errorf("answered %v", err)
		case <-time.After(lull):
		}
		must(t, b.Publish("", "q", amqp.Properties{}, []byte("for somebody else")))
		heard, err := well.Consume("q", "", true, false, false, false, nil)
		must(t, err)
		receive(t, heard)
		select {
		case <-in:
			t.Error("a message was delivered in silence")
		default:
		}
		b.CloseConnections("")
		if err := receive(t, answered); err == nil {
			t.Error("answered after all")
		}
	})
	t.Run("delay", func(t *testing.T) {
		t.Parallel()
		b, target := startBrokerItself(t, ServerConfig{})
		b.AddFault(ConnectionFault{Kind: "delay", Method: "channel.open", Delay: 10 * lull, Times: 1})
		c := dialBroker(t, target, "all")
		begin := time.Now()
		openChannel(t, c)
		if took := time.Since(begin); took < 10*lull {
			t.Errorf("answered after %s", took)
		}
		begin = time.Now()
		openChannel(t, c)
		if took := time.Since(begin); took >= 10*lull {
			t.Errorf("the fault is over, and the answer took %s", took)
		}
	})
	t.Run("withhold", func(t *testing.T) {
		t.Parallel()
		b, target := startBrokerItself(t, ServerConfig{})
		must(t, b.DeclareQueue("some.q"))
		b.AddFault(ConnectionFault{Kind: "withhold", User: "some"})
		in, err := openChannel(t, dialBroker(t, target, "some")).Consume("some.q", "", true, false, false, false, nil)
		must(t, err)
		must(t, b.Publish("", "some.q", amqp.Properties{}, nil))
		select {
		case <-in:
			t.Error("delivered")
		case <-time.After(lull):
		}
		b.ClearFaults()
		receive(t, in)
	})
}

// pipeListener hands out one end of pipes, so that a broker can be served in
// a bubble of testing/synctest.
type pipeListener struct {
	ends chan net.Conn
	done chan struct{}
	once sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ends:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *pipeListener) dial() net.Conn {
	ours, theirs := net.Pipe()
	l.ends <- theirs
	return ours
}

// inBubble serves a broker over pipes; the bubble sees that nothing of it is
// left.
func inBubble(t *testing.T, cfg ServerConfig, test func(t *testing.T, b *Server, l *pipeListener)) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipeListener{ends: make(chan net.Conn), done: make(chan struct{})}
		b := New(cfg)
		b.AddUser("all", amqpPassword)
		served := make(chan error)
		go func() { served <- b.Serve(l) }()
		test(t, b, l)
		b.Close()
		must(t, <-served)
	})
}

func openPipe(t *testing.T, l *pipeListener, heartbeat time.Duration) *amqp091.Connection {
	t.Helper()
	c, err := amqp091.Open(l.dial(), amqp091.Config{
		SASL: []amqp091.Authentication{&amqp091.PlainAuth{Username: "all", Password: amqpPassword}}, Vhost: "/", Heartbeat: heartbeat,
	})
	must(t, err)
	return c
}

func TestBrokerHeartbeats(t *testing.T) {
	t.Parallel()
	// A client that waits for heartbeats lives for as long as they come, though
	// nobody has anything to say.
	inBubble(t, ServerConfig{Heartbeat: 60 * time.Second}, func(t *testing.T, b *Server, l *pipeListener) {
		c := openPipe(t, l, 10*time.Second)
		time.Sleep(time.Hour)
		if c.IsClosed() {
			t.Error("the connection was lost")
		}
		if _, err := c.Channel(); err != nil {
			t.Error(err)
		}
		c.Close()
	})
	// One that says nothing is given up after two intervals.
	inBubble(t, ServerConfig{}, func(t *testing.T, b *Server, l *pipeListener) {
		nc := l.dial()
		c := &wireClient{nc: nc, r: bufioReader(nc)}
		c.tune(2047, 131072, 10)
		c.call(0, &amqp.ConnectionOpen{VHost: "/"}, "connection.open-ok")
		begin := time.Now()
		for beats := 0; ; beats++ {
			if got := c.next(); got == "hung up" {
				if beats < 2 || beats > 4 {
					t.Errorf("%d heartbeats came in twenty seconds", beats)
				}
				break
			} else if got != "heartbeat" {
				t.Errorf("got %q", got)
			}
		}
		if took := time.Since(begin); took != 20*time.Second {
			t.Errorf("given up after %s, want 20s", took)
		}
		nc.Close()
	})
}

func TestBrokerHandshakeTime(t *testing.T) {
	t.Parallel()
	inBubble(t, ServerConfig{}, func(t *testing.T, b *Server, l *pipeListener) {
		nc := l.dial()
		begin := time.Now()
		if _, err := nc.Read(make([]byte, 1)); err == nil {
			t.Error("the broker spoke first")
		}
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("hung up after %s, want 10s", took)
		}
	})
}

// TestBrokerClose: whatever clients do, nothing is left and it does not take
// long.
func TestBrokerClose(t *testing.T) {
	t.Parallel()
	inBubble(t, ServerConfig{}, func(t *testing.T, b *Server, l *pipeListener) {
		must(t, b.DeclareQueue("q"))
		idle := openPipe(t, l, 0)
		closed := idle.NotifyClose(make(chan *amqp091.Error, 1))
		stranger := l.dial() // says nothing
		defer stranger.Close()
		deaf := &wireClient{nc: l.dial()} // consumes, and does not read
		deaf.r = bufioReader(deaf.nc)
		deaf.open()
		deaf.call(1, &amqp.BasicConsume{Queue: "q"}, "basic.consume-ok")
		for range 100 {
			must(t, b.Publish("", "q", amqp.Properties{}, make([]byte, 100_000)))
		}
		stop := make(chan bool)
		if _, err := b.Subscribe("q", func(Message) { <-stop }); err != nil {
			t.Error(err)
		}
		time.AfterFunc(time.Second/2, func() { close(stop) })
		begin := time.Now()
		b.Close()
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("closing took %s", took)
		}
		if e := <-closed; e.Code != 320 || e.Reason != "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'" {
			t.Errorf("closed with %v", e)
		}
		deaf.hangUp()
		if _, err := b.Subscribe("q", nil); err == nil {
			t.Error("a closed broker takes subscribers")
		}
	})
}

// TestBrokerSlowConsumer: a client that does not read holds up nobody else,
// and no more than a bounded part of the queue waits for it.
func TestBrokerSlowConsumer(t *testing.T) {
	t.Parallel()
	inBubble(t, ServerConfig{}, func(t *testing.T, b *Server, l *pipeListener) {
		must(t, b.DeclareQueue("q"))
		slow := &wireClient{nc: l.dial()}
		slow.r = bufioReader(slow.nc)
		slow.open()
		slow.call(1, &amqp.BasicConsume{Queue: "q", NoAck: true}, "basic.consume-ok")
		const size, count = 100_000, 100
		for range count {
			must(t, b.Publish("", "q", amqp.Properties{}, make([]byte, size)))
		}
		synctest.Wait()
		left := b.Queues()[0].Ready
		if waits := (count - left) * size; waits > 2*outboxDeliveries {
			t.Errorf("%d bytes wait for a client that does not read", waits)
		}
		// Now it reads, and gets all of them.
		for n := 0; n < count; {
			switch got := slow.next(); got {
			case "basic.deliver":
				n++
			case "frame of type 2", "frame of type 3":
			default:
				t.Fatalf("after %d messages: %q", n, got)
			}
		}
		if left := b.Queues()[0].Ready; left != 0 {
			t.Errorf("%d messages are left", left)
		}
		slow.hangUp()
	})
}
