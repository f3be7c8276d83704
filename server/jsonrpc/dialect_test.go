package jsonrpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"chiltepin/server/jsonrpc"
)

// dialect is a few methods that each show one thing.
type dialect struct {
	core *jsonrpc.Core
	// work is done for "work", by name of its params.
	work func(ctx context.Context) error

	mu    sync.Mutex
	begun int
	heard []string // notifications
}

func (d *dialect) HandleRequest(r *jsonrpc.Request) {
	switch r.Method {
	case "echo":
		r.Reply(jsonrpc.Encode(json.RawMessage(orNull(r.Params))))
	case "twice":
		r.Reply(json.RawMessage(`"<"`))
		r.Reply(json.RawMessage(`">"`))
	case "slow":
		r.Go(func() {
			time.Sleep(20 * time.Millisecond)
			r.Reply(json.RawMessage(`"done"`))
		})
	case "ask":
		r.Go(func() {
			var answer json.RawMessage
			if _, err := r.Ask(r.Context(), "question", map[string]int{"n": 1}, &answer); err != nil {
				answer = jsonrpc.Encode(err.Error())
			}
			r.Reply(answer)
		})
	case "work":
		r.Run("work", nil, func() {
			if r.Context().Err() == nil {
				d.mu.Lock()
				d.begun++
				d.mu.Unlock()
				if err := d.work(r.Context()); err == nil {
					r.Reply(json.RawMessage(`"done"`))
					return
				}
			}
			r.Fail(&jsonrpc2.Error{Code: -32800, Message: "cancelled"})
		})
	case "panic":
		panic("secret words")
	default:
		r.Fail(&jsonrpc2.Error{Code: jsonrpc2.CodeMethodNotFound, Message: "unknown method"})
	}
}

func orNull(params json.RawMessage) string {
	if params == nil {
		return "null"
	}
	return string(params)
}

func (d *dialect) HandleNotification(method string, params json.RawMessage) {
	d.mu.Lock()
	d.heard = append(d.heard, method+" "+orNull(params))
	d.mu.Unlock()
	switch method {
	case "cancel":
		d.core.Cancel(params)
	case "exit":
		d.core.End(nil)
	}
}

func (d *dialect) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.begun
}

// serve begins to serve d over what o has.
func (d *dialect) serve(ctx context.Context, o jsonrpc.Options) <-chan error {
	d.core = jsonrpc.New(ctx, o)
	done := make(chan error, 1)
	go func() { done <- d.core.Serve(ctx, d) }()
	return done
}

// say serves what a client says to its end, and returns the answers.
func (d *dialect) say(t *testing.T, lines ...string) []string {
	t.Helper()
	var out bytes.Buffer
	if err := <-d.serve(t.Context(), jsonrpc.Options{In: strings.NewReader(strings.Join(lines, "\n")), Out: &out}); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// counted counts the bytes that a client was able to send.
type counted struct {
	mu sync.Mutex
	w  io.Writer
	n  int
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
	return n, err
}

func (c *counted) sent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}
