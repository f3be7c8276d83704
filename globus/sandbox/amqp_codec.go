package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// errAMQPShort is a value that ends before its length says.
var errAMQPShort = errors.New("value is cut short")

// amqpCodec reads or writes the arguments of a method, a value at a time.
// One description of a method serves both ways, so that what is written and
// what is read cannot differ. After the first error every call does nothing.
type amqpCodec struct {
	buf     []byte // what is left to read, or what was written
	reading bool
	err     error

	bits  byte // bits of the octet under way
	nbits int  // how many of them were used
}

func (c *amqpCodec) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// take returns the next n bytes to read, nil after an error.
func (c *amqpCodec) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > len(c.buf) {
		c.fail(errAMQPShort)
		return nil
	}
	p := c.buf[:n:n]
	c.buf = c.buf[n:]
	return p
}

func (c *amqpCodec) octet(v *uint8) {
	c.align()
	if !c.reading {
		c.buf = append(c.buf, *v)
	} else if p := c.take(1); p != nil {
		*v = p[0]
	}
}

func (c *amqpCodec) short(v *uint16) {
	c.align()
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint16(c.buf, *v)
	} else if p := c.take(2); p != nil {
		*v = binary.BigEndian.Uint16(p)
	}
}

func (c *amqpCodec) long(v *uint32) {
	c.align()
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint32(c.buf, *v)
	} else if p := c.take(4); p != nil {
		*v = binary.BigEndian.Uint32(p)
	}
}

func (c *amqpCodec) longlong(v *uint64) {
	c.align()
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint64(c.buf, *v)
	} else if p := c.take(8); p != nil {
		*v = binary.BigEndian.Uint64(p)
	}
}

// bit packs booleans that follow one another into shared octets, as the
// protocol wants; any other value starts a new octet.
func (c *amqpCodec) bit(v *bool) {
	if c.nbits == 8 {
		c.align()
	}
	if c.reading {
		if c.nbits == 0 {
			p := c.take(1)
			if p == nil {
				return
			}
			c.bits = p[0]
		}
		*v = c.bits&(1<<c.nbits) != 0
	} else {
		if c.nbits == 0 {
			c.buf = append(c.buf, 0)
		}
		if *v {
			c.buf[len(c.buf)-1] |= 1 << c.nbits
		}
	}
	c.nbits++
}

func (c *amqpCodec) align() { c.nbits = 0 }

// shortstr is a string of up to 255 bytes.
func (c *amqpCodec) shortstr(v *string) {
	c.align()
	if !c.reading {
		if len(*v) > 255 {
			c.fail(fmt.Errorf("short string of %d bytes: at most 255 can be sent", len(*v)))
			return
		}
		c.buf = append(append(c.buf, byte(len(*v))), *v...)
		return
	}
	if p := c.take(1); p != nil {
		*v = string(c.take(int(p[0])))
	}
}

// longstr is a string of any length.
func (c *amqpCodec) longstr(v *string) {
	c.align()
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint32(c.buf, uint32(len(*v)))
		c.buf = append(c.buf, *v...)
		return
	}
	*v = string(c.takeLong())
}

// takeLong returns the bytes that follow their own 32-bit length.
func (c *amqpCodec) takeLong() []byte {
	var n uint32
	c.long(&n)
	if int64(n) > int64(len(c.buf)) {
		c.fail(errAMQPShort)
		return nil
	}
	return c.take(int(n))
}

// table is a field table; an empty one reads as nil.
func (c *amqpCodec) table(v *map[string]any) {
	c.align()
	if !c.reading {
		c.buf, c.err = appendAMQPTable(c.buf, *v, c.err)
		return
	}
	p := c.takeLong()
	if c.err != nil {
		return
	}
	t, err := parseAMQPTable(p, 0)
	if err != nil {
		c.fail(err)
		return
	}
	*v = t
}
