package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The types of frames, and the octet that ends each.
const (
	amqpFrameMethod    = 1
	amqpFrameHeader    = 2
	amqpFrameBody      = 3
	amqpFrameHeartbeat = 8
	amqpFrameEnd       = 0xCE

	// amqpFrameOverhead is what a frame has besides its payload.
	amqpFrameOverhead = 8
)

// amqpPreamble is what a client says first, and what a server answers to
// anything else.
const amqpPreamble = "AMQP\x00\x00\x09\x01"

// amqpFrame is one frame of a connection.
type amqpFrame struct {
	Type    uint8
	Channel uint16
	Payload []byte
}

// errAMQPFrame is a frame that is no frame. The bytes after it cannot be
// understood, so the connection ends.
var errAMQPFrame = errors.New("bad frame")

// readAMQPFrame reads one frame. Its payload may have max bytes, though it
// should have the overhead less: RabbitMQ allows it too. It returns io.EOF only
// when r ends before the frame begins, and allocates no more than max whatever
// the frame claims.
func readAMQPFrame(r io.Reader, max uint32) (amqpFrame, error) {
	var head [7]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return amqpFrame{}, err
	}
	f := amqpFrame{Type: head[0], Channel: binary.BigEndian.Uint16(head[1:])}
	size := binary.BigEndian.Uint32(head[3:])
	if size > max {
		return f, fmt.Errorf("%w: %d bytes where at most %d were agreed", errAMQPFrame, size, max)
	}
	p := make([]byte, size+1)
	if _, err := io.ReadFull(r, p); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return f, err
	}
	if p[size] != amqpFrameEnd {
		return f, fmt.Errorf("%w: it ends in %#02x", errAMQPFrame, p[size])
	}
	f.Payload = p[:size:size]
	return f, nil
}

// appendAMQPFrame writes f behind b.
func appendAMQPFrame(b []byte, f amqpFrame) []byte {
	b = append(b, f.Type)
	b = binary.BigEndian.AppendUint16(b, f.Channel)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.Payload)))
	b = append(b, f.Payload...)
	return append(b, amqpFrameEnd)
}
