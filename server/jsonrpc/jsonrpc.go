// Package jsonrpc is the core that the dialects of JSON-RPC 2.0 share: one
// client on a pair of pipes, and what is under way between it and us.
//
// It reads messages and tells requests, notifications and responses apart; it
// keeps every id exactly as it was written, and answers each request once. It
// cancels, sends requests of our own and hears their answers, paces progress,
// lets several requests wait for one call, and ends in order: with the input,
// once all is answered, or with its context, at once. What is under way, and
// what the client has not read, is bounded.
//
// Framing is [chiltepin/server/stdio]'s; the client side of our own requests
// and the error type are sourcegraph/jsonrpc2's. A dialect is a [Dialect]: a
// table of methods. The package knows no method, no operation and no dialect,
// and never touches the process, the file system or the network.
package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"chiltepin/server/stdio"
)

// Options are how a [Core] behaves.
type Options struct {
	// In and Out are the two directions of the wire. The server closes neither.
	In  io.Reader
	Out io.Writer
	// Limit is the longest message taken, in bytes; 0 means 32 MiB.
	Limit int
	// Trace, if set, is shown every message; sent is true for our own.
	Trace func(sent bool, message []byte)
	// Drain is asked at the end of input how long calls under way may take to
	// finish; 0 means as long as it takes, as does a nil function.
	Drain func() time.Duration
	// SilentCancel leaves a cancelled request without an answer, as the Model
	// Context Protocol wants it. Otherwise every request is answered.
	SilentCancel bool
	// AskPrefix makes the ids of our own requests strings that begin so;
	// without it they are numbers.
	AskPrefix string
}

// Dialect is a dialect: its table of methods.
type Dialect interface {
	// HandleRequest takes a request, on the goroutine that reads. It answers,
	// or has [Request.Run] or [Request.Go] do what may take time.
	HandleRequest(r *Request)
	// HandleNotification takes a notification, on the goroutine that reads.
	HandleNotification(method string, params json.RawMessage)
}

// Core serves one client. Make one with [New].
type Core struct {
	opts    Options
	log     *zerolog.Logger
	handler Dialect
	stream  *stdio.Stream
	guard   *watchman
	pending pendingReplies
	quick   quickCalls
	slots   workSlots
	asked   ourRequests

	base context.Context // of every request; outlives the context of Serve
	stop context.CancelFunc

	inputEnd chan error    // what ended the reading, nil for the end of input
	over     chan error    // what else ended the server, from within
	ending   sync.Once     // of over
	gone     chan struct{} // closed when the client will say nothing more
	going    sync.Once     // of gone
	closing  atomic.Bool   // nothing more is begun
}

// New returns a server whose requests have the values of ctx, its log among
// them, and not its end.
func New(ctx context.Context, o Options) *Core {
	s := &Core{opts: o, log: zerolog.Ctx(ctx), guard: newWatchman(), slots: newWorkSlots(),
		inputEnd: make(chan error, 1), over: make(chan error, 1), gone: make(chan struct{})}
	s.base, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.stream = stdio.New(o.In, o.Out, stdio.Options{Limit: o.Limit, Trace: o.Trace})
	s.pending.init()
	s.quick.init()
	s.asked.init(s)
	return s
}

// Serve serves the client until its input ends, ctx does, or [Core.End] is
// called, and returns when all that is under way has finished or was given up.
// The error is that of End, or tells what is wrong with the wire.
func (s *Core) Serve(ctx context.Context, h Dialect) error {
	s.handler = h
	defer s.stop()
	defer s.guard.dismiss()
	s.startReading()
	failure, fromWithin := s.untilOver(ctx)
	s.closing.Store(true)
	s.clientGone()
	s.stop()
	s.finishWork()
	if fromWithin {
		return failure
	}
	if failure != nil && !errors.Is(failure, io.ErrClosedPipe) {
		return fmt.Errorf("serving: %w", failure)
	}
	return nil
}

// Context is the one that every request has: it ends when what is under way is
// given up.
func (s *Core) Context() context.Context { return s.base }

// ClientGone returns a channel that is closed when the client will say nothing
// more, at the end of input or of the server.
func (s *Core) ClientGone() <-chan struct{} { return s.gone }

// End has [Core.Serve] end at once, with err. Only the first call counts.
func (s *Core) End(err error) {
	s.ending.Do(func() { s.over <- err })
}

// Notify sends a notification that belongs to no request; params are an
// object, or nil.
func (s *Core) Notify(method string, params json.RawMessage) {
	_ = s.stream.Write(Notification(method, params)) // a broken output ends the server
}

// Cancel ends the request with that id, if it is under way.
func (s *Core) Cancel(id json.RawMessage) {
	r := s.pending.findByID(id)
	if r == nil {
		return
	}
	if s.opts.SilentCancel {
		r.dropAnswer()
	}
	r.cancel()
}

func (s *Core) clientGone() { s.going.Do(func() { close(s.gone) }) }
