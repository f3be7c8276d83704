package jsonrpc

import (
	"errors"
	"io"

	"github.com/sourcegraph/jsonrpc2"
)

// startReading reads and dispatches messages until the input ends.
//
// What is quick runs on the reading goroutine, between two messages. A
// watchman looks after it: when one call, or a client that does not take its
// answers, holds up the reading, a new goroutine reads on, and the old one
// ends with what it does. Until a call begins, messages are taken strictly in
// their order: each is entered before the watchman looks.
func (s *Core) startReading() {
	go s.guard.makeRounds(func() { go s.readMessages() })
	go s.readMessages()
}

func (s *Core) readMessages() {
	for s.waitForRoom() {
		msg, err := s.stream.Read()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			s.guard.dismiss()
			s.inputEnd <- err
			return
		}
		if s.closing.Load() || isClosed(s.stream.Broken()) {
			return
		}
		more := s.stream.Buffered() // to be asked while no other goroutine reads
		m := s.enterMessage(msg)
		turn := s.guard.beginHold()
		s.dispatchMessage(m)
		if !more {
			_ = s.stream.Flush() // a broken output ends the server
		}
		if !s.guard.endHold(turn) {
			_ = s.stream.Flush() // whoever reads by now waits for input already
			return
		}
	}
}

// waitForRoom waits while the client has too much under way, or too much of
// ours unread; false when the server has ended. Answers to questions of ours
// are read all the same, or calls could wait for ever.
func (s *Core) waitForRoom() bool {
	for s.stream.Full() || s.pending.isFull() && s.asked.open.Load() == 0 {
		select {
		case <-s.stream.Eased():
		case <-s.pending.eased:
		case <-s.stream.Broken():
			return false
		case <-s.base.Done():
			return false
		}
	}
	return !s.closing.Load()
}

// message is one that was read, and what came of it.
type message struct {
	envelope
	raw     []byte
	request *Request // nil for one that is none, or is refused
	problem string   // why it is refused
}

// enterMessage enters a request among those under way, before another goroutine
// can read on: neither the end of the input nor a cancellation right behind it
// overtakes it (mark3labs/mcp-go#755). It waits for nothing.
func (s *Core) enterMessage(msg []byte) message {
	m := message{raw: msg}
	m.envelope, m.problem = parseEnvelope(msg)
	if m.problem != "" || m.kind != request {
		return m
	}
	r := s.newRequest(m.envelope, len(msg))
	if m.problem = s.pending.add(r); m.problem != "" {
		r.cancel()
		return m
	}
	m.request = r
	return m
}

// dispatchMessage hands a message to whom it is for, or refuses it.
func (s *Core) dispatchMessage(m message) {
	switch {
	case m.problem != "":
		_ = s.stream.WriteLater(answerTo(m.id, "error", Encode(jsonrpc2.Error{Code: jsonrpc2.CodeInvalidRequest, Message: m.problem})))
	case m.kind == response:
		s.asked.deliverResponse(m.raw)
	case m.kind == notification:
		s.handler.HandleNotification(m.method, m.params)
	default:
		m.request.recoverPanics(func() { s.handler.HandleRequest(m.request) })
	}
}
