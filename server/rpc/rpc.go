// Package rpc is the JSON-RPC 2.0 dialect of the catalogue, on standard input
// and output: for scripts, one JSON object a line, and for editors, with the
// headers and the habits of the Language Server Protocol.
//
// It is a table of methods over [chiltepin/server/jsonrpc]. A method is an
// operation of the catalogue with slashes for dots, its parameters are the
// argument object and its result the result object, byte for byte as every
// other face shows it.
//
// The package names no operation: methods, documents and notifications are
// read off the catalogue. It never touches the process, the file system or
// the network.
package rpc

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"chiltepin/server/jsonrpc"
	"chiltepin/tools/operation"
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
	d, err := newDialect(ctx, o)
	if err != nil {
		return err
	}
	return d.core.Serve(ctx, d)
}

// dialect is one server with its one client.
type dialect struct {
	opts       Options
	log        *zerolog.Logger
	offer      *operation.Offer
	operations map[string]*operation.Tool                  // by method name, offered or not
	methods    map[string]func(*dialect, *jsonrpc.Request) // that are no operation
	core       *jsonrpc.Core
	session    session
	lanes      lanes
	follows    follows
}

var _ jsonrpc.Dialect = (*dialect)(nil)

func newDialect(ctx context.Context, o Options) (*dialect, error) {
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
	d := &dialect{opts: o, offer: offer, operations: map[string]*operation.Tool{}, methods: protocolMethods()}
	for t := range o.Catalog.All() {
		d.operations[methodName(t.Name)] = t
	}
	d.follows.init()
	log := zerolog.Ctx(ctx).Hook(zerolog.HookFunc(d.sendLogMessage))
	d.log = &log
	d.core = jsonrpc.New(log.WithContext(operation.WithWording(operation.WithFace(ctx, "rpc"), d.wording())), jsonrpc.Options{In: o.In, Out: o.Out, Limit: o.Limit, Trace: o.Trace, Drain: d.drainTime})
	return d, nil
}

// methodName is the method of the operation, or the notification, of that
// wire name.
func methodName(name string) string { return strings.ReplaceAll(name, ".", "/") }

// drainTime is how long calls under way may take after the end of input.
func (d *dialect) drainTime() time.Duration {
	if d.session.hasBegun() {
		return d.opts.Drain
	}
	return 0
}
