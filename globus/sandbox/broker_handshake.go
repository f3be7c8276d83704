package sandbox

import (
	"fmt"
	"time"
)

// start says who the broker is. The capabilities are those that pika and
// amqp091-go ask for, and no other.
func (c *brokerConn) start() {
	c.expects = "connection.start-ok"
	c.send(0, &amqpConnectionStart{
		Major: 0, Minor: 9,
		Properties: map[string]any{
			"product":   "chiltepin globus sandbox",
			"platform":  "Go",
			"copyright": "",
			"capabilities": map[string]any{
				"publisher_confirms":           true,
				"basic.nack":                   true,
				"consumer_cancel_notify":       true,
				"per_consumer_qos":             true,
				"exchange_exchange_bindings":   false,
				"authentication_failure_close": true,
				"connection.blocked":           false,
				"consumer_priorities":          false,
			},
		},
		Mechanisms: "PLAIN",
		Locales:    "en_US",
	}, nil)
}

// handshake handles what comes before the connection is open.
func (c *brokerConn) handshake(m amqpMethod) error {
	if name := m.spec().name; name != c.expects && name != "connection.close" && name != "connection.close-ok" {
		c.fail(0, m, amqpErrorf(amqpCommandInvalid, "expected '%s', got '%s'", c.expects, name))
		c.expects = "connection.close-ok"
		return nil
	}
	switch m := m.(type) {
	case *amqpConnectionStartOk:
		return c.startOk(m)
	case *amqpConnectionTuneOk:
		return c.tuneOk(m)
	case *amqpConnectionOpen:
		return c.open(m)
	case *amqpConnectionClose:
		c.send(0, &amqpConnectionCloseOk{}, nil)
	}
	return errConnDone
}

func (c *brokerConn) startOk(m *amqpConnectionStartOk) error {
	c.able, _ = m.Properties["capabilities"].(map[string]any)
	if m.Mechanism != "PLAIN" {
		c.fail(0, nil, amqpErrorf(amqpNotAllowed, "unknown authentication mechanism '%s'", m.Mechanism))
		c.expects = "connection.close-ok"
		return nil
	}
	name, password := plainResponse(m.Response)
	fault, struck := c.b.faults.strike(name, m.spec().name, "auth")
	if struck || !c.login(name, password) {
		c.event("refused", "user "+name, fault.Kind)
		if able, _ := c.able["authentication_failure_close"].(bool); !able {
			return fmt.Errorf("user %q was refused", name)
		}
		c.fail(0, nil, amqpErrorf(amqpAccessRefused, "Login was refused using authentication mechanism PLAIN. For details see the broker logfile."))
		c.expects = "connection.close-ok"
		return nil
	}
	c.expects = "connection.tune-ok"
	c.send(0, &amqpConnectionTune{
		ChannelMax: brokerChannelMax, FrameMax: c.b.cfg.frameMax, Heartbeat: uint16(c.b.cfg.heartbeat / time.Second),
	}, nil)
	return nil
}

// tuneOk takes what the client chose. RabbitMQ hangs up on one that chose
// wrongly, and so do we.
func (c *brokerConn) tuneOk(m *amqpConnectionTuneOk) error {
	if m.FrameMax < brokerFrameMin || m.FrameMax > c.b.cfg.frameMax {
		return fmt.Errorf("the client chose frames of %d bytes", m.FrameMax)
	}
	if m.ChannelMax == 0 || m.ChannelMax > brokerChannelMax {
		return fmt.Errorf("the client chose %d channels", m.ChannelMax)
	}
	c.frameMax.Store(m.FrameMax)
	c.heartbeat.Store(int64(time.Duration(m.Heartbeat) * time.Second))
	c.expects = "connection.open"
	return nil
}

func (c *brokerConn) open(m *amqpConnectionOpen) error {
	if m.VHost != "/" {
		c.fail(0, m, amqpErrorf(amqpNotAllowed, "vhost %s not found", m.VHost))
		c.expects = "connection.close-ok"
		return nil
	}
	c.expects = ""
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if !c.closing {
		c.nc.SetReadDeadline(time.Time{})
		c.send(0, &amqpConnectionOpenOk{}, nil)
	}
	return nil
}
