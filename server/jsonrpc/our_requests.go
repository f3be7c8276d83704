package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rs/zerolog"
	"github.com/sourcegraph/jsonrpc2"
)

// errClientGone is the answer to a question when the client has gone.
var errClientGone = errors.New("the client has gone")

// ourRequests are what we ask the client. A jsonrpc2 connection keeps them and
// finds their answers; it begins with the first of them, and reads nothing but
// the responses that the server has read.
type ourRequests struct {
	server    *Core
	begin     sync.Once
	conn      *jsonrpc2.Conn
	responses chan json.RawMessage
	begun     atomic.Bool
	last      atomic.Uint64
	open      atomic.Int32 // sent and not yet answered
}

var _ jsonrpc2.ObjectStream = (*ourRequests)(nil)

func (o *ourRequests) init(s *Core) { o.server, o.responses = s, make(chan json.RawMessage) }

// sendQuestion sends a question, and returns what wait needs.
func (o *ourRequests) sendQuestion(method string, params any) (jsonrpc2.Waiter, json.RawMessage, error) {
	select {
	case <-o.server.gone:
		return jsonrpc2.Waiter{}, nil, errClientGone
	default:
	}
	o.begin.Do(func() {
		o.conn = jsonrpc2.NewConn(o.server.base, o, noRequests{}, jsonrpc2.SetLogger(debugLog{o.server.log}))
		o.begun.Store(true)
	})
	n := o.last.Add(1)
	id := jsonrpc2.ID{Num: n - 1}
	if prefix := o.server.opts.AskPrefix; prefix != "" {
		id = jsonrpc2.ID{Str: fmt.Sprint(prefix, n), IsString: true}
	}
	o.open.Add(1)
	o.server.pending.wakeReader() // answers must be read, however much is under way
	question, err := o.conn.DispatchCall(o.server.base, method, params, jsonrpc2.PickID(id))
	if err != nil {
		o.open.Add(-1)
	}
	return question, Encode(id), o.nameError(err)
}

// awaitAnswer waits for the answer to a question.
func (o *ourRequests) awaitAnswer(ctx context.Context, question jsonrpc2.Waiter, result any) error {
	defer o.open.Add(-1)
	return o.nameError(question.Wait(ctx, result))
}

func (o *ourRequests) nameError(err error) error {
	if errors.Is(err, jsonrpc2.ErrClosed) {
		return errClientGone
	}
	return err
}

// deliverResponse hands on a response that was read; those to nothing of ours are let
// pass.
func (o *ourRequests) deliverResponse(msg json.RawMessage) {
	if !o.begun.Load() {
		return
	}
	select {
	case o.responses <- msg:
	case <-o.server.gone:
	}
}

// ReadObject waits for a response. A response is never answered, not even a
// broken one, which is let pass.
func (o *ourRequests) ReadObject(v any) error {
	for {
		select {
		case msg := <-o.responses:
			if json.Unmarshal(msg, v) == nil {
				return nil
			}
		case <-o.server.gone:
			return io.EOF
		}
	}
}

// WriteObject sends a question.
func (o *ourRequests) WriteObject(v any) error {
	msg, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	return o.server.stream.Write(msg)
}

// Close is called when the client has gone; the stream goes on.
func (o *ourRequests) Close() error { return nil }

// noRequests handles the requests that come as responses: none.
type noRequests struct{}

func (noRequests) Handle(context.Context, *jsonrpc2.Conn, *jsonrpc2.Request) {}

// debugLog takes what jsonrpc2 has to say to its own log, which would
// otherwise go to standard error.
type debugLog struct{ log *zerolog.Logger }

func (d debugLog) Printf(format string, args ...any) {
	d.log.Debug().Msgf(strings.TrimSpace(format), args...)
}
