package stdio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/sourcegraph/jsonrpc2"
)

var _ jsonrpc2.ObjectStream = (*Stream)(nil)

// ReadObject reads the next message into v for jsonrpc2 v0.2.3, and keeps it
// from what jsonrpc2 does badly. An object that is no message is answered in
// place instead of ending the connection. A request is handed on under a
// number of ours, because jsonrpc2 knows no negative id and no null, and
// without its parameters, because it would take them apart and put them
// together anew; see [Stream.Params] and [Stream.Reply]. At the end of input
// it waits until every request read was answered, or [Options].Drain.
func (s *Stream) ReadObject(v any) error {
	for {
		msg, err := s.Read()
		if err != nil {
			if err == io.EOF {
				s.debts.close()
				s.debts.wait(s.opts.Drain)
			}
			return err
		}
		m, problem := classify(msg)
		if problem == "" {
			switch {
			case m.kind == response:
				if json.Unmarshal(msg, v) == nil {
					return nil
				}
				continue // an answer is never answered, not even a broken one
			case m.kind == notification:
				msg = fmt.Appendf(nil, `{"method":%s}`, m.method)
			default:
				n, ok := s.debts.enter(m.id)
				if ok {
					msg = fmt.Appendf(nil, `{"id":%d,"method":%s}`, n, m.method)
					break
				}
				problem = "a request with this id is still under way"
			}
		}
		if problem == "" {
			s.params = m.params
			return json.Unmarshal(msg, v)
		}
		if err := s.Write(answerTo(m.id, "error", object{"code": invalidRequest, "message": problem})); err != nil {
			return err
		}
	}
}

// Params returns the parameters of the message that [Stream.ReadObject]
// returned last, as they were written; nil if there are none. It is for the
// handler, which jsonrpc2 calls before it reads on.
func (s *Stream) Params() json.RawMessage { return s.params }

// WriteObject sends v as one message; an answer goes out under the id of its
// request as it was written.
func (s *Stream) WriteObject(v any) error {
	msg, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	var m struct {
		ID     jsonrpc2.ID     `json:"id"`
		Method *string         `json:"method"`
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(msg, &m); err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	switch {
	case m.Method != nil:
		return s.Write(msg)
	case m.Error != nil:
		return s.Reply(m.ID, "error", m.Error)
	}
	return s.Reply(m.ID, "result", m.Result)
}

// Reply answers the request that jsonrpc2 knows by id, with a member "result"
// or "error" whose bytes are sent as they are. A request is answered once;
// what comes later is not sent.
func (s *Stream) Reply(id jsonrpc2.ID, member string, value json.RawMessage) error {
	return s.reply(id, member, value, s.Write)
}

// ReplyLater is [Stream.Reply] by way of [Stream.WriteLater], for the
// goroutine that reads.
func (s *Stream) ReplyLater(id jsonrpc2.ID, member string, value json.RawMessage) error {
	return s.reply(id, member, value, s.WriteLater)
}

func (s *Stream) reply(id jsonrpc2.ID, member string, value json.RawMessage, write func([]byte) error) error {
	raw, ok := s.debts.leave(id.Num)
	if !ok {
		return nil
	}
	defer s.debts.pay()
	return write(answerTo(raw, member, value))
}

// Pending returns what jsonrpc2 calls the request that was sent with that id
// and is not answered yet.
func (s *Stream) Pending(id json.RawMessage) (jsonrpc2.ID, bool) {
	n, ok := s.debts.find(id)
	return jsonrpc2.ID{Num: n}, ok
}

// WireID returns the id of a pending request as it was written, null if it is
// not pending.
func (s *Stream) WireID(id jsonrpc2.ID) json.RawMessage { return s.debts.wireID(id.Num) }

// Ended returns a channel that is closed at the end of input: nothing will be
// answered to us any more.
func (s *Stream) Ended() <-chan struct{} { return s.debts.ended }

// Owed returns a channel that is closed while no answer is owed.
func (s *Stream) Owed() <-chan struct{} { return s.debts.paidNow() }

// Close sends what is left. The pipes belong to whoever made them.
func (s *Stream) Close() error { return s.Flush() }

type object map[string]any

// answerTo is a whole answer; value is bytes, or something that marshals.
func answerTo(id []byte, member string, value any) []byte {
	text, ok := value.(json.RawMessage)
	if !ok {
		text, _ = json.Marshal(value) // numbers and strings only
	}
	msg := make([]byte, 0, len(text)+len(id)+len(member)+32)
	msg = append(msg, `{"jsonrpc":"2.0","id":`...)
	msg = append(msg, id...)
	msg = append(append(append(msg, `,"`...), member...), `":`...)
	return append(append(msg, text...), '}')
}

type kind int

const (
	notification kind = iota
	request
	response
)

// message is what a well-formed JSON object turned out to be. Its id can be
// echoed, whatever it is.
type message struct {
	kind   kind
	id     json.RawMessage
	method json.RawMessage
	params json.RawMessage
}

// classify tells a request from a response, and says what is wrong with what
// is neither.
func classify(msg []byte) (m message, problem string) {
	var in struct {
		Version json.RawMessage `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  json.RawMessage `json:"method"`
		Params  json.RawMessage `json:"params"`
		Result  json.RawMessage `json:"result"`
		Error   json.RawMessage `json:"error"`
	}
	null := json.RawMessage("null")
	if err := json.Unmarshal(msg, &in); err != nil {
		return message{id: null}, "a message is a JSON object"
	}
	m = message{id: null, method: in.Method, params: in.Params}
	known := validID(in.ID)
	if known {
		m.id = in.ID
	}
	switch {
	case string(in.Version) != `"2.0"`:
		return m, `jsonrpc must be "2.0"`
	case in.Method == nil && in.ID != nil && (in.Result != nil || in.Error != nil):
		m.kind = response
		return m, ""
	case in.Method == nil:
		return m, "a message has a method, a result or an error"
	case in.Method[0] != '"':
		return m, "the method must be a string"
	case in.ID == nil:
		return m, ""
	case bytes.Equal(in.ID, null):
		return m, "the id must not be null"
	case !known:
		return m, "the id must be a string or a whole number"
	}
	m.kind = request
	return m, ""
}

// validID is true for a string and for a whole number of any size and sign.
func validID(id json.RawMessage) bool {
	if len(id) == 0 {
		return false
	}
	if id[0] == '"' {
		return true
	}
	return (id[0] == '-' || id[0] >= '0' && id[0] <= '9') && !bytes.ContainsAny(id, ".eE")
}

// key is the same for two spellings of one id: a string may be written in
// several ways.
func key(id json.RawMessage) string {
	var text string
	if bytes.IndexByte(id, '\\') >= 0 && json.Unmarshal(id, &text) == nil {
		return `"` + text + `"`
	}
	return string(id)
}

// debts are the requests read and not yet answered.
type debts struct {
	ended chan struct{} // closed at the end of input

	mu    sync.Mutex
	last  uint64
	ids   map[uint64]json.RawMessage // as they were written
	byKey map[string]uint64
	owed  int           // answers not yet written; an id is free a little earlier
	paid  chan struct{} // closed while nothing is owed
}

func (d *debts) init() {
	d.ids, d.byKey = map[uint64]json.RawMessage{}, map[string]uint64{}
	d.ended, d.paid = make(chan struct{}), make(chan struct{})
	close(d.paid)
}

// enter numbers a request; false if its id is taken.
func (d *debts) enter(id json.RawMessage) (uint64, bool) {
	k := key(id)
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, taken := d.byKey[k]; taken {
		return 0, false
	}
	d.last++
	d.ids[d.last], d.byKey[k] = id, d.last
	if d.owed++; d.owed == 1 {
		d.paid = make(chan struct{})
	}
	return d.last, true
}

// leave gives the id of a request free again; false if it was answered.
func (d *debts) leave(n uint64) (json.RawMessage, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id, ok := d.ids[n]
	if ok {
		delete(d.ids, n)
		delete(d.byKey, key(id))
	}
	return id, ok
}

// pay marks that the answer is written.
func (d *debts) pay() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.owed--; d.owed == 0 {
		close(d.paid)
	}
}

func (d *debts) find(id json.RawMessage) (uint64, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, ok := d.byKey[key(id)]
	return n, ok
}

func (d *debts) wireID(n uint64) json.RawMessage {
	d.mu.Lock()
	defer d.mu.Unlock()
	if id, ok := d.ids[n]; ok {
		return id
	}
	return json.RawMessage("null")
}

func (d *debts) paidNow() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.paid
}

// close marks the end of input.
func (d *debts) close() {
	select {
	case <-d.ended:
	default:
		close(d.ended)
	}
}

// wait waits until nothing is owed, at most so long; 0 is without a bound.
func (d *debts) wait(most time.Duration) {
	var over <-chan time.Time
	if most > 0 {
		timer := time.NewTimer(most)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-d.paidNow():
	case <-over:
	}
}
