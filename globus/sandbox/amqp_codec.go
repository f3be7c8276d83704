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

func (c *amqpCodec) recordError(err error) {
	if c.err == nil {
		c.err = err
	}
}

// takeFault returns the next n bytes to read, nil after an error.
func (c *amqpCodec) takeBytes(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > len(c.buf) {
		c.recordError(errAMQPShort)
		return nil
	}
	p := c.buf[:n:n]
	c.buf = c.buf[n:]
	return p
}

func (c *amqpCodec) codeOctet(v *uint8) {
	c.endBits()
	if !c.reading {
		c.buf = append(c.buf, *v)
	} else if p := c.takeBytes(1); p != nil {
		*v = p[0]
	}
}

func (c *amqpCodec) codeShort(v *uint16) {
	c.endBits()
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint16(c.buf, *v)
	} else if p := c.takeBytes(2); p != nil {
		*v = binary.BigEndian.Uint16(p)
	}
}

func (c *amqpCodec) codeLong(v *uint32) {
	c.endBits()
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint32(c.buf, *v)
	} else if p := c.takeBytes(4); p != nil {
		*v = binary.BigEndian.Uint32(p)
	}
}

func (c *amqpCodec) codeLongLong(v *uint64) {
	c.endBits()
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint64(c.buf, *v)
	} else if p := c.takeBytes(8); p != nil {
		*v = binary.BigEndian.Uint64(p)
	}
}

// codeBit packs booleans that follow one another into shared octets, as the
// protocol wants; any other value starts a new octet.
func (c *amqpCodec) codeBit(v *bool) {
	if c.nbits == 8 {
		c.endBits()
	}
	if c.reading {
		if c.nbits == 0 {
			p := c.takeBytes(1)
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

func (c *amqpCodec) endBits() { c.nbits = 0 }

// codeShortString is a string of up to 255 bytes.
func (c *amqpCodec) codeShortString(v *string) {
	c.endBits()
	if !c.reading {
		if len(*v) > 255 {
			c.recordError(fmt.Errorf("short string of %d bytes: at most 255 can be sent", len(*v)))
			return
		}
		c.buf = append(append(c.buf, byte(len(*v))), *v...)
		return
	}
	if p := c.takeBytes(1); p != nil {
		*v = string(c.takeBytes(int(p[0])))
	}
}

// codeLongString is a string of any length.
func (c *amqpCodec) codeLongString(v *string) {
	c.endBits()
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint32(c.buf, uint32(len(*v)))
		c.buf = append(c.buf, *v...)
		return
	}
	*v = string(c.takeLongBytes())
}

// takeLongBytes returns the bytes that follow their own 32-bit length.
func (c *amqpCodec) takeLongBytes() []byte {
	var n uint32
	c.codeLong(&n)
	if int64(n) > int64(len(c.buf)) {
		c.recordError(errAMQPShort)
		return nil
	}
	return c.takeBytes(int(n))
}

// codeTable is a field table; an empty one reads as nil.
func (c *amqpCodec) codeTable(v *map[string]any) {
	c.endBits()
	if !c.reading {
		c.buf, c.err = appendAMQPTable(c.buf, *v, c.err)
		return
	}
	p := c.takeLongBytes()
	if c.err != nil {
		return
	}
	t, err := parseAMQPTable(p, 0)
	if err != nil {
		c.recordError(err)
		return
	}
	*v = t
}
