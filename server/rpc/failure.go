package rpc

import (
	"errors"

	"github.com/sourcegraph/jsonrpc2"

	"chiltepin/server/jsonrpc"
	"chiltepin/tools/operation"
)

// failure is the error of an answer. Its data tells programs more: the code
// as a word, the next step, and what else an operation has to show.
type failure struct {
	Code    int64
	Message string
	Data    *failureData
}

type failureData struct {
	Code operation.Code   `json:"code"`
	Next []operation.Next `json:"next,omitempty"`
	*operation.ErrorData
}

// wireError is f as the core sends it.
func (f *failure) wireError() *jsonrpc2.Error {
	e := &jsonrpc2.Error{Code: f.Code, Message: f.Message}
	if f.Data != nil {
		data := jsonrpc.Encode(f.Data)
		e.Data = &data
	}
	return e
}

// fail is the failure of a message that came to no operation.
func fail(code int64, message string) *failure { return &failure{Code: code, Message: message} }

// describeError is the failure of an operation.
func describeError(err error) *failure {
	var e *operation.Error
	if !errors.As(err, &e) {
		e = operation.AsError(err)
	}
	return &failure{Code: int64(e.Code.Info().RPC), Message: e.Message, Data: &failureData{Code: e.Code, Next: e.Next, ErrorData: e.Data}}
}

// refuseInOrder answers with f what comes to no operation.
func (d *dialect) refuseInOrder(r *jsonrpc.Request, f *failure) {
	d.answerInOrder(r, func() { r.Fail(f.wireError()) })
}

// replyInOrder answers with a result that no operation gave.
func (d *dialect) replyInOrder(r *jsonrpc.Request, result any) {
	d.answerInOrder(r, func() { r.Reply(jsonrpc.Encode(result)) })
}

// answerInOrder answers what no operation is run for: at once, but to a script
// in its order.
func (d *dialect) answerInOrder(r *jsonrpc.Request, answer func()) {
	lane := ""
	if !d.session.hasBegun() {
		lane = everything
	}
	turn := d.lanes.enter(lane)
	if turn.hasCome() {
		answer()
		turn.leave()
		return
	}
	r.Go(func() {
		defer turn.leave()
		_ = turn.waitFor(d.core.Context()) // at the end it is answered out of its order
		answer()
	})
}
