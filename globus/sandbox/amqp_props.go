package sandbox

import (
	"encoding/binary"
	"fmt"
	"time"
)

// amqpHeader is the content header that follows a method with a message.
type amqpHeader struct {
	Size       uint64 // of the body
	Properties properties
}

// amqpClassBasic is the only class whose methods carry a message.
const amqpClassBasic = 60

// parseAMQPHeader reads the payload of a header frame.
func parseAMQPHeader(p []byte) (amqpHeader, error) {
	var h amqpHeader
	var class, weight, flags uint16
	c := amqpCodec{buf: p, reading: true}
	c.codeShort(&class)
	c.codeShort(&weight)
	c.codeLongLong(&h.Size)
	c.codeShort(&flags)
	switch {
	case c.err != nil:
		return amqpHeader{}, fmt.Errorf("reading content header: %w", c.err)
	case class != amqpClassBasic:
		return amqpHeader{}, fmt.Errorf("reading content header: class %d has no content", class)
	case flags&3 != 0:
		return amqpHeader{}, fmt.Errorf("reading content header: unknown property flags %#04x", flags)
	}
	h.Properties.codeProperties(&c, flags)
	if c.err == nil && len(c.buf) > 0 {
		c.err = fmt.Errorf("%d bytes too many", len(c.buf))
	}
	if c.err != nil {
		return amqpHeader{}, fmt.Errorf("reading content header: %w", c.err)
	}
	return h, nil
}

// appendAMQPHeader writes the payload of a header frame behind b.
func appendAMQPHeader(b []byte, h amqpHeader) ([]byte, error) {
	flags := h.Properties.presentFlags()
	b = binary.BigEndian.AppendUint16(b, amqpClassBasic)
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint64(b, h.Size)
	b = binary.BigEndian.AppendUint16(b, flags)
	c := amqpCodec{buf: b}
	h.Properties.codeProperties(&c, flags)
	if c.err != nil {
		return b, fmt.Errorf("writing content header: %w", c.err)
	}
	return c.buf, nil
}

// presentFlags tells which properties are there: one bit each, the first in the
// highest.
func (p *properties) presentFlags() uint16 {
	var flags uint16
	for i, there := range []bool{
		p.ContentType != "", p.ContentEncoding != "", p.Headers != nil, p.DeliveryMode != 0, p.Priority != 0,
		p.CorrelationID != "", p.ReplyTo != "", p.Expiration != "", p.MessageID != "", !p.Timestamp.IsZero(),
		p.Type != "", p.UserID != "", p.AppID != "", p.ClusterID != "",
	} {
		if there {
			flags |= 1 << (15 - i)
		}
	}
	return flags
}

// codeArguments reads or writes the properties that flags names.
func (p *properties) codeProperties(c *amqpCodec, flags uint16) {
	there := func(i int) bool { return flags&(1<<(15-i)) != 0 }
	str := func(i int, v *string) {
		if there(i) {
			c.codeShortString(v)
		}
	}
	str(0, &p.ContentType)
	str(1, &p.ContentEncoding)
	if there(2) {
		c.codeTable(&p.Headers)
		if c.reading && p.Headers == nil {
			p.Headers = map[string]any{}
		}
	}
	if there(3) {
		c.codeOctet(&p.DeliveryMode)
	}
	if there(4) {
		c.codeOctet(&p.Priority)
	}
	str(5, &p.CorrelationID)
	str(6, &p.ReplyTo)
	str(7, &p.Expiration)
	str(8, &p.MessageID)
	if there(9) {
		seconds := uint64(p.Timestamp.Unix())
		c.codeLongLong(&seconds)
		if c.reading {
			p.Timestamp = time.Unix(int64(seconds), 0).UTC()
		}
	}
	str(10, &p.Type)
	str(11, &p.UserID)
	str(12, &p.AppID)
	str(13, &p.ClusterID)
}
