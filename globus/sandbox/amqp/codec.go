package amqp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// errTruncated means that a value is longer than what is left.
var errTruncated = errors.New("value is cut short")

// codec reads or writes the arguments of a method, a value at a time.
// One description of a method serves both ways, so that what is written and
// what is read cannot differ. After the first error every call does nothing.
type codec struct {
	buf     []byte // what is left to read, or what was written
	reading bool
	err     error

	bits  byte // bits of the octet under way
	nbits int  // how many of them were used
}

func (c *codec) recordError(err error) {
	if c.err == nil {
		c.err = err
	}
}

// endReading returns the first error of reading what, of which nothing may be
// left.
func (c *codec) endReading(what string) error {
	if c.err == nil && len(c.buf) > 0 {
		c.err = fmt.Errorf("%d bytes too many", len(c.buf))
	}
	if c.err != nil {
		return fmt.Errorf("reading %s: %w", what, c.err)
	}
	return nil
}

// takeBytes returns the next n bytes to read, nil after an error.
func (c *codec) takeBytes(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > len(c.buf) {
		c.recordError(errTruncated)
		return nil
	}
	p := c.buf[:n:n]
	c.buf = c.buf[n:]
	return p
}

func (c *codec) codeOctet(v *uint8) {
	c.endBits()
	if !c.reading {
		c.buf = append(c.buf, *v)
	} else if p := c.takeBytes(1); p != nil {
		*v = p[0]
	}
}

func (c *codec) codeShort(v *uint16) {
	c.endBits()
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint16(c.buf, *v)
	} else if p := c.takeBytes(2); p != nil {
		*v = binary.BigEndian.Uint16(p)
	}
}

func (c *codec) codeLong(v *uint32) {
	c.endBits()
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint32(c.buf, *v)
	} else if p := c.takeBytes(4); p != nil {
		*v = binary.BigEndian.Uint32(p)
	}
}

func (c *codec) codeLongLong(v *uint64) {
	c.endBits()
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint64(c.buf, *v)
	} else if p := c.takeBytes(8); p != nil {
		*v = binary.BigEndian.Uint64(p)
	}
}

// codeBit packs booleans that follow one another into shared octets, as the
// protocol wants; any other value starts a new octet.
func (c *codec) codeBit(v *bool) {
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

func (c *codec) endBits() { c.nbits = 0 }

// codeShortString reads or writes a string of up to 255 bytes.
func (c *codec) codeShortString(v *string) {
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

// codeLongString reads or writes a string of any length.
func (c *codec) codeLongString(v *string) {
	c.endBits()
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint32(c.buf, uint32(len(*v)))
		c.buf = append(c.buf, *v...)
		return
	}
	*v = string(c.takeLongBytes())
}

// takeLongBytes returns the bytes that follow their own 32-bit length.
func (c *codec) takeLongBytes() []byte {
	var n uint32
	c.codeLong(&n)
	if int64(n) > int64(len(c.buf)) {
		c.recordError(errTruncated)
		return nil
	}
	return c.takeBytes(int(n))
}

// codeTable reads or writes a field table; an empty one reads as nil.
func (c *codec) codeTable(v *map[string]any) {
	c.endBits()
	if !c.reading {
		c.buf, c.err = appendTable(c.buf, *v, c.err)
		return
	}
	p := c.takeLongBytes()
	if c.err != nil {
		return
	}
	t, err := parseTable(p, 0)
	if err != nil {
		c.recordError(err)
		return
	}
	*v = t
}
