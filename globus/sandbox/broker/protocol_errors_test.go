package broker

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"chiltepin/globus/sandbox/amqp"
)

func TestProtocolErrors(t *testing.T) {
	t.Parallel()
	runWire(t, startBroker(t, ServerConfig{}))
}

// runWire says to a broker what no library lets one say, and compares the
// answers. Where what RabbitMQ says shows its insides, only the code counts.
func runWire(t *testing.T, target amqpTarget) {
	t.Helper()
	body := func(p string) amqp.Frame { return amqp.Frame{Type: amqp.FrameBody, Channel: 1, Payload: []byte(p)} }
	publish := &amqp.BasicPublish{Key: "nowhere"}
	tests := []struct {
		name string
		talk func(c *wireClient)
		want string
	}{
		{"another protocol", func(c *wireClient) { c.raw("HTTP/1.1") }, "AMQP\x00\x00\x09\x01, hung up"},
		{"wrong password", func(c *wireClient) { c.login("all", "wrong", true) },
			"connection.close 403 ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile."},
		{"wrong password, old client", func(c *wireClient) { c.login("all", "wrong", false) }, "hung up"},
		{"frames too large", func(c *wireClient) { c.tune(2047, 131073, 0) }, "hung up"},
		{"frames without limit", func(c *wireClient) { c.tune(2047, 0, 0) }, "hung up"},
		{"frames too small", func(c *wireClient) { c.tune(2047, 4095, 0) }, "hung up"},
		{"too many channels", func(c *wireClient) { c.tune(2048, 131072, 0) }, "hung up"},
		{"no such virtual host", func(c *wireClient) { c.tune(2047, 131072, 0); c.send(0, &amqp.ConnectionOpen{VHost: "elsewhere"}) },
			"connection.close 530 NOT_ALLOWED - vhost elsewhere not found"},
		{"no such channel", func(c *wireClient) { c.open(); c.send(2, &amqp.BasicQos{}) },
			"connection.close 504 CHANNEL_ERROR - expected 'channel.open'"},
		{"channel twice", func(c *wireClient) { c.open(); c.send(1, &amqp.ChannelOpen{}) },
			"connection.close 504 CHANNEL_ERROR - second 'channel.open' seen"},
		{"frame without end", func(c *wireClient) { c.open(); c.raw("\x01\x00\x01\x00\x00\x00\x01xx") }, "connection.close 501"},
		{"frame too long", func(c *wireClient) { c.open(); c.raw("\x01\x00\x01\x00\x02\x00\x01") }, "connection.close 501"},
		{"header without method", func(c *wireClient) {
			c.open()
			c.frame(amqp.Frame{Type: amqp.FrameHeader, Channel: 1, Payload: []byte("\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")})
		}, "connection.close 505"},
		{"body without method", func(c *wireClient) { c.open(); c.frame(body("x")) }, "connection.close 505"},
		{"method amid a message", func(c *wireClient) { c.open(); c.send(1, publish); c.send(1, &amqp.BasicQos{}) }, "connection.close 505"},
		{"method too short", func(c *wireClient) {
			c.open()
			c.frame(amqp.Frame{Type: amqp.FrameMethod, Channel: 1, Payload: []byte("\x00\x3c\x00\x0a\x00")})
		}, "connection.close 501"},
		{"prefetch by bytes", func(c *wireClient) { c.open(); c.send(1, &amqp.BasicQos{Size: 5}) },
			"connection.close 540 NOT_IMPLEMENTED - prefetch_size!=0 (5)"},
		{"recover without requeue", func(c *wireClient) { c.open(); c.send(1, &amqp.BasicRecover{}) },
			"connection.close 540 NOT_IMPLEMENTED - requeue=false"},
		{"immediate", func(c *wireClient) {
			c.open()
			c.publish(&amqp.BasicPublish{Key: "nowhere", Immediate: true}, "x")
		}, "connection.close 540 NOT_IMPLEMENTED - immediate=true"},
		{"flow stopped", func(c *wireClient) { c.open(); c.send(1, &amqp.ChannelFlow{Active: false}) },
			"connection.close 540 NOT_IMPLEMENTED - active=false"},
		{"flow", func(c *wireClient) { c.open(); c.send(1, &amqp.ChannelFlow{Active: true}) }, "channel.flow-ok"},
		{"no queue declared", func(c *wireClient) { c.open(); c.send(1, &amqp.BasicConsume{}) },
			"channel.close 404 NOT_FOUND - no previously declared queue"},
		{"consumer twice", func(c *wireClient) {
			c.open()
			c.call(1, &amqp.QueueDeclare{Exclusive: true}, "queue.declare-ok")
			c.call(1, &amqp.BasicConsume{Consumer: "t"}, "basic.consume-ok")
			c.send(1, &amqp.BasicConsume{Consumer: "t"})
		}, "connection.close 530 NOT_ALLOWED - attempt to reuse consumer tag 't'"},
		{"method of the server", func(c *wireClient) { c.open(); c.send(1, &amqp.BasicGetEmpty{}) }, "connection.close 503"},
		{"closed channel", func(c *wireClient) {
			c.open()
			c.call(1, &amqp.QueueDeclare{Queue: "none", Passive: true}, "channel.close")
			c.send(1, &amqp.BasicQos{})     // not heard
			c.publish(publish, "not heard") // nor this
			c.send(1, &amqp.ChannelCloseOk{})
			c.call(1, &amqp.ChannelOpen{}, "channel.open-ok")
			c.send(1, &amqp.BasicQos{})
		}, "basic.qos-ok"},
		{"no answer wanted", func(c *wireClient) {
			c.open()
			c.send(1, &amqp.QueueDeclare{Queue: c.queue, Exclusive: true, NoWait: true})
			c.send(1, &amqp.QueueBind{Exchange: "amq.direct", Key: "k", NoWait: true})
			c.send(1, &amqp.ConfirmSelect{NoWait: true})
			c.send(1, &amqp.QueuePurge{Queue: c.queue, NoWait: true})
			c.send(1, &amqp.BasicConsume{Consumer: "t", NoWait: true})
			c.send(1, &amqp.BasicCancel{Consumer: "t", NoWait: true})
			c.send(1, &amqp.QueueDelete{Queue: c.queue, NoWait: true})
			c.send(1, &amqp.BasicQos{})
		}, "basic.qos-ok"},
		{"heartbeats", func(c *wireClient) {
			c.tune(2047, 131072, 1)
			c.send(0, &amqp.ConnectionOpen{VHost: "/"})
			c.see("connection.open-ok")
		}, "heartbeat"},
		{"close", func(c *wireClient) { c.open(); c.send(0, &amqp.ConnectionClose{Code: 200}) }, "connection.close-ok"},
	}
	// All at once, since RabbitMQ takes three seconds to hang up on some.
	got := make([]string, len(tests))
	var wg sync.WaitGroup
	for i, test := range tests {
		wg.Go(func() {
			c := dialWire(target, fmt.Sprintf("wire.%d", i))
			defer c.hangUp()
			test.talk(c)
			got[i] = c.next()
			if strings.HasPrefix(got[i], "AMQP") {
				got[i] += ", " + c.next()
			}
		})
	}
	wg.Wait()
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := got[i]
			if len(test.want) == len("connection.close 501") {
				got = got[:min(len(got), len(test.want))]
			}
			if got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// wireClient says what it is told to. After a problem it says nothing more,
// and next tells the problem.
type wireClient struct {
	queue   string // name for a queue of its own
	nc      net.Conn
	r       *bufio.Reader
	problem string
}

func dialWire(target amqpTarget, queue string) *wireClient {
	c := &wireClient{queue: queue}
	nc, err := net.Dial("tcp", target.address)
	if err != nil {
		c.problem = err.Error()
		return c
	}
	nc.SetDeadline(time.Now().Add(patience))
	c.nc, c.r = nc, bufioReader(nc)
	return c
}

func bufioReader(nc net.Conn) *bufio.Reader { return bufio.NewReader(nc) }

func (c *wireClient) hangUp() {
	if c.nc != nil {
		c.nc.Close()
	}
}

func (c *wireClient) fail(err error) {
	if err != nil && c.problem == "" {
		c.problem = err.Error()
	}
}

func (c *wireClient) raw(s string) {
	if c.problem == "" {
		_, err := io.WriteString(c.nc, s)
		c.fail(err)
	}
}

func (c *wireClient) frame(f amqp.Frame) { c.raw(string(amqp.AppendFrame(nil, f))) }

func (c *wireClient) send(channel uint16, m amqp.Method) {
	p, err := amqp.AppendMethod(nil, m)
	c.fail(err)
	c.frame(amqp.Frame{Type: amqp.FrameMethod, Channel: channel, Payload: p})
}

func (c *wireClient) publish(m *amqp.BasicPublish, body string) {
	c.send(1, m)
	p, err := amqp.AppendHeader(nil, amqp.Header{Size: uint64(len(body))})
	c.fail(err)
	c.frame(amqp.Frame{Type: amqp.FrameHeader, Channel: 1, Payload: p})
	c.frame(amqp.Frame{Type: amqp.FrameBody, Channel: 1, Payload: []byte(body)})
}

// next returns what comes: a method, a heartbeat, a preamble, or the end.
func (c *wireClient) next() string {
	if c.problem != "" {
		return c.problem
	}
	if first, err := c.r.Peek(4); err == nil && string(first) == "AMQP" {
		var p [8]byte
		io.ReadFull(c.r, p[:])
		return string(p[:])
	}
	f, err := amqp.ReadFrame(c.r, 1<<20)
	if err != nil {
		if nerr, ok := err.(net.Error); ok && nerr.Timeout() {
			return "nothing"
		}
		return "hung up"
	}
	switch f.Type {
	case amqp.FrameHeartbeat:
		return "heartbeat"
	case amqp.FrameMethod:
		m, err := amqp.ParseMethod(f.Payload)
		if err != nil {
			return err.Error()
		}
		switch m := m.(type) {
		case *amqp.ConnectionClose:
			return fmt.Sprintf("connection.close %d %s", m.Code, m.Text)
		case *amqp.ChannelClose:
			return fmt.Sprintf("channel.close %d %s", m.Code, m.Text)
		}
		return amqp.SpecOf(m).Name
	}
	return fmt.Sprintf("frame of type %d", f.Type)
}

// see makes it a problem when another method comes.
func (c *wireClient) see(method string) {
	if got := c.next(); !strings.HasPrefix(got, method) {
		c.fail(fmt.Errorf("%q came where %q should", got, method))
	}
}

func (c *wireClient) call(channel uint16, m amqp.Method, answer string) {
	c.send(channel, m)
	c.see(answer)
}

func (c *wireClient) login(user, password string, modern bool) {
	c.raw(amqp.Preamble)
	c.see("connection.start")
	able := map[string]any{"authentication_failure_close": modern, "consumer_cancel_notify": true, "basic.nack": true, "publisher_confirms": true}
	c.send(0, &amqp.ConnectionStartOk{
		Properties: map[string]any{"capabilities": able}, Mechanism: "PLAIN", Response: "\x00" + user + "\x00" + password, Locale: "en_US",
	})
}

func (c *wireClient) tune(channels uint16, frames uint32, heartbeat uint16) {
	c.login("all", amqpPassword, true)
	c.see("connection.tune")
	c.send(0, &amqp.ConnectionTuneOk{ChannelMax: channels, FrameMax: frames, Heartbeat: heartbeat})
}

// open goes as far as an open channel 1.
func (c *wireClient) open() {
	c.tune(2047, 131072, 0)
	c.call(0, &amqp.ConnectionOpen{VHost: "/"}, "connection.open-ok")
	c.call(1, &amqp.ChannelOpen{}, "channel.open-ok")
}
