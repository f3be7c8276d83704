package mcp

import (
	"errors"
	"io"
)

// startReading reads and dispatches messages until the input ends; how it
// ended is sent to ended, nil for the end of input.
//
// What is instant runs on the reading goroutine, between two messages. A
// watchman looks after it: when one call holds up the reading, a new goroutine
// reads on, and the old one ends with its call. Until a call begins, messages
// are taken strictly in their order.
func (s *instance) startReading(ended chan<- error) {
	read := func() {
		for {
			msg, err := s.stream.Read()
			if err != nil {
				s.guard.Dismiss()
				if errors.Is(err, io.EOF) {
					err = nil
				}
				ended <- err
				return
			}
			if !s.receive(msg) {
				return
			}
		}
	}
	go s.guard.Run(func() { go read() })
	go read()
}
