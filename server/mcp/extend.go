package mcp

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// What follows is for what [Options.Extend] registers: parts of the protocol
// that no operation uses, on the transport that all of them do.

// Notify sends a notification on behalf of the request that ctx belongs to:
// before its answer, or never.
func Notify(ctx context.Context, method string, params any) error {
	b, err := encode(params)
	if err != nil {
		return err
	}
	requestOf(ctx).send(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":%q,"params":%s}`, method, b))
	return nil
}

// Ask sends a request to a client of the old era on behalf of the request
// that ctx belongs to, and waits for the result.
func Ask(ctx context.Context, method string, params any) (json.RawMessage, error) {
	r := requestOf(ctx)
	return r.asked.ask(ctx, r, method, params)
}

// Refuse has the request that ctx belongs to answered with f, whatever becomes
// of it.
func Refuse(ctx context.Context, f *mcp.JSONRPCErrorDetails) { requestOf(ctx).instead(f) }

// extended is a session whose client may say what it wants logged.
type extended struct{ *session }

var _ server.SessionWithLogging = extended{}

// SetLogLevel takes note of nothing: what is logged goes to standard error.
func (extended) SetLogLevel(mcp.LoggingLevel) {}

// GetLogLevel is the level of a client that wants to know everything.
func (extended) GetLogLevel() mcp.LoggingLevel { return mcp.LoggingLevelDebug }

// client is the request as mcp-go sees its session.
func (r *request) client() server.ClientSession {
	s := &session{request: r}
	if r.opts.Extend != nil {
		return extended{s}
	}
	return s
}
