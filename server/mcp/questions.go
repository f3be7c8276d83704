package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// questions are our own requests to a client of the old era, by id.
type questions struct {
	mu      sync.Mutex
	last    int
	pending map[string]chan envelope
	closed  bool
}

// errNobody is the answer to a question when the client has gone.
var errNobody = errors.New("the client has gone")

func (q *questions) init() { q.pending = map[string]chan envelope{} }

// ask sends a request on behalf of r and waits for its answer. Our ids are
// strings with a prefix, so that they are never taken for the client's.
func (q *questions) ask(ctx context.Context, r *request, method string, params any) (json.RawMessage, error) {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil, errNobody
	}
	q.last++
	id := fmt.Sprintf(`"chiltepin-%d"`, q.last)
	answered := make(chan envelope, 1)
	q.pending[id] = answered
	q.mu.Unlock()
	defer func() {
		q.mu.Lock()
		delete(q.pending, id)
		q.mu.Unlock()
	}()

	b, err := encode(params)
	if err != nil {
		return nil, err
	}
	r.send(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"method":"%s","params":%s}`, id, method, b))
	select {
	case <-ctx.Done():
		// The question is moot; a client may take it off the screen.
		_ = r.stream.Write(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s,"reason":"the call was cancelled"}}`, id))
		return nil, ctx.Err()
	case m, ok := <-answered:
		switch {
		case !ok:
			return nil, errNobody
		case m.Error != nil:
			return nil, fmt.Errorf("the client answered %s with an error: %s", method, strings.ToValidUTF8(string(m.Error), "?"))
		}
		return m.Result, nil
	}
}

// answer takes the client's response to one of ours; others are let pass.
func (q *questions) answer(m envelope) {
	q.mu.Lock()
	answered := q.pending[string(m.ID)]
	delete(q.pending, string(m.ID))
	q.mu.Unlock()
	if answered != nil {
		answered <- m
	}
}

// close ends every question without an answer: the input has ended.
func (q *questions) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for id, answered := range q.pending {
		close(answered)
		delete(q.pending, id)
	}
}
