package amqp

import (
	"encoding/binary"
	"fmt"
)

// Method is a method of the protocol with its arguments: a pointer to one of
// the types of this package.
type Method interface {
	methodSpec() MethodSpec
	// codeArguments reads or writes the arguments.
	codeArguments(*codec)
}

// MethodSpec is the numbers of a method in its class, and its name.
type MethodSpec struct {
	Class, Method uint16
	Name          string // "basic.publish"
}

// SpecOf returns the numbers and the name of a method.
func SpecOf(m Method) MethodSpec { return m.methodSpec() }

// UnknownMethodError is a method that this package does not know.
type UnknownMethodError struct{ Class, Method uint16 }

func (e UnknownMethodError) Error() string {
	return fmt.Sprintf("unknown method %d of class %d", e.Method, e.Class)
}

// ParseMethod reads the payload of a method frame. What it allocates is bounded
// by the length of the payload. The error is an UnknownMethodError when this
// package knows no such method.
func ParseMethod(p []byte) (Method, error) {
	if len(p) < 4 {
		return nil, errTruncated
	}
	class, method := binary.BigEndian.Uint16(p), binary.BigEndian.Uint16(p[2:])
	m := newMethod(class, method)
	if m == nil {
		return nil, UnknownMethodError{class, method}
	}
	c := codec{buf: p[4:], reading: true}
	m.codeArguments(&c)
	if err := c.endReading(m.methodSpec().Name); err != nil {
		return nil, err
	}
	return m, nil
}

// AppendMethod appends the payload of a method frame to b.
func AppendMethod(b []byte, m Method) ([]byte, error) {
	s := m.methodSpec()
	b = binary.BigEndian.AppendUint16(b, s.Class)
	b = binary.BigEndian.AppendUint16(b, s.Method)
	c := codec{buf: b}
	m.codeArguments(&c)
	if c.err != nil {
		return b, fmt.Errorf("writing %s: %w", s.Name, c.err)
	}
	return c.buf, nil
}

// newMethod returns an empty method to read into, nil for an unknown one.
func newMethod(class, method uint16) Method {
	switch class {
	case 10:
		switch method {
		case 10:
			return new(ConnectionStart)
		case 11:
			return new(ConnectionStartOk)
		case 30:
			return new(ConnectionTune)
		case 31:
			return new(ConnectionTuneOk)
		case 40:
			return new(ConnectionOpen)
		case 41:
			return new(ConnectionOpenOk)
		case 50:
			return new(ConnectionClose)
		case 51:
			return new(ConnectionCloseOk)
		}
	case 20:
		switch method {
		case 10:
			return new(ChannelOpen)
		case 11:
			return new(ChannelOpenOk)
		case 20:
			return new(ChannelFlow)
		case 21:
			return new(ChannelFlowOk)
		case 40:
			return new(ChannelClose)
		case 41:
			return new(ChannelCloseOk)
		}
	case 40:
		switch method {
		case 10:
			return new(ExchangeDeclare)
		case 11:
			return new(ExchangeDeclareOk)
		case 20:
			return new(ExchangeDelete)
		case 21:
			return new(ExchangeDeleteOk)
		}
	case 50:
		switch method {
		case 10:
			return new(QueueDeclare)
		case 11:
			return new(QueueDeclareOk)
		case 20:
			return new(QueueBind)
		case 21:
			return new(QueueBindOk)
		case 30:
			return new(QueuePurge)
		case 31:
			return new(QueuePurgeOk)
		case 40:
			return new(QueueDelete)
		case 41:
			return new(QueueDeleteOk)
		case 50:
			return new(QueueUnbind)
		case 51:
			return new(QueueUnbindOk)
		}
	case 60:
		switch method {
		case 10:
			return new(BasicQos)
		case 11:
			return new(BasicQosOk)
		case 20:
			return new(BasicConsume)
		case 21:
			return new(BasicConsumeOk)
		case 30:
			return new(BasicCancel)
		case 31:
			return new(BasicCancelOk)
		case 40:
			return new(BasicPublish)
		case 50:
			return new(BasicReturn)
		case 60:
			return new(BasicDeliver)
		case 70:
			return new(BasicGet)
		case 71:
			return new(BasicGetOk)
		case 72:
			return new(BasicGetEmpty)
		case 80:
			return new(BasicAck)
		case 90:
			return new(BasicReject)
		case 100:
			return new(BasicRecoverAsync)
		case 110:
			return new(BasicRecover)
		case 111:
			return new(BasicRecoverOk)
		case 120:
			return new(BasicNack)
		}
	case 85:
		switch method {
		case 10:
			return new(ConfirmSelect)
		case 11:
			return new(ConfirmSelectOk)
		}
	}
	return nil
}
