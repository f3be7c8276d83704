package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"

	"chiltepin/server/jsonrpc"
)

// request is one request of the client from its arrival to its answer.
type request struct {
	*dialect
	*jsonrpc.Request
	params params
	modern bool
	steps  int // progress reports sent

	wanted *mcp.JSONRPCErrorDetails // what a fixture wants answered instead; see [Refuse]
}

// params are the parameters that more than one method has. Arguments and
// responses stay raw until somebody wants them.
type params struct {
	progressToken json.RawMessage
	version       json.RawMessage
	capabilities  json.RawMessage
	name          json.RawMessage
	arguments     json.RawMessage
	state         json.RawMessage
	responses     json.RawMessage
}

// takeMembers takes the parameters apart; false if one has not the form that the
// protocol gives it.
func (p *params) takeMembers(raw json.RawMessage) bool {
	fits := true
	jsonrpc.Members(raw, func(name []byte, value json.RawMessage) {
		switch string(name) {
		case "name":
			p.name = value
		case "arguments":
			p.arguments = value
		case "requestState":
			p.state = value
			fits = fits && (value[0] == '"' || isNull(value))
		case "inputResponses":
			p.responses = value
			fits = fits && (value[0] == '{' || isNull(value))
		case "_meta":
			fits = fits && (value[0] == '{' || isNull(value))
			jsonrpc.Members(value, p.takeMeta)
		}
	})
	return fits
}

func (p *params) takeMeta(name []byte, value json.RawMessage) {
	switch string(name) {
	case "progressToken":
		p.progressToken = value
	case mcp.MetaKeyProtocolVersion:
		p.version = value
	case mcp.MetaKeyClientCapabilities:
		p.capabilities = value
	}
}

func isNull(value json.RawMessage) bool { return bytes.Equal(value, []byte("null")) }

// textOf is the text of a JSON string, "" for any other value.
func textOf(value json.RawMessage) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1])
	}
	var text string
	_ = json.Unmarshal(value, &text) // it is a string
	return text
}

// readParams takes the parameters apart and decides the era of the request.
func (r *request) readParams() *mcp.JSONRPCErrorDetails {
	if r.Params != nil && !isNull(r.Params) {
		if r.Params[0] != '{' {
			return fault(mcp.INVALID_PARAMS, "params must be an object")
		}
		if !r.params.takeMembers(r.Params) {
			return badForm()
		}
	}
	if r.opts.LegacyOnly && r.opensModern() {
		// Not -32022, by which a client would know the new era is spoken here.
		return fault(mcp.METHOD_NOT_FOUND, "unknown method "+r.Method)
	}
	if r.params.version == nil {
		if r.params.capabilities != nil || r.opensModern() {
			// Not -32601, which tells a probing client that the method is
			// unknown.
			return fault(mcp.INVALID_PARAMS, "_meta lacks "+mcp.MetaKeyProtocolVersion)
		}
		return nil
	}
	version := textOf(r.params.version)
	if version == "" {
		return fault(mcp.INVALID_PARAMS, "_meta: "+mcp.MetaKeyProtocolVersion+" must be a string")
	}
	if !slices.Contains(r.supportedVersions(), version) {
		return unsupportedVersion(version, r.supportedVersions())
	}
	if !mcp.IsModernProtocol(version) {
		if r.opensModern() {
			return unsupportedVersion(version, []string{mcp.LATEST_PROTOCOL_VERSION})
		}
		return nil
	}
	r.modern = true
	if len(r.params.capabilities) == 0 || r.params.capabilities[0] != '{' {
		return fault(mcp.INVALID_PARAMS, "_meta lacks "+mcp.MetaKeyClientCapabilities)
	}
	return nil
}

// decodeParams decodes the parameters into one of the protocol's types.
func (r *request) decodeParams(into any) *mcp.JSONRPCErrorDetails {
	if r.Params == nil {
		return nil
	}
	if err := json.Unmarshal(r.Params, into); err != nil {
		return badForm()
	}
	return nil
}

// opensModern is true for the methods that only the new era has.
func (r *request) opensModern() bool {
	return r.Method == string(mcp.MethodServerDiscover) || r.Method == string(mcp.MethodSubscriptionsListen)
}

func (d *dialect) supportedVersions() []string {
	if d.opts.LegacyOnly {
		return mcp.LegacyProtocolVersions()
	}
	return mcp.ValidProtocolVersions
}

type requestKey struct{}

// withRequest returns the context of the request, from which [requestOf]
// finds it.
func (r *request) withRequest() context.Context {
	return context.WithValue(r.Context(), requestKey{}, r)
}

// requestOf returns the request that ctx belongs to.
func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

func fault(code int, text string) *mcp.JSONRPCErrorDetails {
	return &mcp.JSONRPCErrorDetails{Code: code, Message: text}
}

func badForm() *mcp.JSONRPCErrorDetails {
	return fault(mcp.INVALID_PARAMS, "params do not have the form that the protocol gives them")
}

func unsupportedVersion(version string, supported []string) *mcp.JSONRPCErrorDetails {
	if len(version) > 40 {
		version = version[:40]
	}
	return &mcp.JSONRPCErrorDetails{
		Code:    mcp.UNSUPPORTED_PROTOCOL_VERSION,
		Message: fmt.Sprintf("protocol version %q is not supported", version),
		Data:    mcp.UnsupportedProtocolVersionData{Supported: supported, Requested: version},
	}
}
