package rpc

import (
	"context"
	"encoding/json"
	"io"

	"github.com/sourcegraph/jsonrpc2"

	"chiltepin/server/stdio"
)

// reader is one goroutine that reads and dispatches, as jsonrpc2 has it: a
// connection. What is instant runs on it. When such a call holds it up, as on
// a file system that hangs, another reader takes its place, and it ends with
// that call; what the client answers to questions from before is not heard
// then.
type reader struct {
	*instance
	*stdio.Stream
	relieved bool
}

var (
	_ jsonrpc2.ObjectStream = (*reader)(nil)
	_ jsonrpc2.Handler      = (*reader)(nil)
)

// read starts a reader.
func (s *instance) read() {
	r := &reader{instance: s, Stream: s.stream}
	s.conn.Store(jsonrpc2.NewConn(s.base, r, r, jsonrpc2.SetLogger(quiet{s.log})))
}

// ReadObject reads the next message.
func (r *reader) ReadObject(v any) error {
	if r.relieved {
		return io.EOF
	}
	err := r.Stream.ReadObject(v)
	if err != nil {
		r.guard.Dismiss()
		close(r.ended)
	}
	return err
}

// Close is the end of this reader, and not of the stream.
func (r *reader) Close() error { return nil }

// Handle takes one message, on the goroutine that reads. It returns at once,
// or after something instant.
func (r *reader) Handle(_ context.Context, _ *jsonrpc2.Conn, req *jsonrpc2.Request) {
	params := r.Params()
	if req.Notif {
		r.notified(req.Method, params)
		return
	}
	r.requested(req.ID, req.Method, params)
}

// notified takes a notification. Nothing is ever answered to one, and those
// that are not known are let pass.
func (r *reader) notified(method string, params json.RawMessage) {
	switch method {
	case "$/cancelRequest":
		var p struct {
			ID json.RawMessage `json:"id"`
		}
		if json.Unmarshal(params, &p) == nil && p.ID != nil {
			if id, pending := r.Pending(p.ID); pending {
				r.calls.cancel(id)
			}
		}
	case "$/setTrace":
		r.session.setTrace(params)
	case "exit":
		if r.session.isShutDown() {
			r.end(nil)
		} else {
			r.end(ErrNoShutdown)
		}
	}
}

// requested takes a request. Every way out of it leads to one answer.
func (r *reader) requested(id jsonrpc2.ID, method string, params json.RawMessage) {
	if f := object(params); f != nil {
		r.refuse(id, f)
		return
	}
	if r.session.isShutDown() {
		r.refuse(id, fail(jsonrpc2.CodeInvalidRequest, "the server was shut down; only exit is expected"))
		return
	}
	switch method {
	case "initialize":
		r.initialize(id, params)
	case "shutdown":
		r.shutdown(id)
	case "rpc.discover":
		r.discover(id)
	case "workspace/executeCommand":
		r.execute(id, params)
	default:
		r.invoke(id, method, params)
	}
}

// object refuses parameters that are no object: ours go by name.
func object(params json.RawMessage) *failure {
	if len(params) == 0 || params[0] == '{' || string(params) == "null" {
		return nil
	}
	return fail(jsonrpc2.CodeInvalidParams, "params must be an object: parameters go by name here")
}
