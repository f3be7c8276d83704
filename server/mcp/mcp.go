// Package mcp is the Model Context Protocol dialect of the catalogue: every
// operation a typed tool, on standard input and output, for every revision
// from 2024-11-05 to 2026-07-28 in one process.
//
// It is a table of methods over [chiltepin/server/jsonrpc]; the types of the
// protocol are mark3labs/mcp-go's. That library's own server is not in it: it
// loses work at the end of input, answers out of order and forgets
// cancellations (mark3labs/mcp-go#969, #755), and it compiles every JSON
// Schema draft when a program starts.
//
// The package names no operation: what a client can call, read and ask for is
// read off the catalogue. It never touches the process, the file system or
// the network, and an argument that a model can set is never consent.
package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/rs/zerolog"

	"chiltepin/server/jsonrpc"
	"chiltepin/tools/operation"
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
	// Fixtures are served beside the catalogue, for conformance tests.
	Fixtures *Fixtures
}

// Serve serves one client until its input ends or ctx does, and returns when
// every call under way has finished or was given up. The error is nil then,
// and otherwise tells what is wrong with the options or the wire.
func Serve(ctx context.Context, o Options) error {
	d, err := newDialect(ctx, o)
	if err != nil {
		return err
	}
	return d.core.Serve(ctx, d)
}

// Server identity shown to clients.
const (
	serverName  = "chiltepin"
	serverTitle = "Chiltepin: Globus Compute endpoints"
)

// dialect is one server with its one client.
type dialect struct {
	opts     Options
	log      *zerolog.Logger
	offer    *operation.Offer
	names    map[string]*operation.Tool // by tool name
	methods  map[string]method
	fixtures fixtures
	core     *jsonrpc.Core
	shared   *jsonrpc.SharedCalls[operation.Result]
	seal     *sealer
	peer     peer
	watch    watcher
	old      *subscription // of a client of the old era; see [dialect.legacySubscription]
	oldOnce  sync.Once

	// What every result of the new era says of us, also as it is written.
	meta     *mcp.Meta
	metaJSON json.RawMessage

	outsideMu sync.Mutex
	outside   map[*operation.Tool]map[string]bool // see [operation.Tool.FromOutside]
}

var _ jsonrpc.Dialect = (*dialect)(nil)

func newDialect(ctx context.Context, o Options) (*dialect, error) {
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
	d := &dialect{opts: o, log: zerolog.Ctx(ctx), offer: offer, seal: seal, methods: protocolMethods(), fixtures: indexFixtures(o.Fixtures),
		names: map[string]*operation.Tool{}, outside: map[*operation.Tool]map[string]bool{}, meta: &mcp.Meta{}}
	for t := range offer.All() {
		name := toolName(t)
		if other := d.names[name]; other != nil {
			return nil, fmt.Errorf("operations %s and %s would both be the tool %s", other.Name, t.Name, name)
		}
		d.names[name] = t
	}
	d.meta.SetServerInfo(d.identity())
	d.metaJSON = jsonrpc.Encode(d.meta)
	d.core = jsonrpc.New(operation.WithWording(operation.WithFace(ctx, "mcp"), d.wording()), jsonrpc.Options{In: o.In, Out: o.Out, Limit: o.Limit, Trace: o.Trace,
		Drain: func() time.Duration { return o.Drain }, SilentCancel: true, AskPrefix: serverName + "-"})
	d.shared = jsonrpc.NewSharedCalls[operation.Result](d.core, patience)
	d.watch.init(d)
	return d, nil
}

// HandleRequest takes a request. One that names a protocol version is of the
// new era, whatever came before it on this wire: clients probe with one era
// and go on with the other.
func (d *dialect) HandleRequest(in *jsonrpc.Request) {
	r := &request{dialect: d, Request: in}
	if f := r.readParams(); f != nil {
		r.replyError(f)
		return
	}
	r.dispatch()
}

// HandleNotification takes a notification. Those that ask nothing of us are
// let pass; nothing is ever answered to one.
func (d *dialect) HandleNotification(method string, params json.RawMessage) {
	if method != "notifications/cancelled" {
		return
	}
	jsonrpc.Members(params, func(name []byte, value json.RawMessage) {
		if string(name) == "requestId" {
			d.core.Cancel(value)
		}
	})
}
