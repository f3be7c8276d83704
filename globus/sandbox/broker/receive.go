package broker

import (
	"errors"
	"fmt"
	"time"

	"chiltepin/globus/sandbox/amqp"
)

// partialMessage is a message of which frames are still to come.
type partialMessage struct {
	method  *amqp.BasicPublish
	header  *amqp.Header
	body    []byte
	discard bool // it was refused already
}

// handleFrame handles one frame. An error ends the connection.
func (c *connection) handleFrame(f amqp.Frame) error {
	part := c.partial[f.Channel]
	switch {
	case f.Type == amqp.FrameHeartbeat:
		if f.Channel != 0 || len(f.Payload) != 0 {
			c.replyError(0, nil, amqp.Errorf(amqp.CodeFrameError, "heartbeat on channel %d, %d bytes", f.Channel, len(f.Payload)))
		}
		return nil
	case f.Type == amqp.FrameMethod && part == nil:
		m, err := amqp.ParseMethod(f.Payload)
		if unknown := (amqp.UnknownMethodError{}); errors.As(err, &unknown) {
			c.replyError(0, nil, amqp.Errorf(amqp.CodeNotImplemented, "%v", err))
			return nil
		} else if err != nil {
			c.replyError(0, nil, amqp.Errorf(amqp.CodeFrameError, "%v", err))
			return nil
		}
		if p, ok := m.(*amqp.BasicPublish); ok {
			c.partial[f.Channel] = &partialMessage{method: p}
			return nil
		}
		return c.handleMethod(f.Channel, m, nil)
	case f.Type == amqp.FrameHeader && part != nil && part.header == nil:
		h, err := amqp.ParseHeader(f.Payload)
		if err != nil {
			delete(c.partial, f.Channel)
			c.replyError(0, part.method, amqp.Errorf(amqp.CodeFrameError, "%v", err))
			return nil
		}
		part.header = &h
		if h.Size > messageMax {
			part.discard = true
			c.replyError(f.Channel, part.method, amqp.Errorf(amqp.CodePreconditionFailed, "message size %d is larger than configured max size %d", h.Size, messageMax))
		}
		return c.addBody(f.Channel, part, nil)
	case f.Type == amqp.FrameBody && part != nil && part.header != nil:
		return c.addBody(f.Channel, part, f.Payload)
	}
	delete(c.partial, f.Channel)
	c.replyError(0, nil, amqp.Errorf(amqp.CodeUnexpectedFrame, "%s", describeUnexpected(f, part)))
	return nil
}

func describeUnexpected(f amqp.Frame, part *partialMessage) string {
	switch {
	case part == nil:
		return fmt.Sprintf("expected method frame, got type %d instead", f.Type)
	case part.header == nil:
		return fmt.Sprintf("expected content header for class %d, got type %d instead", amqp.ClassBasic, f.Type)
	}
	return fmt.Sprintf("expected content body, got type %d instead", f.Type)
}

// addBody adds a piece of the body and handles the message when that was the
// last one.
func (c *connection) addBody(channel uint16, part *partialMessage, piece []byte) error {
	have := uint64(len(part.body))
	switch {
	case have+uint64(len(piece)) > part.header.Size && !part.discard:
		delete(c.partial, channel)
		c.replyError(0, part.method, amqp.Errorf(amqp.CodeUnexpectedFrame, "content body of %d bytes where %d were left", len(piece), part.header.Size-have))
		return nil
	case part.discard:
		part.header.Size -= min(part.header.Size, uint64(len(piece)))
		if part.header.Size == 0 {
			delete(c.partial, channel)
		}
		return nil
	case part.body == nil && uint64(len(piece)) == part.header.Size:
		part.body = piece
	default:
		part.body = append(part.body, piece...)
	}
	if uint64(len(part.body)) < part.header.Size {
		return nil
	}
	delete(c.partial, channel)
	return c.handleMethod(channel, part.method, &Message{
		Exchange: part.method.Exchange, RoutingKey: part.method.Key, Properties: part.header.Properties, Body: part.body,
	})
}

// handleMethod handles a method that came in full, with its message or nil, after
// the faults had their say. An error ends the connection.
func (c *connection) handleMethod(channel uint16, m amqp.Method, msg *Message) error {
	name := amqp.SpecOf(m).Name
	fault, struck := c.broker.faults.takeFault(c.user, name, "close", "silent", "delay")
	c.reportMethod(ConnectionEvent{Direction: "in", User: c.user, Channel: channel, Fault: fault.Kind}, m, msg)
	if struck {
		switch fault.Kind {
		case "close":
			c.resetSocket()
			return errors.New("cut by a fault")
		case "silent":
			c.muted.Store(true)
		case "delay":
			select {
			case <-time.After(fault.Delay):
			case <-c.ended:
			}
		}
	}
	if c.muted.Load() {
		return nil
	}
	if c.expectedMethod != "" {
		if channel != 0 {
			c.replyError(0, m, amqp.Errorf(amqp.CodeCommandInvalid, "expected '%s', got '%s'", c.expectedMethod, name))
			return nil
		}
		return c.handleHandshake(m)
	}
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	var err *amqp.ReplyError
	switch {
	case channel == 0:
		return c.handleConnectionMethod(m)
	case c.closing:
	default:
		err = c.handleChannelMethod(channel, m, msg)
	}
	if err != nil {
		c.replyErrorLocked(channel, m, err)
	}
	return nil
}

// handleConnectionMethod handles a method of channel 0.
func (c *connection) handleConnectionMethod(m amqp.Method) error {
	switch m.(type) {
	case *amqp.ConnectionClose:
		c.releaseEntities()
		c.closing = true
		c.sendMethod(0, &amqp.ConnectionCloseOk{}, nil)
		return errConnDone
	case *amqp.ConnectionCloseOk:
		return errConnDone
	}
	c.replyErrorLocked(0, m, amqp.Errorf(amqp.CodeCommandInvalid, "'%s' is not for channel 0", amqp.SpecOf(m).Name))
	return nil
}
