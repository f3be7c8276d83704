package sandbox

import (
	"encoding/binary"
	"fmt"
)

// amqpMethod is a method of the protocol with its arguments.
type amqpMethod interface {
	spec() amqpSpec
	// codeArguments reads or writes the arguments.
	codeArguments(*amqpCodec)
}

// amqpSpec says which method it is.
type amqpSpec struct {
	class, method uint16
	name          string // "basic.publish"
}

// errAMQPUnknown is a method that the broker has never heard of, or of which
// it does nothing.
type errAMQPUnknown struct{ class, method uint16 }

func (e errAMQPUnknown) Error() string {
	return fmt.Sprintf("unknown method %d of class %d", e.method, e.class)
}

// parseAMQPMethod reads the payload of a method frame. Its length is bounded
// by the frame's, and so is what it allocates. The error is an errAMQPUnknown
// when no such method is known.
func parseAMQPMethod(p []byte) (amqpMethod, error) {
	if len(p) < 4 {
		return nil, errAMQPShort
	}
	class, method := binary.BigEndian.Uint16(p), binary.BigEndian.Uint16(p[2:])
	m := newAMQPMethod(class, method)
	if m == nil {
		return nil, errAMQPUnknown{class, method}
	}
	c := amqpCodec{buf: p[4:], reading: true}
	m.codeArguments(&c)
	if c.err == nil && len(c.buf) > 0 {
		c.err = fmt.Errorf("%d bytes too many", len(c.buf))
	}
	if c.err != nil {
		return nil, fmt.Errorf("reading %s: %w", m.spec().name, c.err)
	}
	return m, nil
}

// appendAMQPMethod writes the payload of a method frame behind b.
func appendAMQPMethod(b []byte, m amqpMethod) ([]byte, error) {
	s := m.spec()
	b = binary.BigEndian.AppendUint16(b, s.class)
	b = binary.BigEndian.AppendUint16(b, s.method)
	c := amqpCodec{buf: b}
	m.codeArguments(&c)
	if c.err != nil {
		return b, fmt.Errorf("writing %s: %w", s.name, c.err)
	}
	return c.buf, nil
}

// newAMQPMethod returns an empty method to read into, nil for an unknown one.
func newAMQPMethod(class, method uint16) amqpMethod {
	switch class {
	case 10:
		switch method {
		case 10:
			return new(amqpConnectionStart)
		case 11:
			return new(amqpConnectionStartOk)
		case 30:
			return new(amqpConnectionTune)
		case 31:
			return new(amqpConnectionTuneOk)
		case 40:
			return new(amqpConnectionOpen)
		case 41:
			return new(amqpConnectionOpenOk)
		case 50:
			return new(amqpConnectionClose)
		case 51:
			return new(amqpConnectionCloseOk)
		}
	case 20:
		switch method {
		case 10:
			return new(amqpChannelOpen)
		case 11:
			return new(amqpChannelOpenOk)
		case 20:
			return new(amqpChannelFlow)
		case 21:
			return new(amqpChannelFlowOk)
		case 40:
			return new(amqpChannelClose)
		case 41:
			return new(amqpChannelCloseOk)
		}
	case 40:
		switch method {
		case 10:
			return new(amqpExchangeDeclare)
		case 11:
			return new(amqpExchangeDeclareOk)
		case 20:
			return new(amqpExchangeDelete)
		case 21:
			return new(amqpExchangeDeleteOk)
		}
	case 50:
		switch method {
		case 10:
			return new(amqpQueueDeclare)
		case 11:
			return new(amqpQueueDeclareOk)
		case 20:
			return new(amqpQueueBind)
		case 21:
			return new(amqpQueueBindOk)
		case 30:
			return new(amqpQueuePurge)
		case 31:
			return new(amqpQueuePurgeOk)
		case 40:
			return new(amqpQueueDelete)
		case 41:
			return new(amqpQueueDeleteOk)
		case 50:
			return new(amqpQueueUnbind)
		case 51:
			return new(amqpQueueUnbindOk)
		}
	case 60:
		switch method {
		case 10:
			return new(amqpBasicQos)
		case 11:
			return new(amqpBasicQosOk)
		case 20:
			return new(amqpBasicConsume)
		case 21:
			return new(amqpBasicConsumeOk)
		case 30:
			return new(amqpBasicCancel)
		case 31:
			return new(amqpBasicCancelOk)
		case 40:
			return new(amqpBasicPublish)
		case 50:
			return new(amqpBasicReturn)
		case 60:
			return new(amqpBasicDeliver)
		case 70:
			return new(amqpBasicGet)
		case 71:
			return new(amqpBasicGetOk)
		case 72:
			return new(amqpBasicGetEmpty)
		case 80:
			return new(amqpBasicAck)
		case 90:
			return new(amqpBasicReject)
		case 100:
			return new(amqpBasicRecoverAsync)
		case 110:
			return new(amqpBasicRecover)
		case 111:
			return new(amqpBasicRecoverOk)
		case 120:
			return new(amqpBasicNack)
		}
	case 85:
		switch method {
		case 10:
			return new(amqpConfirmSelect)
		case 11:
			return new(amqpConfirmSelectOk)
		}
	}
	return nil
}
