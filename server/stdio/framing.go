package stdio

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxHeaders bounds the header block before one message.
const maxHeaders = 8 << 10

// mark is the byte order mark that some programs put before their output.
const mark = "\xef\xbb\xbf"

// readFrame reads one framed message. A nil message without a fault is an empty
// line.
func (s *Stream) readFrame() ([]byte, *fault, error) {
	first, err := s.firstByte()
	if err != nil {
		return nil, nil, err
	}
	begins := !s.started
	s.started = true
	if first == 'C' || first == 'c' {
		return s.readHeaded(begins)
	}
	line, whole, err := s.readLine(s.opts.Limit)
	switch {
	case err != nil:
		return nil, nil, err
	case !whole:
		return nil, s.tooLong(), nil
	}
	return bytes.TrimSpace(line), nil, nil
}

// firstByte passes over white space and byte order marks, and looks at what
// follows without taking it.
func (s *Stream) firstByte() (byte, error) {
	for {
		next, err := s.in.Peek(1)
		if err != nil {
			return 0, asEOF(err)
		}
		skip := 0
		switch next[0] {
		case ' ', '\t', '\r', '\n':
			skip = 1
		case mark[0]:
			if next, err := s.in.Peek(len(mark)); err == nil && string(next) == mark {
				skip = len(mark)
			}
		}
		if skip == 0 {
			return next[0], nil
		}
		if _, err := s.in.Discard(skip); err != nil {
			return 0, err
		}
	}
}

// readLine reads up to a line feed or the end of input. Of a line longer than
// most it takes everything and keeps nothing.
func (s *Stream) readLine(most int) (line []byte, whole bool, err error) {
	whole = true
	for {
		piece, err := s.in.ReadSlice('\n')
		if whole && len(line)+len(piece) > most+1 {
			line, whole = nil, false
		}
		if whole {
			line = append(line, piece...)
		}
		switch {
		case err == nil:
			return line, whole, nil
		case errors.Is(err, io.EOF):
			return line, whole, nil // the next read says it again
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, err
		}
	}
}

// readHeaded reads a block of headers and the message behind it. If the input
// begins so, it is answered so.
func (s *Stream) readHeaded(begins bool) ([]byte, *fault, error) {
	length := -1
	for taken := 0; ; {
		line, whole, err := s.readLine(maxHeaders)
		if err != nil {
			return nil, nil, err
		}
		taken += len(line) + 1
		if !whole || taken > maxHeaders {
			return nil, &fault{parseError, "the headers before the message are too long"}, nil
		}
		text := bytes.TrimSpace(line)
		if len(text) == 0 {
			if len(line) == 0 {
				return nil, &fault{parseError, "the input ended within the headers of a message"}, nil
			}
			break
		}
		name, value, ok := bytes.Cut(text, []byte(":"))
		if !ok {
			return nil, &fault{parseError, "the message is neither JSON nor a header"}, nil
		}
		if !bytes.EqualFold(bytes.TrimSpace(name), []byte("Content-Length")) {
			continue
		}
		n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 62)
		if err != nil {
			return nil, &fault{parseError, "Content-Length is not a number of bytes"}, nil
		}
		length = int(n)
	}
	if begins && length >= 0 {
		s.headers.Store(true)
	}
	switch {
	case length < 0:
		return nil, &fault{parseError, "the headers before the message lack Content-Length"}, nil
	case length > s.opts.Limit:
		if _, err := io.CopyN(io.Discard, s.in, int64(length)); err != nil {
			return nil, nil, asEOF(err)
		}
		return nil, s.tooLong(), nil
	}
	return s.readBody(length)
}

// readBody reads a message of known length, growing with what really arrives: a
// length is a claim.
func (s *Stream) readBody(length int) ([]byte, *fault, error) {
	var buf bytes.Buffer
	if _, err := io.CopyN(&buf, s.in, int64(length)); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &fault{parseError, fmt.Sprintf("the message ends after %d of %d bytes", buf.Len(), length)}, nil
		}
		return nil, nil, err
	}
	msg := bytes.TrimSpace(buf.Bytes())
	if len(msg) == 0 {
		return nil, &fault{parseError, "the message is empty"}, nil
	}
	return msg, nil, nil
}

func (s *Stream) tooLong() *fault {
	return &fault{invalidRequest, fmt.Sprintf("the message is longer than %d bytes", s.opts.Limit)}
}

// asEOF makes the end of input, wherever it falls, an [io.EOF].
func asEOF(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}
