package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/sourcegraph/jsonrpc2"
)

// Request is one request of the client, from its arrival to its answer. Its
// fields are not to be changed.
type Request struct {
	// ID is the id as it was written.
	ID json.RawMessage
	// Method is the name of what is wanted.
	Method string
	// Params are the parameters as they were written, nil if there are none.
	Params json.RawMessage

	server *Core
	key    string
	size   int
	ctx    context.Context
	cancel context.CancelFunc
	onRead bool // it is handled by the goroutine that reads

	mu       sync.Mutex
	answered bool
	silent   bool // it was cancelled, and nothing is sent for it any more
}

func (s *Core) newRequest(e envelope, size int) *Request {
	r := &Request{ID: e.id, Method: e.method, Params: e.params, server: s, key: idKey(e.id), size: size, onRead: true}
	r.ctx, r.cancel = context.WithCancel(s.base)
	return r
}

// Context ends when the request is cancelled or answered, or everything is
// given up.
func (r *Request) Context() context.Context { return r.ctx }

// Reply answers with a result, whose bytes are sent as they are.
func (r *Request) Reply(result json.RawMessage) { r.sendAnswer("result", result) }

// Fail answers with an error.
func (r *Request) Fail(e *jsonrpc2.Error) { r.sendAnswer("error", Encode(e)) }

// sendAnswer sends the first answer and forgets any other.
func (r *Request) sendAnswer(member string, value []byte) {
	r.mu.Lock()
	again, silent := r.answered, r.silent
	r.answered = true
	r.mu.Unlock()
	if again {
		return
	}
	s := r.server
	s.pending.freeID(r)
	defer s.pending.done(r.size)
	defer r.cancel()
	if silent {
		return
	}
	msg := answerTo(r.ID, member, value)
	if r.onRead {
		_ = s.stream.WriteLater(msg)
	} else {
		_ = s.stream.Write(msg) // a broken output ends the server
	}
}

// Notify sends a notification that belongs to the request: before its answer,
// or never.
func (r *Request) Notify(method string, params json.RawMessage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.answered && !r.silent {
		_ = r.server.stream.Write(Notification(method, params))
	}
}

// dropAnswer has nothing more sent for the request. It stays under way until its
// work has really ended.
func (r *Request) dropAnswer() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = true
}

// Run does work that answers the request, and may take time. It waits for
// ready, where that is not nil, and for one of the places that bound how much
// is done at once, or until the request is cancelled.
//
// Work of this name that was quick before is done on the goroutine that reads,
// between two messages, because a hop to another goroutine and back costs more
// than such a call does. Should it take long this time, another goroutine
// reads on.
func (r *Request) Run(name string, ready <-chan struct{}, work func()) {
	s := r.server
	if isClosed(ready) && s.quick.beginOnReader(name) {
		defer s.quick.endOnReader(name)
		r.measureWork(name, work)
		return
	}
	r.onRead = false
	go func() {
		if ready != nil {
			select {
			case <-ready:
			case <-r.ctx.Done():
			}
		}
		if s.slots.take(r.ctx) {
			defer s.slots.free()
			r.measureWork(name, work)
		} else {
			r.recoverPanics(work) // it finds that it was cancelled
		}
	}()
}

// measureWork does work, and notes how long it took.
func (r *Request) measureWork(name string, work func()) {
	began := time.Now()
	r.recoverPanics(work)
	r.server.quick.noteDuration(name, time.Since(began))
}

// Go does work that answers the request, at once and on a goroutine of its
// own, however much is under way: work that mostly waits.
func (r *Request) Go(work func()) {
	r.onRead = false
	go r.recoverPanics(work)
}

// recoverPanics does work, and makes a panic the error of this request only, in
// neutral words: what a panic says may hold anything. The stack goes to the
// log.
func (r *Request) recoverPanics(work func()) {
	defer func() {
		if p := recover(); p != nil {
			r.server.log.Error().Str("method", r.Method).Interface("panic", p).Bytes("stack", debug.Stack()).Msg("request panicked")
			r.Fail(&jsonrpc2.Error{Code: jsonrpc2.CodeInternalError, Message: "the request failed inside; this is a bug"})
		}
	}()
	work()
}

// errAnswered is the answer to a question on behalf of a request that is over.
var errAnswered = errors.New("the request was answered or cancelled")

// Ask sends a request of our own on behalf of this one, before its answer or
// never, and waits for the client's answer, which is decoded into result. The
// id is returned so that the client can be told that a question is moot.
func (r *Request) Ask(ctx context.Context, method string, params, result any) (id json.RawMessage, err error) {
	r.mu.Lock()
	if r.answered || r.silent {
		r.mu.Unlock()
		return nil, errAnswered
	}
	question, id, err := r.server.asked.sendQuestion(method, params)
	r.mu.Unlock()
	if err != nil {
		return id, err
	}
	return id, r.server.asked.awaitAnswer(ctx, question, result)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return c == nil
	}
}
