package broker

import (
	"fmt"
	"time"

	"chiltepin/globus/sandbox/amqp"
)

// sendStart introduces the broker. The capabilities are those that pika and
// amqp091-go ask for, and no other.
func (c *connection) sendStart() {
	c.expectedMethod = "connection.start-ok"
	c.sendMethod(0, &amqp.ConnectionStart{
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

// handleHandshake handles a method that comes before the connection is open.
func (c *connection) handleHandshake(m amqp.Method) error {
	if name := amqp.SpecOf(m).Name; name != c.expectedMethod && name != "connection.close" && name != "connection.close-ok" {
		c.replyError(0, m, amqp.Errorf(amqp.CodeCommandInvalid, "expected '%s', got '%s'", c.expectedMethod, name))
		c.expectedMethod = "connection.close-ok"
		return nil
	}
	switch m := m.(type) {
	case *amqp.ConnectionStartOk:
		return c.handleStartOk(m)
	case *amqp.ConnectionTuneOk:
		return c.handleTuneOk(m)
	case *amqp.ConnectionOpen:
		return c.handleOpen(m)
	case *amqp.ConnectionClose:
		c.sendMethod(0, &amqp.ConnectionCloseOk{}, nil)
	}
	return errConnDone
}

func (c *connection) handleStartOk(m *amqp.ConnectionStartOk) error {
	c.capabilities, _ = m.Properties["capabilities"].(map[string]any)
	if m.Mechanism != "PLAIN" {
		c.replyError(0, nil, amqp.Errorf(amqp.CodeNotAllowed, "unknown authentication mechanism '%s'", m.Mechanism))
		c.expectedMethod = "connection.close-ok"
		return nil
	}
	name, password := parsePlainResponse(m.Response)
	fault, struck := c.broker.faults.takeFault(name, amqp.SpecOf(m).Name, "auth")
	if struck || !c.loginAs(name, password) {
		c.reportEvent("refused", "user "+name, fault.Kind)
		if able, _ := c.capabilities["authentication_failure_close"].(bool); !able {
			return fmt.Errorf("user %q was refused", name)
		}
		c.replyError(0, nil, amqp.Errorf(amqp.CodeAccessRefused, "Login was refused using authentication mechanism PLAIN. For details see the broker logfile."))
		c.expectedMethod = "connection.close-ok"
		return nil
	}
	c.expectedMethod = "connection.tune-ok"
	c.sendMethod(0, &amqp.ConnectionTune{
		ChannelMax: channelMax, FrameMax: c.broker.config.FrameMax, Heartbeat: uint16(c.broker.config.Heartbeat / time.Second),
	}, nil)
	return nil
}

// handleTuneOk accepts what the client chose. As with RabbitMQ, limits that were
// not offered end the connection without a word.
func (c *connection) handleTuneOk(m *amqp.ConnectionTuneOk) error {
	if m.FrameMax < frameMin || m.FrameMax > c.broker.config.FrameMax {
		return fmt.Errorf("the client chose frames of %d bytes", m.FrameMax)
	}
	if m.ChannelMax == 0 || m.ChannelMax > channelMax {
		return fmt.Errorf("the client chose %d channels", m.ChannelMax)
	}
	c.frameMax.Store(m.FrameMax)
	c.heartbeat.Store(int64(time.Duration(m.Heartbeat) * time.Second))
	c.expectedMethod = "connection.open"
	return nil
}

func (c *connection) handleOpen(m *amqp.ConnectionOpen) error {
	if m.VHost != "/" {
		c.replyError(0, m, amqp.Errorf(amqp.CodeNotAllowed, "vhost %s not found", m.VHost))
		c.expectedMethod = "connection.close-ok"
		return nil
	}
	c.expectedMethod = ""
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	if !c.closing {
		c.socket.SetReadDeadline(time.Time{})
		c.sendMethod(0, &amqp.ConnectionOpenOk{}, nil)
	}
	return nil
}
