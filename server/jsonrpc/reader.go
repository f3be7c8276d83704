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
// their order.
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
		turn := s.guard.beginHold()
		s.receiveMessage(msg)
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

// receiveMessage takes one message. A request is entered among those under way before
// anything else happens, so that a cancellation right behind it is not lost
// (mark3labs/mcp-go#755).
func (s *Core) receiveMessage(msg []byte) {
	e, problem := parseEnvelope(msg)
	if problem == "" {
		switch e.kind {
		case response:
			s.asked.deliverResponse(msg)
			return
		case notification:
			s.handler.HandleNotification(e.method, e.params)
			return
		}
		r := s.newRequest(e, len(msg))
		if problem = s.pending.add(r); problem == "" {
			r.recoverPanics(func() { s.handler.HandleRequest(r) })
			return
		}
		r.cancel()
	}
	_ = s.stream.WriteLater(answerTo(e.id, "error", Encode(jsonrpc2.Error{Code: jsonrpc2.CodeInvalidRequest, Message: problem})))
}
