// Package rpc is the JSON-RPC 2.0 dialect of the catalogue, on standard input
// and output: for scripts, one JSON object a line, and for editors, with the
// headers and the habits of the Language Server Protocol.
//
// Reading, dispatch and calls to the client are sourcegraph/jsonrpc2's, over
// [chiltepin/server/stdio], which puts right what that library does badly
// with what it reads and writes. A method is an operation of the catalogue
// with slashes for dots, its parameters are the argument object and its result
// the result object, byte for byte as every other face shows it.
//
// The package names no operation: methods, documents and notifications are
// read off the catalogue. It never touches the process, the file system or
// the network.
package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"chiltepin/tools/operation"

	"github.com/rs/zerolog"
	"github.com/sourcegraph/jsonrpc2"

	"chiltepin/server/stdio"
)

// Options are what [Serve] serves, and where.
type Options struct {
	// Catalog is every operation there is, Policy what of it is offered.
	Catalog *operation.Catalog
	Policy  operation.Policy
	// In and Out are the two directions of the wire. Serve closes neither.
	In  io.Reader
	Out io.Writer
	// Version is the program's.
	Version string
	// Limit is the longest message taken, in bytes; 0 means 32 MiB.
	Limit int
	// Trace, if set, is shown every message on the wire.
	Trace func(sent bool, message []byte)
	// Drain bounds how long calls under way may take to finish after the end
	// of the input of a client that said initialize; 0 means a minute. Those
	// of a script, which writes its calls and closes the pipe, have the time
	// that they take. Once ctx ends they have a second.
	Drain time.Duration
	// Process, if set, returns a channel that is closed when the process of
	// that id on this machine ends, and an error if there is none. A client
	// names its own with initialize, and the server ends with it.
	Process func(ctx context.Context, pid int) (<-chan struct{}, error)
}

// ErrNoShutdown is what [Serve] returns when its client sent exit without
// shutdown before; the Language Server Protocol wants exit status 1 then.
var ErrNoShutdown = errors.New("exit without shutdown")

// Serve serves one client until its input ends, it sends exit, the process
// that it named ends, or ctx does; and returns when every call under way has
// finished or was given up. The error is nil then, [ErrNoShutdown], or tells
// what is wrong with the options or the wire.
func Serve(ctx context.Context, o Options) error {
	s, err := newServer(ctx, o)
	if err != nil {
		return err
	}
	return s.serve(ctx)
}

// instance is one server with its one client.
type instance struct {
	opts    Options
	log     *zerolog.Logger
	offer   *operation.Offer
	methods map[string]*operation.Tool // by method name, offered or not
	stream  *stdio.Stream
	conn    atomic.Pointer[jsonrpc2.Conn]
	guard   *stdio.Watchman
	session session
	calls   calls
	queue   queue
	follows follows
	ended   chan struct{} // closed at the end of input
	over    chan error    // what ended the server otherwise, from within
	ending  sync.Once
	base    context.Context // of every call; outlives the context of Serve
	stop    context.CancelFunc
}

func newServer(ctx context.Context, o Options) (*instance, error) {
	if o.Drain <= 0 {
		o.Drain = time.Minute
	}
	o.Policy.Follows = true
	if len(o.Policy.Toolsets) == 0 {
		o.Policy.Toolsets = []string{operation.ToolsetAll} // a script knows what it wants
	}
	offer, err := o.Policy.Offer(o.Catalog)
	if err != nil {
		return nil, err
	}
	s := &instance{opts: o, log: zerolog.Ctx(ctx), offer: offer, methods: map[string]*operation.Tool{}, guard: stdio.NewWatchman(), ended: make(chan struct{}), over: make(chan error, 1)}
	for t := range o.Catalog.All() {
		s.methods[methodName(t.Name)] = t
	}
	s.stream = stdio.New(o.In, o.Out, stdio.Options{Limit: o.Limit, Trace: o.Trace})
	s.calls.init()
	s.follows.init()
	hooked := s.log.Hook(zerolog.HookFunc(s.session.logMessage(s)))
	s.log = &hooked
	s.base, s.stop = context.WithCancel(hooked.WithContext(context.WithoutCancel(operation.WithFace(ctx, "rpc"))))
	return s, nil
}

// methodName is the method of the operation, or the notification, of that
// wire name.
func methodName(name string) string { return strings.ReplaceAll(name, ".", "/") }

// serve reads until something ends it, then waits for what is under way.
func (s *instance) serve(ctx context.Context) error {
	defer s.stop()
	defer s.guard.Dismiss()
	go s.guard.Run(s.read)
	s.read()
	failure := s.untilOver(ctx)
	// What is under way is given up, and lands.
	s.stop()
	wait(s.stream.Owed(), time.Second)
	_ = s.conn.Load().Close() // says that it is closed, if it is
	if err := s.stream.Flush(); failure == nil && err != nil && !errors.Is(err, io.ErrClosedPipe) {
		failure = fmt.Errorf("serving: %w", err)
	}
	return failure
}

// untilOver waits for what ends the server, and returns what is wrong with that.
func (s *instance) untilOver(ctx context.Context) error {
	var patience <-chan time.Time
	input := s.stream.Ended()
	for {
		select {
		case <-input:
			input = nil
			if s.session.begun() {
				timer := time.NewTimer(s.opts.Drain)
				defer timer.Stop()
				patience = timer.C
			}
		case <-s.ended: // and all that was owed is answered
			return nil
		case <-patience:
			return nil
		case failure := <-s.over:
			return failure
		case <-ctx.Done():
			wait(s.stream.Owed(), time.Second)
			return nil
		}
	}
}

// end has the server end, with err.
func (s *instance) end(err error) {
	s.ending.Do(func() { s.over <- err })
}

// wait waits for done, at most so long.
func wait(done <-chan struct{}, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// quiet takes what jsonrpc2 has to say to its own log, which would otherwise
// go to standard error.
type quiet struct{ log *zerolog.Logger }

func (q quiet) Printf(format string, args ...any) {
	q.log.Debug().Msgf(strings.TrimSpace(format), args...)
}
