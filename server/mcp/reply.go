package mcp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

// answer is the state of the one answer to a request. Whatever else is sent
// for the request is sent under its lock and before the answer.
type answer struct {
	mu    sync.Mutex
	done  bool
	steps int                      // progress reports sent
	fault *mcp.JSONRPCErrorDetails // what a handler wants instead of mcp-go's error
}

// instead has the request answered with f, whatever mcp-go makes of the
// handler's error: it turns every one into -32603.
func (r *request) instead(f *mcp.JSONRPCErrorDetails) {
	r.answer.mu.Lock()
	defer r.answer.mu.Unlock()
	r.answer.fault = f
}

// drop makes the request one that is answered with nothing, because it was
// cancelled: on stdio a server must not send anything more for it.
func (r *request) drop() {
	r.answer.mu.Lock()
	defer r.answer.mu.Unlock()
	r.answer.done = true
}

// send sends a message that belongs to the request, unless it was answered or
// cancelled.
func (r *request) send(msg []byte) {
	r.answer.mu.Lock()
	defer r.answer.mu.Unlock()
	if !r.answer.done {
		_ = r.stream.Write(msg) // a broken output ends the reading
	}
}

// finish sends the answer and takes the request off the table.
func (r *request) finish(member string, value []byte) {
	r.calls.free(r)
	defer r.calls.leave()
	r.answer.mu.Lock()
	defer r.answer.mu.Unlock()
	if r.answer.done {
		return
	}
	r.answer.done = true
	msg := make([]byte, 0, len(value)+len(r.id)+40)
	msg = append(msg, `{"jsonrpc":"2.0","id":`...)
	msg = append(msg, r.id...)
	msg = append(msg, `,"`...)
	msg = append(msg, member...)
	msg = append(msg, `":`...)
	msg = append(msg, value...)
	msg = append(msg, '}')
	if r.instant() {
		_ = r.stream.WriteLater(msg)
	} else {
		_ = r.stream.Write(msg)
	}
}

// fail answers with an error of the protocol.
func (r *request) fail(f *mcp.JSONRPCErrorDetails) {
	b, err := encode(f)
	if err != nil {
		b = []byte(`{"code":-32603,"message":"the error could not be encoded"}`)
	}
	r.finish("error", b)
}

// reply answers with what mcp-go made of the request, under the id as the
// client wrote it.
func (r *request) reply(m mcp.JSONRPCMessage) {
	r.answer.mu.Lock()
	wanted := r.answer.fault
	r.answer.mu.Unlock()
	switch m := m.(type) {
	case mcp.JSONRPCError:
		if wanted == nil {
			wanted = &m.Error
		}
		r.fail(wanted)
	case mcp.JSONRPCResponse:
		b, err := encodeResult(m.Result)
		if err != nil {
			r.log.Error().Err(err).Str("method", r.method).Msg("encoding a result")
			r.fail(fault(mcp.INTERNAL_ERROR, "the result could not be encoded"))
			return
		}
		r.finish("result", b)
	default:
		r.fail(fault(mcp.INTERNAL_ERROR, "there is no answer to this request"))
	}
}

// recovered makes a panic the error of this request only, in neutral words:
// what a panic says may hold anything. The stack goes to the log.
func (r *request) recovered() {
	if p := recover(); p != nil {
		r.log.Error().Str("method", r.method).Interface("panic", p).Bytes("stack", debug.Stack()).Msg("request panicked")
		r.fail(fault(mcp.INTERNAL_ERROR, "the request failed inside; this is a bug"))
	}
}

// refuse answers a message that is no request of the protocol.
func (s *instance) refuse(id json.RawMessage, code int, text string) {
	if id == nil || id[0] != '"' && id[0] != '-' && (id[0] < '0' || id[0] > '9') {
		id = json.RawMessage("null")
	}
	b, err := encode(fault(code, text))
	if err != nil {
		return
	}
	_ = s.stream.Write(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":%s}`, id, b))
}

// encodeResult encodes a result. mcp-go's own encoding of a tool's result
// escapes HTML and sorts, so that structuredContent would not be the bytes
// that the other faces show.
func encodeResult(v any) ([]byte, error) {
	switch v := v.(type) {
	case *mcp.CallToolResult:
		return encode(wireResult(*v))
	case mcp.CallToolResult:
		return encode(wireResult(v))
	}
	return encode(v)
}

func wireResult(r mcp.CallToolResult) any {
	if r.Content == nil {
		r.Content = []mcp.Content{}
	}
	content := &r.Content
	if r.NeedsInput() {
		content = nil
	}
	return struct {
		Meta              *mcp.Meta         `json:"_meta,omitempty"`
		ResultType        mcp.ResultType    `json:"resultType,omitempty"`
		Content           *[]mcp.Content    `json:"content,omitempty"`
		StructuredContent any               `json:"structuredContent,omitempty"`
		IsError           bool              `json:"isError,omitempty"`
		InputRequests     mcp.InputRequests `json:"inputRequests,omitempty"`
		RequestState      string            `json:"requestState,omitempty"`
	}{r.Meta, r.ResultType, content, r.StructuredContent, r.IsError, r.InputRequests, r.RequestState}
}

// encode is json.Marshal without the escaping of <, > and &.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
