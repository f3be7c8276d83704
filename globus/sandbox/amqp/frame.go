package amqp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The types of frames, and the octet that ends each.
const (
	FrameMethod    = 1
	FrameHeader    = 2
	FrameBody      = 3
	FrameHeartbeat = 8
	frameEnd       = 0xCE

	// FrameOverhead is what a frame has besides its payload.
	FrameOverhead = 8
)

// Preamble is the protocol header that a client sends first, and that a server
// answers to any other one before it closes the connection.
const Preamble = "AMQP\x00\x00\x09\x01"

// Frame is one frame of a connection.
type Frame struct {
	Type    uint8
	Channel uint16
	Payload []byte
}

// ErrFrame means that a frame is malformed. Where the next one begins is then
// unknown, so the connection has to end.
var ErrFrame = errors.New("bad frame")

// ReadFrame reads one frame, whose payload may have up to max bytes: strictly it
// may have FrameOverhead less, but RabbitMQ allows that too. It returns io.EOF
// only when r ends before the frame begins, an error that wraps ErrFrame when
// the frame is malformed, and allocates no more than max whatever the frame
// claims.
func ReadFrame(r io.Reader, max uint32) (Frame, error) {
	var head [7]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Frame{}, err
	}
	f := Frame{Type: head[0], Channel: binary.BigEndian.Uint16(head[1:])}
	size := binary.BigEndian.Uint32(head[3:])
	if size > max {
		return f, fmt.Errorf("%w: %d bytes where at most %d were agreed", ErrFrame, size, max)
	}
	p := make([]byte, size+1)
	if _, err := io.ReadFull(r, p); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return f, err
	}
	if p[size] != frameEnd {
		return f, fmt.Errorf("%w: it ends in %#02x", ErrFrame, p[size])
	}
	f.Payload = p[:size:size]
	return f, nil
}

// AppendFrame appends f to b as it goes over the connection.
func AppendFrame(b []byte, f Frame) []byte {
	b = append(b, f.Type)
	b = binary.BigEndian.AppendUint16(b, f.Channel)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.Payload)))
	b = append(b, f.Payload...)
	return append(b, frameEnd)
}
