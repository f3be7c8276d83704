// Package mcp is the Model Context Protocol dialect of the catalogue: every
// operation a typed tool, on standard input and output, for every revision
// from 2024-11-05 to 2026-07-28 in one process.
//
// Types, registration and dispatch are mark3labs/mcp-go's; the transport is
// our own, over [chiltepin/server/stdio], because mcp-go's StdioServer loses
// work at the end of input, answers out of order and forgets cancellations
// (mark3labs/mcp-go#969, #755). What mcp-go's dispatch itself gets wrong is
// put right in one place each: request.go (eras, ids), reply.go (errors,
// bytes), session.go (capabilities).
//
// The package names no operation: what a client can call, read and ask for is
// read off the catalogue. It never touches the process, the file system or
// the network, and an argument that a model can set is never consent.
package mcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"chiltepin/tools/operation"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/rs/zerolog"

	"chiltepin/server/stdio"
)

// Consent says who is asked before something is destroyed.
type Consent string

const (
	// ConsentAsk asks the person behind the client, through the client; one
	// that cannot ask is refused. It is what the zero value means.
	ConsentAsk Consent = "ask"
	// ConsentHost leaves it to a client that confirms every call of a tool
	// with its person by itself.
	ConsentHost Consent = "host"
)

// Options are what [Serve] serves, and where.
type Options struct {
	// Catalog is every operation there is, Policy what of it is offered.
	Catalog *operation.Catalog
	Policy  operation.Policy
	// Resources is what can be read by address, Guides what a person can have
	// a model do; both may be empty.
	Resources operation.Resources
	Guides    []operation.Guide
	// Instructions, if set, tells a model how the operations offered go together;
	// say gives the word by which it calls one.
	Instructions func(offer *operation.Offer, say func(operation string) string) string
	// In and Out are the two directions of the wire. Serve closes neither.
	In  io.Reader
	Out io.Writer
	// Version is the program's.
	Version string
	// Consent says who is asked; "" stands for [ConsentAsk].
	Consent Consent
	// Limit is the longest message taken, in bytes; 0 means 32 MiB.
	Limit int
	// Trace, if set, is shown every message on the wire.
	Trace func(sent bool, message []byte)
	// LegacyOnly answers as a server that knows nothing after 2025-11-25, for
	// clients that cannot cope with the probe of the newer revision.
	LegacyOnly bool
	// Drain bounds how long calls under way may take to finish after the end
	// of input; 0 means a minute. Once ctx ends they have a second.
	Drain time.Duration
	// Extend registers more with the server, for conformance tests.
	Extend func(*server.MCPServer)
}

// Serve serves one client until its input ends or ctx does, and returns when
// every call under way has finished or was given up. The error is nil then,
// and otherwise tells what is wrong with the options or the wire.
func Serve(ctx context.Context, o Options) error {
	s, err := newServer(ctx, o)
	if err != nil {
		return err
	}
	return s.serve(ctx)
}

// Server identity shown to clients.
const (
	serverName  = "chiltepin"
	serverTitle = "Chiltepin: Globus Compute endpoints"
)

// instance is one server with its one client.
type instance struct {
	opts    Options
	log     *zerolog.Logger
	offer   *operation.Offer
	names   map[string]*operation.Tool          // by tool name
	outside map[*operation.Tool]map[string]bool // see [operation.Tool.FromOutside]
	mcp     *server.MCPServer
	stream  *stdio.Stream
	seal    *sealer
	peer    peer
	guard   *stdio.Watchman
	calls   calls
	flights flights
	asked   questions
	watch   watcher
	old     *subscription // of a client of the old era; see [instance.everyone]
	oldOnce sync.Once
	meta    *mcp.Meta       // what results of the new era say of us
	base    context.Context // of every request; outlives the context of Serve
	stop    context.CancelFunc
}

func newServer(ctx context.Context, o Options) (*instance, error) {
	switch o.Consent {
	case "":
		o.Consent = ConsentAsk
	case ConsentAsk, ConsentHost:
	default:
		return nil, operation.Invalid("consent", "ask or host", string(o.Consent))
	}
	if o.Drain <= 0 {
		o.Drain = time.Minute
	}
	offer, err := o.Policy.Offer(o.Catalog)
	if err != nil {
		return nil, err
	}
	seal, err := newSealer()
	if err != nil {
		return nil, err
	}
	s := &instance{opts: o, log: zerolog.Ctx(ctx), offer: offer, seal: seal, guard: stdio.NewWatchman(), flights: flights{byKey: map[string]*flight{}}}
	s.stream = stdio.New(o.In, o.Out, stdio.Options{Limit: o.Limit, Trace: o.Trace})
	s.base, s.stop = context.WithCancel(context.WithoutCancel(operation.WithFace(ctx, "mcp")))
	s.calls.init()
	s.asked.init()
	s.watch.init(s)
	s.meta = &mcp.Meta{}
	s.meta.SetServerInfo(s.identity())
	s.mcp = server.NewMCPServer(serverName, o.Version, s.options()...)
	if err := s.addTools(); err != nil {
		return nil, err
	}
	s.addResources()
	s.addPrompts()
	if o.Extend != nil {
		o.Extend(s.mcp)
	}
	return s, nil
}

// options are what mcp-go is told of us.
func (s *instance) options() []server.ServerOption {
	// A list that cannot change while the server runs may be kept a while.
	const keep = int64(time.Hour / time.Millisecond)
	list := []server.ServerOption{
		server.WithTitle(serverTitle),
		server.WithInstructions(s.instructions()),
		server.WithToolCapabilities(false),
		server.WithMethodCacheHints(mcp.MethodToolsList, keep, mcp.CacheScopePublic),
		server.WithMethodCacheHints(mcp.MethodPromptsList, keep, mcp.CacheScopePublic),
		server.WithMethodCacheHints(mcp.MethodResourcesTemplatesList, keep, mcp.CacheScopePublic),
		server.WithMethodCacheHints(mcp.MethodServerDiscover, keep, mcp.CacheScopePublic),
	}
	if len(s.opts.Resources.List) > 0 {
		list = append(list, server.WithResourceCapabilities(true, true))
	}
	if len(s.opts.Guides) > 0 {
		list = append(list, server.WithPromptCapabilities(false))
	}
	if s.opts.Resources.Names != nil {
		list = append(list, server.WithCompletions(), server.WithResourceCompletionProvider(completions{s}), server.WithPromptCompletionProvider(completions{s}))
	}
	return list
}

// instructions are what a model reads before it calls anything.
func (s *instance) instructions() string {
	if s.opts.Instructions == nil {
		return ""
	}
	return s.opts.Instructions(s.offer, s.say)
}

// identity is what we call ourselves.
func (s *instance) identity() mcp.Implementation {
	return mcp.Implementation{Name: serverName, Version: s.opts.Version, Title: serverTitle}
}

// serve reads until the end of input or of ctx, then waits for what is under
// way.
func (s *instance) serve(ctx context.Context) error {
	defer s.stop()
	ended := make(chan error, 1)
	s.startReading(ended)
	var failure error
	select {
	case failure = <-ended:
	case <-ctx.Done():
	}
	s.asked.close() // nobody will answer a question any more
	close(s.watch.over)
	idle := s.calls.idle()
	if failure == nil {
		patience := time.NewTimer(s.opts.Drain)
		defer patience.Stop()
		select {
		case <-idle:
		case <-patience.C:
		case <-ctx.Done():
			wait(idle, time.Second)
		}
	}
	s.stop()
	wait(idle, time.Second)
	if err := s.stream.Flush(); failure == nil && err != nil {
		failure = err
	}
	if failure != nil && !errors.Is(failure, io.ErrClosedPipe) {
		return fmt.Errorf("serving: %w", failure)
	}
	return nil
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
