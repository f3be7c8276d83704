package amqp

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// maxDepth is how deep tables and lists may be nested.
const maxDepth = 32

// Decimal is a decimal field: Value divided by ten to the power of Scale.
type Decimal struct {
	Scale uint8
	Value int32
}

// parseTable reads the content of a field table (without its length). The
// letters are those of RabbitMQ and of its errata to the standard, which pika
// and amqp091-go follow: 's' and 'U' are 16 bits, 'l' and 'L' 64, signed.
// What it allocates is bounded by the length of p.
func parseTable(p []byte, depth int) (map[string]any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("tables are nested deeper than %d", maxDepth)
	}
	var t map[string]any
	c := codec{buf: p, reading: true}
	for len(c.buf) > 0 {
		var key string
		c.codeShortString(&key)
		v := c.takeValue(depth)
		if c.err != nil {
			return nil, fmt.Errorf("field %q: %w", key, c.err)
		}
		if t == nil {
			t = make(map[string]any)
		}
		t[key] = v
	}
	return t, nil
}

// takeValue reads one field value with the letter of its type.
func (c *codec) takeValue(depth int) any {
	kind := c.takeBytes(1)
	if kind == nil {
		return nil
	}
	fixed := func(n int) []byte { // never nil, so that the cases below stay one line
		if p := c.takeBytes(n); p != nil {
			return p
		}
		return make([]byte, n)
	}
	switch kind[0] {
	case 'V':
		return nil
	case 't':
		return fixed(1)[0] != 0
	case 'b':
		return int8(fixed(1)[0])
	case 'B':
		return fixed(1)[0]
	case 's', 'U':
		return int16(binary.BigEndian.Uint16(fixed(2)))
	case 'u':
		return binary.BigEndian.Uint16(fixed(2))
	case 'I':
		return int32(binary.BigEndian.Uint32(fixed(4)))
	case 'i':
		return binary.BigEndian.Uint32(fixed(4))
	case 'l', 'L':
		return int64(binary.BigEndian.Uint64(fixed(8)))
	case 'f':
		return math.Float32frombits(binary.BigEndian.Uint32(fixed(4)))
	case 'd':
		return math.Float64frombits(binary.BigEndian.Uint64(fixed(8)))
	case 'D':
		p := fixed(5)
		return Decimal{Scale: p[0], Value: int32(binary.BigEndian.Uint32(p[1:]))}
	case 'T':
		return time.Unix(int64(binary.BigEndian.Uint64(fixed(8))), 0).UTC()
	case 'S':
		return string(c.takeLongBytes())
	case 'x':
		return append([]byte{}, c.takeLongBytes()...)
	case 'F':
		t, err := parseTable(c.takeLongBytes(), depth+1)
		if err != nil {
			c.recordError(err)
		}
		if t == nil {
			t = map[string]any{}
		}
		return t
	case 'A':
		return c.takeList(c.takeLongBytes(), depth+1)
	}
	c.recordError(fmt.Errorf("unknown type %q", kind[0]))
	return nil
}

func (c *codec) takeList(p []byte, depth int) []any {
	list := []any{}
	if depth > maxDepth {
		c.recordError(fmt.Errorf("lists are nested deeper than %d", maxDepth))
		return list
	}
	in := codec{buf: p, reading: true}
	for len(in.buf) > 0 && in.err == nil {
		list = append(list, in.takeValue(depth))
	}
	if in.err != nil {
		c.recordError(in.err)
	}
	return list
}

// appendTable writes a field table with its length, in the order of its
// keys. It does nothing when err is not nil.
func appendTable(b []byte, t map[string]any, err error) ([]byte, error) {
	if err != nil {
		return b, err
	}
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	for _, key := range slices.Sorted(maps.Keys(t)) {
		if len(key) > 255 {
			return b, fmt.Errorf("field name of %d bytes: at most 255 can be sent", len(key))
		}
		b = append(append(b, byte(len(key))), key...)
		if b, err = appendValue(b, t[key]); err != nil {
			return b, fmt.Errorf("field %q: %w", key, err)
		}
	}
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b, nil
}

// appendValue writes one field value with the letter of its type.
func appendValue(b []byte, v any) ([]byte, error) {
	be := binary.BigEndian
	switch v := v.(type) {
	case nil:
		return append(b, 'V'), nil
	case bool:
		if v {
			return append(b, 't', 1), nil
		}
		return append(b, 't', 0), nil
	case int8:
		return append(b, 'b', byte(v)), nil
	case uint8:
		return append(b, 'B', v), nil
	case int16:
		return be.AppendUint16(append(b, 's'), uint16(v)), nil
	case uint16:
		return be.AppendUint16(append(b, 'u'), v), nil
	case int32:
		return be.AppendUint32(append(b, 'I'), uint32(v)), nil
	case uint32:
		return be.AppendUint32(append(b, 'i'), v), nil
	case int64:
		return be.AppendUint64(append(b, 'l'), uint64(v)), nil
	case int:
		return be.AppendUint64(append(b, 'l'), uint64(v)), nil
	case float32:
		return be.AppendUint32(append(b, 'f'), math.Float32bits(v)), nil
	case float64:
		return be.AppendUint64(append(b, 'd'), math.Float64bits(v)), nil
	case Decimal:
		return be.AppendUint32(append(b, 'D', v.Scale), uint32(v.Value)), nil
	case time.Time:
		return be.AppendUint64(append(b, 'T'), uint64(v.Unix())), nil
	case string:
		return append(be.AppendUint32(append(b, 'S'), uint32(len(v))), v...), nil
	case []byte:
		return append(be.AppendUint32(append(b, 'x'), uint32(len(v))), v...), nil
	case map[string]any:
		return appendTable(append(b, 'F'), v, nil)
	case []any:
		b = append(b, 'A', 0, 0, 0, 0)
		start := len(b)
		for _, e := range v {
			var err error
			if b, err = appendValue(b, e); err != nil {
				return b, err
			}
		}
		be.PutUint32(b[start-4:], uint32(len(b)-start))
		return b, nil
	}
	return b, fmt.Errorf("a %T cannot be sent", v)
}
