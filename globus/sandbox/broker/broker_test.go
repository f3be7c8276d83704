package broker

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	amqp091 "github.com/rabbitmq/amqp091-go"

	"chiltepin/globus/sandbox/amqp"
)

// startBroker serves a broker on a loopback port until the test ends.
func startBroker(t *testing.T, cfg ServerConfig) amqpTarget {
	t.Helper()
	_, target := startBrokerItself(t, cfg)
	return target
}

func startBrokerItself(t *testing.T, cfg ServerConfig) (*Server, amqpTarget) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := New(cfg)
	b.AddUser("all", amqpPassword)
	b.AddUser("some", amqpPassword, "some.*")
	served := make(chan error, 1)
	go func() { served <- b.Serve(l) }()
	t.Cleanup(func() {
		b.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return b, amqpTarget{address: l.Addr().String(), run: "t"}
}

// dialBroker connects as a user, until the test ends.
func dialBroker(t *testing.T, target amqpTarget, user string) *amqp091.Connection {
	t.Helper()
	c, err := amqp091.Dial("amqp://" + user + ":" + amqpPassword + "@" + target.address + "/%2F")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func openChannel(t *testing.T, c *amqp091.Connection) *amqp091.Channel {
	t.Helper()
	ch, err := c.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// must ends the test at an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// receive waits for what a test cannot go on without.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestBrokerInside(t *testing.T) {
	t.Parallel()
	b, target := startBrokerItself(t, ServerConfig{})
	must(t, b.DeclareExchange("heartbeats", "topic"))
	must(t, b.DeclareExchange("heartbeats", "topic"))
	must(t, b.DeclareQueue("beats"))
	must(t, b.DeclareQueue("beats"))
	must(t, b.Bind("beats", "heartbeats", "*.heartbeats"))
	got := make(chan Message, 10)
	cancel, err := b.Subscribe("beats", func(m Message) { got <- m })
	must(t, err)

	// From a client to the service.
	ch := openChannel(t, dialBroker(t, target, "all"))
	sent := time.Unix(1790000000, 0)
	must(t, ch.Publish("heartbeats", "1.heartbeats", true, false, amqp091.Publishing{
		ContentType: "application/json", Headers: amqp091.Table{"a": int64(1)}, Timestamp: sent, DeliveryMode: 2, Body: []byte("one"),
	}))
	want := Message{Exchange: "heartbeats", RoutingKey: "1.heartbeats", Body: []byte("one"), Properties: amqp.Properties{
		ContentType: "application/json", Headers: map[string]any{"a": int64(1)}, Timestamp: sent.UTC(), DeliveryMode: 2,
	}}
	if diff := cmp.Diff(want, receive(t, got)); diff != "" {
		t.Errorf("subscriber (-want +got):\n%s", diff)
	}

	// From the service to a client.
	must(t, b.DeclareQueue("1.commands"))
	in, err := ch.Consume("1.commands", "", false, false, false, false, nil)
	must(t, err)
	must(t, b.Publish("", "1.commands", amqp.Properties{ContentType: "application/json", Timestamp: sent, Headers: map[string]any{"debug": true, "n": 5}}, []byte("start")))
	d := receive(t, in)
	if string(d.Body) != "start" || d.ContentType != "application/json" || !d.Timestamp.Equal(sent) || d.RoutingKey != "1.commands" {
		t.Errorf("the client got %+v", d)
	}
	if diff := cmp.Diff(amqp091.Table{"debug": true, "n": int64(5)}, d.Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	wantQueues := []QueueState{{Name: "1.commands", Unacked: 1, Consumers: 1}, {Name: "beats", Consumers: 1}}
	if diff := cmp.Diff(wantQueues, b.Queues()); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}

	cancel()
	cancel()
	must(t, b.Publish("heartbeats", "2.heartbeats", amqp.Properties{}, []byte("kept")))
	canceled := ch.NotifyCancel(make(chan string, 1))
	must(t, b.DeleteQueue("1.commands"))
	must(t, b.DeleteQueue("1.commands"))
	receive(t, canceled)
	if diff := cmp.Diff([]QueueState{{Name: "beats", Ready: 1}}, b.Queues()); diff != "" {
		t.Errorf("queues at the end (-want +got):\n%s", diff)
	}
}

func TestBrokerInsideErrors(t *testing.T) {
	t.Parallel()
	b := New(ServerConfig{})
	defer b.Close()
	must(t, b.DeclareExchange("x", "direct"))
	must(t, b.DeclareQueue("q"))
	_, subscribeErr := b.Subscribe("nowhere", nil)
	for _, test := range []struct {
		err  error
		want string
	}{
		{b.DeclareExchange("x", "fanout"), `declaring exchange "x": it exists with kind direct, not fanout`},
		{b.DeclareExchange("y", "headers"), `declaring exchange "y": unknown kind "headers"`},
		{b.DeclareQueue(""), `declaring queue: it has no name`},
		{b.Bind("q", "", "k"), `binding queue "q": the default exchange cannot be bound`},
		{b.Bind("nowhere", "x", "k"), `binding queue "nowhere": no such queue`},
		{b.Bind("q", "nowhere", "k"), `binding queue "q": no such exchange "nowhere"`},
		{b.Publish("nowhere", "k", amqp.Properties{}, nil), `publishing to exchange "nowhere": no such exchange`},
		{b.Publish("x", "k", amqp.Properties{}, nil), `publishing to exchange "x" with key "k": no queue is bound with that key`},
		{b.Publish("", "nowhere", amqp.Properties{}, nil), `publishing to exchange "" with key "nowhere": no queue is bound with that key`},
		{b.Publish("", "q", amqp.Properties{Headers: map[string]any{"a": struct{}{}}}, nil), `publishing to exchange "": writing content header: field "a": a struct {} cannot be sent`},
		{subscribeErr, `subscribing to queue "nowhere": no such queue`},
	} {
		if test.err == nil || test.err.Error() != test.want {
			t.Errorf("got %v, want %q", test.err, test.want)
		}
	}
	if err := b.Publish("x", "k", amqp.Properties{}, nil); !errors.Is(err, ErrUnroutable) {
		t.Errorf("%v is no errUnroutable", err)
	}
}

// TestBrokerSubscriberOrder: one message at a time, each settled when the
// function returns, which may publish itself.
func TestBrokerSubscriberOrder(t *testing.T) {
	t.Parallel()
	b := New(ServerConfig{})
	defer b.Close()
	must(t, b.DeclareQueue("in"))
	must(t, b.DeclareQueue("out"))
	for i := range 100 {
		must(t, b.Publish("", "in", amqp.Properties{}, fmt.Append(nil, i)))
	}
	done := make(chan string, 1)
	var seen []string
	var during []QueueState
	_, err := b.Subscribe("in", func(m Message) {
		if len(seen) == 0 {
			during = b.Queues()
		}
		seen = append(seen, string(m.Body))
		if err := b.Publish("", "out", m.Properties, m.Body); err != nil {
			t.Error(err)
		}
		if len(seen) == 100 {
			done <- strings.Join(seen, " ")
		}
	})
	must(t, err)
	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprint(i))
	}
	if got := receive(t, done); got != strings.Join(want, " ") {
		t.Errorf("order: %s", got)
	}
	if diff := cmp.Diff([]QueueState{{Name: "in", Ready: 99, Unacked: 1, Consumers: 1}, {Name: "out"}}, during); diff != "" {
		t.Errorf("while the first is handled (-want +got):\n%s", diff)
	}
}

func TestBrokerUsers(t *testing.T) {
	t.Parallel()
	b, target := startBrokerItself(t, ServerConfig{})
	one, two, other := dialBroker(t, target, "some"), dialBroker(t, target, "some"), dialBroker(t, target, "all")
	closed := one.NotifyClose(make(chan *amqp091.Error, 1))
	closedTwo := two.NotifyClose(make(chan *amqp091.Error, 1))

	b.DropUser("some")
	if _, err := amqp091.Dial("amqp://some:" + amqpPassword + "@" + target.address); !errors.Is(err, amqp091.ErrCredentials) {
		t.Errorf("a user who was dropped connects: %v", err)
	}
	if one.IsClosed() {
		t.Error("dropping a user closed a connection")
	}
	b.AddUser("some", "another")
	if _, err := amqp091.Dial("amqp://some:another@" + target.address); err != nil {
		t.Errorf("new password: %v", err)
	}
	if n := b.CloseConnections("some"); n != 3 {
		t.Errorf("closed %d connections, want 3", n)
	}
	for _, c := range []chan *amqp091.Error{closed, closedTwo} {
		if e := receive(t, c); e.Code != 320 || e.Reason != "CONNECTION_FORCED - closed by an operator" {
			t.Errorf("closed with %v", e)
		}
	}
	openChannel(t, other)
	if n := b.CloseConnections(""); n != 1 {
		t.Errorf("closed %d connections, want 1", n)
	}
}

// TestBrokersApart: two brokers in a process have nothing in common.
func TestBrokersApart(t *testing.T) {
	t.Parallel()
	one, oneTarget := startBrokerItself(t, ServerConfig{})
	_, two := startBrokerItself(t, ServerConfig{})
	must(t, one.DeclareQueue("q"))
	if _, err := openChannel(t, dialBroker(t, oneTarget, "all")).QueueDeclarePassive("q", true, false, false, false, nil); err != nil {
		t.Error(err)
	}
	if _, err := openChannel(t, dialBroker(t, two, "all")).QueueDeclarePassive("q", true, false, false, false, nil); err == nil {
		t.Error("the queue of another broker is there")
	}
}

// TestBrokerLosesNothing: whatever connections break, every message that was
// confirmed is acknowledged by somebody.
func TestBrokerLosesNothing(t *testing.T) {
	t.Parallel()
	b, target := startBrokerItself(t, ServerConfig{})
	must(t, b.DeclareQueue("q"))
	const publishers, each = 4, 250
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			ch, err := dialBroker(t, target, "all").Channel()
			if err != nil {
				t.Error(err)
				return
			}
			ch.Confirm(false)
			for i := range each {
				sent, err := ch.PublishWithDeferredConfirm("", "q", true, false, amqp091.Publishing{Body: fmt.Append(nil, p*each+i)})
				if err != nil || !sent.Wait() {
					t.Errorf("not confirmed: %v", err)
					return
				}
			}
		})
	}
	var mu sync.Mutex
	seen := map[string]bool{}
	all := make(chan bool)
	for w := range 3 {
		wg.Go(func() {
			for round := 0; ; round++ {
				c, err := amqp091.Dial("amqp://all:" + amqpPassword + "@" + target.address)
				if err != nil {
					t.Error(err)
					return
				}
				ch, _ := c.Channel()
				ch.Qos(7, 0, false)
				in, _ := ch.Consume("q", "", false, false, false, false, nil)
				for n := 0; n < 20+10*w; n++ {
					select {
					case d := <-in:
						if n%3 == 2 {
							d.Nack(false, true)
							continue
						}
						mu.Lock()
						seen[string(d.Body)] = true
						done := len(seen) == publishers*each
						mu.Unlock()
						d.Ack(false)
						if done {
							close(all)
						}
					case <-all:
						c.Close()
						return
					case <-time.After(patience):
						t.Error("messages are missing")
						c.Close()
						return
					}
				}
				if round%2 == 0 {
					ch.Close()
				}
				c.CloseDeadline(time.Now()) // in the middle of deliveries
			}
		})
	}
	wg.Wait()
}
