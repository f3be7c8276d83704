// Package stdio is the message stream that the server dialects share: JSON
// messages in, JSON messages out, over a pair of pipes.
//
// It frames (one message a line, or Content-Length headers, found out from the
// first byte of each message and answered alike), it bounds both directions,
// it answers what is not a message in place and reads on, it takes a last line
// without a line feed, and it has one writer, so that nothing is interleaved
// or reordered.
//
// It knows no method, no id and no dialect, starts no goroutine and never
// looks inside a message further than its first character, but for the wire
// log ([Mask]).
package stdio

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"unicode/utf8"
)

// DefaultLimit is the longest message taken when [Options] names no limit.
const DefaultLimit = 32 << 20

// Options are how a [Stream] behaves. The zero value is the usual behaviour.
type Options struct {
	// Limit is the longest message in bytes; 0 means [DefaultLimit].
	Limit int
	// Batches hands arrays to the reader; otherwise they are refused in place.
	Batches bool
	// Trace, if set, is shown every message; sent is true for our own. It
	// must not keep the bytes.
	Trace func(sent bool, message []byte)
	// Held is how many bytes of ours a client may leave unread before writers
	// wait; 0 means [DefaultHeld].
	Held int
}

// Stream reads and writes whole messages. One goroutine may read at a time;
// any number may write.
type Stream struct {
	opts Options
	in   *bufio.Reader

	out output

	headers atomic.Bool // answer with Content-Length headers
	started bool
}

// New returns a stream over in and out. It closes neither.
func New(in io.Reader, out io.Writer, opts Options) *Stream {
	if opts.Limit <= 0 {
		opts.Limit = DefaultLimit
	}
	if opts.Held <= 0 {
		opts.Held = DefaultHeld
	}
	s := &Stream{opts: opts}
	s.out.init(out, opts.Held)
	s.in = bufio.NewReaderSize(flushFirst{s, in}, 64<<10)
	return s
}

// flushFirst sends what was written before it waits for more input, so that
// answers to messages that arrived together leave together.
type flushFirst struct {
	s  *Stream
	in io.Reader
}

func (f flushFirst) Read(p []byte) (int, error) {
	_ = f.s.Flush() // a broken output shows at the next write
	return f.in.Read(p)
}

// Read returns the next message, which belongs to the caller: well-formed
// JSON, an object or, where batches are taken, an array. What is no message
// is answered and passed over. The error is [io.EOF] at the end of input, or
// what the input says.
func (s *Stream) Read() ([]byte, error) {
	for {
		msg, fault, err := s.readFrame()
		if err != nil {
			return nil, err
		}
		if fault == nil && msg != nil {
			fault = s.checkMessage(msg)
		}
		if fault != nil {
			if err := s.answerFault(fault); err != nil {
				return nil, err
			}
			continue
		}
		if msg == nil {
			continue
		}
		if s.opts.Trace != nil {
			s.opts.Trace(false, msg)
		}
		return msg, nil
	}
}

// fault is input that is not a message.
type fault struct {
	code int
	text string
}

const (
	parseError     = -32700
	invalidRequest = -32600
)

// checkMessage says what is wrong with a framed message, nil if nothing is.
func (s *Stream) checkMessage(msg []byte) *fault {
	switch {
	case !utf8.Valid(msg):
		return &fault{parseError, "the message is not UTF-8"}
	case !json.Valid(msg):
		return &fault{parseError, "the message is not JSON" + locateSyntaxError(msg)}
	case msg[0] == '{', msg[0] == '[' && s.opts.Batches:
		return nil
	case msg[0] == '[':
		return &fault{invalidRequest, "batches are not taken: send one message a line"}
	}
	return &fault{invalidRequest, "a message is a JSON object"}
}

// locateSyntaxError names the first byte that is not JSON.
func locateSyntaxError(msg []byte) string {
	var v json.RawMessage
	var syntax *json.SyntaxError
	if err := json.Unmarshal(msg, &v); errors.As(err, &syntax) {
		if syntax.Offset >= int64(len(msg)) && bytes.HasPrefix(msg, []byte("{")) {
			return ": it ends too early"
		}
		return fmt.Sprintf(" at byte %d", syntax.Offset)
	}
	return ""
}

// answerFault answers a fault. JSON-RPC wants a null id where none could be read.
func (s *Stream) answerFault(f *fault) error {
	text, err := json.Marshal(f.text)
	if err != nil {
		return err
	}
	return s.Write(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":null,"error":{"code":%d,"message":%s}}`, f.code, text))
}

// Write sends one message at once. It is for messages that come on their own.
// Where the client does not read, it returns and the message is sent later, or
// it waits until there is room.
func (s *Stream) Write(msg []byte) error {
	if err := s.WriteLater(msg); err != nil {
		return err
	}
	return s.Flush()
}

// WriteLater sends one message when the reader next waits for input, or
// earlier. It is for the goroutine that reads; messages keep their order with
// those of [Stream.Write].
func (s *Stream) WriteLater(msg []byte) error {
	if s.opts.Trace != nil {
		s.opts.Trace(true, msg)
	}
	return s.out.addMessage(s.headers.Load(), msg)
}

// Flush sends what was written and not yet sent.
func (s *Stream) Flush() error { return s.out.writeHeld() }

// Buffered is true if more input has arrived than was read; then the answers
// so far may wait for those to it.
func (s *Stream) Buffered() bool { return s.in.Buffered() > 0 }
