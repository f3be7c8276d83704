package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"chiltepin/tools/operation"

	"github.com/sourcegraph/jsonrpc2"
)

// failure is the error of an answer. Its data tells programs more: the code
// as a word, the next step, and what else an operation has to show.
type failure struct {
	Code    int64        `json:"code"`
	Message string       `json:"message"`
	Data    *failureData `json:"data,omitempty"`
}

type failureData struct {
	Code operation.Code `json:"code"`
	Next string         `json:"next,omitempty"`
	*operation.ErrorData
}

// fail is the failure of a message that came to no operation.
func fail(code int64, message string) *failure { return &failure{Code: code, Message: message} }

// failed is the failure of an operation.
func failed(err error) *failure {
	var e *operation.Error
	if !errors.As(err, &e) {
		e = operation.AsError(err)
	}
	return &failure{Code: int64(e.Code.Info().RPC), Message: e.Message, Data: &failureData{Code: e.Code, Next: e.Next, ErrorData: e.Data}}
}

// refuse answers with f. It is for the goroutine that reads.
func (s *instance) refuse(id jsonrpc2.ID, f *failure) { s.settle(id, "error", encode(f)) }

// answer answers with a result. It is for the goroutine that reads.
func (s *instance) answer(id jsonrpc2.ID, result any) { s.settle(id, "result", encode(result)) }

// settle answers what no operation is run for: at once, but to a script in
// its order. That the output is broken shows elsewhere.
func (s *instance) settle(id jsonrpc2.ID, member string, value json.RawMessage) {
	lane := ""
	if !s.session.begun() {
		lane = everything
	}
	turn := s.queue.enter(lane)
	if turn.now() {
		_ = s.stream.ReplyLater(id, member, value)
		turn.leave()
		return
	}
	go func() {
		defer turn.leave()
		if turn.wait(s.base) == nil {
			_ = s.stream.Reply(id, member, value)
		}
	}()
}

// notify sends a notification whose params are a whole object.
func (s *instance) notify(method string, params json.RawMessage) {
	_ = s.stream.Write(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":%s,"params":%s}`, encode(method), params))
}

// encode encodes what always can be, without escaping <, > and &.
func encode(v any) json.RawMessage {
	if raw, ok := v.(json.RawMessage); ok {
		return raw
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return json.RawMessage(`null`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
