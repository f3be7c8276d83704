package stdio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/sourcegraph/jsonrpc2"
)

var _ jsonrpc2.ObjectStream = (*Stream)(nil)

// ReadObject reads the next message into v. An object that is neither request
// nor response, or whose id jsonrpc2 would answer wrongly, is answered in
// place instead of ending the connection. At the end of input it waits until
// every request read was answered, at most [Options].Drain.
func (s *Stream) ReadObject(v any) error {
	for {
		msg, err := s.Read()
		if err != nil {
			if err == io.EOF {
				s.debts.wait(s.opts.Drain)
			}
			return err
		}
		kind, id, problem := classify(msg)
		if problem == "" {
			if kind == request {
				s.debts.add(1)
			}
			if err := json.Unmarshal(msg, v); err == nil {
				return nil
			}
			if kind == request {
				s.debts.add(-1)
			}
			problem = "the message is neither a request nor a response"
		}
		text, err := json.Marshal(problem)
		if err != nil {
			return err
		}
		answer := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%s}}`, id, invalidRequest, text)
		if err := s.Write(answer); err != nil {
			return err
		}
	}
}

// WriteObject sends v as one message.
func (s *Stream) WriteObject(v any) error {
	msg, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	if kind, _, _ := classify(msg); kind == response {
		defer s.debts.add(-1)
	}
	return s.Write(msg)
}

// Close sends what is left. The pipes belong to whoever made them.
func (s *Stream) Close() error { return s.Flush() }

type kind int

const (
	notification kind = iota
	request
	response
)

// classify tells a request from a response, and says what is wrong with the
// ids that jsonrpc2 v0.2.3 gets wrong: it takes null for a notification and
// answers a negative id with 2^64 less it.
func classify(msg []byte) (k kind, id []byte, problem string) {
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method *string         `json:"method"`
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	null := []byte("null")
	if err := json.Unmarshal(msg, &m); err != nil {
		return notification, null, "the method must be a string"
	}
	switch {
	case m.Method != nil && m.ID == nil:
		return notification, null, ""
	case m.Method == nil && (m.Result != nil || m.Error != nil):
		return response, null, ""
	case m.Method == nil:
		return notification, idOr(m.ID, null), "a message has a method, a result or an error"
	}
	switch {
	case bytes.Equal(m.ID, null):
		return notification, null, "the id must not be null"
	case m.ID[0] == '"':
		return request, m.ID, ""
	}
	if _, err := strconv.ParseUint(string(m.ID), 10, 64); err != nil {
		return notification, idOr(m.ID, null), "the id must be a string or a whole number that is not negative"
	}
	return request, m.ID, ""
}

// idOr returns id if it can be echoed, and the other one if not.
func idOr(id, otherwise []byte) []byte {
	if len(id) > 0 && id[0] != '{' && id[0] != '[' && id[0] != 't' && id[0] != 'f' {
		return id
	}
	return otherwise
}

// debts counts the requests read and not yet answered.
type debts struct {
	mu   sync.Mutex
	n    int
	paid chan struct{} // closed while nothing is owed
}

func (d *debts) init() {
	d.paid = make(chan struct{})
	close(d.paid)
}

func (d *debts) add(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.n
	d.n = max(0, d.n+n)
	switch {
	case before == 0 && d.n > 0:
		d.paid = make(chan struct{})
	case before > 0 && d.n == 0:
		close(d.paid)
	}
}

func (d *debts) wait(most time.Duration) {
	d.mu.Lock()
	paid := d.paid
	d.mu.Unlock()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-paid:
	case <-timer.C:
	}
}
