package amqp

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Header is the content header that follows a method with a message.
type Header struct {
	Size       uint64 // of the body
	Properties Properties
}

// Properties are the AMQP basic properties that the clients of Globus Compute
// set or read. Zero fields are absent on the wire.
type Properties struct {
	ContentType     string
	ContentEncoding string
	// Headers holds nil, bool, string, integers of 8 to 64 bits as the sender
	// chose them (of unsigned ones to 32), float32, float64, []byte, time.Time,
	// Decimal, []any and map[string]any. An int may be published too.
	Headers       map[string]any
	DeliveryMode  uint8
	Priority      uint8
	CorrelationID string
	ReplyTo       string
	Expiration    string
	MessageID     string
	Timestamp     time.Time
	Type          string
	UserID        string
	AppID         string
	ClusterID     string
}

// ClassBasic is the only class whose methods carry a message.
const ClassBasic = 60

// ParseHeader reads the payload of a header frame.
func ParseHeader(p []byte) (Header, error) {
	var h Header
	var class, weight, flags uint16
	c := codec{buf: p, reading: true}
	c.codeShort(&class)
	c.codeShort(&weight)
	c.codeLongLong(&h.Size)
	c.codeShort(&flags)
	switch {
	case c.err != nil:
		return Header{}, fmt.Errorf("reading content header: %w", c.err)
	case class != ClassBasic:
		return Header{}, fmt.Errorf("reading content header: class %d has no content", class)
	case flags&3 != 0:
		return Header{}, fmt.Errorf("reading content header: unknown property flags %#04x", flags)
	}
	h.Properties.codeProperties(&c, flags)
	if err := c.endReading("content header"); err != nil {
		return Header{}, err
	}
	return h, nil
}

// AppendHeader appends the payload of a header frame to b.
func AppendHeader(b []byte, h Header) ([]byte, error) {
	flags := h.Properties.presentFlags()
	b = binary.BigEndian.AppendUint16(b, ClassBasic)
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint64(b, h.Size)
	b = binary.BigEndian.AppendUint16(b, flags)
	c := codec{buf: b}
	h.Properties.codeProperties(&c, flags)
	if c.err != nil {
		return b, fmt.Errorf("writing content header: %w", c.err)
	}
	return c.buf, nil
}

// presentFlags returns which properties are set: one bit each, the first in the
// highest.
func (p *Properties) presentFlags() uint16 {
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

// codeProperties reads or writes the properties that flags names.
func (p *Properties) codeProperties(c *codec, flags uint16) {
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
