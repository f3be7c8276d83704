package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// envelope is any message of JSON-RPC. Ids stay as they came: mcp-go reads
// them as float64 and echoes 9007199254740993 as …992.
type envelope struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  *string         `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
}

// params are the parameters that the transport itself looks at. Arguments
// and responses stay raw until somebody wants them.
type params struct {
	Meta struct {
		ProgressToken json.RawMessage `json:"progressToken"`
		Version       json.RawMessage `json:"io.modelcontextprotocol/protocolVersion"`
		Capabilities  json.RawMessage `json:"io.modelcontextprotocol/clientCapabilities"`
	} `json:"_meta"`
	Name         json.RawMessage    `json:"name"`
	Arguments    json.RawMessage    `json:"arguments"`
	RequestID    json.RawMessage    `json:"requestId"`
	RequestState string             `json:"requestState"`
	Responses    mcp.InputResponses `json:"inputResponses"`
}

// request is one request of the client from its arrival to its answer.
type request struct {
	*instance
	raw    []byte // the whole message
	id     json.RawMessage
	method string
	params params
	tool   string // the name in a call of a tool
	modern bool
	ctx    context.Context
	cancel context.CancelFunc

	answer answer
}

// receive takes one message. It returns at once, or after something instant;
// false means that somebody else reads on by then.
func (s *instance) receive(msg []byte) bool {
	var m envelope
	if err := json.Unmarshal(msg, &m); err != nil {
		s.refuse(m.ID, mcp.INVALID_REQUEST, "the method must be a string")
		return true
	}
	switch {
	case m.JSONRPC != "2.0":
		s.refuse(m.ID, mcp.INVALID_REQUEST, `jsonrpc must be "2.0"`)
	case m.Method == nil && m.ID != nil && (m.Result != nil || m.Error != nil):
		s.asked.answer(m)
	case m.Method == nil:
		s.refuse(m.ID, mcp.INVALID_REQUEST, "a message has a method, a result or an error")
	case m.ID == nil:
		s.notified(*m.Method, m.Params)
	case !validID(m.ID):
		s.refuse(m.ID, mcp.INVALID_REQUEST, "the id must be a string or a whole number")
	default:
		return s.request(msg, m)
	}
	return true
}

// validID is true for the ids that the protocol knows.
func validID(id json.RawMessage) bool {
	if id[0] == '"' {
		return true
	}
	return (id[0] == '-' || id[0] >= '0' && id[0] <= '9') && !bytes.ContainsAny(id, ".eE")
}

// notified takes a notification. Those that ask nothing of us are let pass;
// nothing is ever answered to one.
func (s *instance) notified(method string, raw json.RawMessage) {
	if method != "notifications/cancelled" {
		return
	}
	var p params
	if err := json.Unmarshal(raw, &p); err == nil && p.RequestID != nil {
		s.calls.cancel(p.RequestID)
	}
}

// request takes a request: it is entered in the table of calls before
// anything else happens, so that a cancellation right behind it is not lost
// (mark3labs/mcp-go#755).
func (s *instance) request(msg []byte, m envelope) bool {
	r := &request{instance: s, raw: msg, id: m.ID, method: *m.Method}
	r.ctx, r.cancel = context.WithCancel(context.WithValue(s.base, requestKey{}, r))
	if !s.calls.enter(r) {
		r.cancel()
		s.refuse(m.ID, mcp.INVALID_REQUEST, "a request with this id is still under way")
		return true
	}
	if f := r.read(m.Params); f != nil {
		r.cancel()
		r.fail(f)
		return true
	}
	if !r.instant() {
		go r.handle()
		return true
	}
	n := s.guard.Begin()
	r.handle()
	if s.guard.End(n) {
		return true
	}
	_ = s.stream.Flush() // whoever reads by now waits for input already
	return false
}

type requestKey struct{}

// requestOf returns the request that ctx belongs to.
func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// read decodes the parameters and decides the era of the request: one that
// names a protocol version is of the new era, whatever came before it on this
// wire; clients probe with one era and go on with the other.
func (r *request) read(raw json.RawMessage) *mcp.JSONRPCErrorDetails {
	if raw != nil && !bytes.Equal(raw, []byte("null")) {
		if raw[0] != '{' {
			return fault(mcp.INVALID_PARAMS, "params must be an object")
		}
		if err := json.Unmarshal(raw, &r.params); err != nil {
			return fault(mcp.INVALID_PARAMS, "params do not have the form that the protocol gives them")
		}
	}
	if r.method == string(mcp.MethodToolsCall) && len(r.params.Name) > 0 && r.params.Name[0] == '"' {
		_ = json.Unmarshal(r.params.Name, &r.tool) // it is a string
	}
	meta := r.params.Meta
	if r.opts.LegacyOnly && r.opensModern() {
		// Not -32022, by which a client would know the new era is spoken here.
		return fault(mcp.METHOD_NOT_FOUND, "unknown method "+r.method)
	}
	if meta.Version == nil {
		if meta.Capabilities != nil || r.opensModern() {
			// mcp-go says -32601 here, which tells a probing client that the
			// method is unknown.
			return fault(mcp.INVALID_PARAMS, "_meta lacks "+mcp.MetaKeyProtocolVersion)
		}
		return nil
	}
	var version string
	if err := json.Unmarshal(meta.Version, &version); err != nil || version == "" {
		return fault(mcp.INVALID_PARAMS, "_meta: "+mcp.MetaKeyProtocolVersion+" must be a string")
	}
	if !slices.Contains(r.versions(), version) {
		return unsupported(version, r.versions())
	}
	if !mcp.IsModernProtocol(version) {
		if r.opensModern() {
			return unsupported(version, []string{mcp.LATEST_PROTOCOL_VERSION})
		}
		return nil
	}
	r.modern = true
	if len(meta.Capabilities) == 0 || meta.Capabilities[0] != '{' {
		return fault(mcp.INVALID_PARAMS, "_meta lacks "+mcp.MetaKeyClientCapabilities)
	}
	return nil
}

// opensModern is true for the methods that only the new era has.
func (r *request) opensModern() bool {
	return r.method == string(mcp.MethodServerDiscover) || r.method == string(mcp.MethodSubscriptionsListen)
}

func (s *instance) versions() []string {
	if s.opts.LegacyOnly {
		return mcp.LegacyProtocolVersions()
	}
	return mcp.ValidProtocolVersions
}

func fault(code int, text string) *mcp.JSONRPCErrorDetails {
	return &mcp.JSONRPCErrorDetails{Code: code, Message: text}
}

func unsupported(version string, supported []string) *mcp.JSONRPCErrorDetails {
	if len(version) > 40 {
		version = version[:40]
	}
	return &mcp.JSONRPCErrorDetails{
		Code:    mcp.UNSUPPORTED_PROTOCOL_VERSION,
		Message: fmt.Sprintf("protocol version %q is not supported", version),
		Data:    mcp.UnsupportedProtocolVersionData{Supported: supported, Requested: version},
	}
}

// instant is true for what may run between two messages.
func (r *request) instant() bool {
	switch mcp.MCPMethod(r.method) {
	case mcp.MethodToolsCall:
		t := r.names[r.tool]
		return t == nil && r.opts.Extend == nil || t != nil && t.InstantFor(r.params.Arguments)
	case mcp.MethodResourcesRead, mcp.MethodResourcesList, mcp.MethodSubscriptionsListen, "resources/subscribe", mcp.MethodCompletionComplete:
		return false // these look at the file system
	}
	return r.opts.Extend == nil
}

// handle answers the request: a call of an operation here, all else through
// mcp-go.
func (r *request) handle() {
	defer r.cancel()
	defer r.recovered()
	if f := r.precheck(); f != nil {
		r.fail(f)
		return
	}
	if t := r.names[r.tool]; t != nil {
		r.callTool(t)
		return
	}
	if r.modern && r.method == string(mcp.MethodSubscriptionsListen) {
		r.listen()
		return
	}
	ctx := r.mcp.WithContext(r.ctx, r.client())
	if r.opts.LegacyOnly {
		ctx = server.WithSupportedProtocolVersions(ctx, r.versions())
	}
	r.reply(r.mcp.HandleMessage(ctx, r.raw))
}

// precheck refuses what mcp-go would answer wrongly or not clearly.
func (r *request) precheck() *mcp.JSONRPCErrorDetails {
	switch mcp.MCPMethod(r.method) {
	case mcp.MethodToolsCall:
	case mcp.MethodResourcesRead, "resources/subscribe":
		if r.modern && r.method == "resources/subscribe" {
			return nil // the new era has no such method
		}
		uri := r.uri()
		if uri == "" {
			return fault(mcp.INVALID_PARAMS, "params.uri must be the address of a resource")
		}
		if res, _ := r.opts.Resources.Find(uri); res == nil && r.mcp.ListResources()[uri] == nil {
			return r.noSuchResource(uri)
		}
		return nil
	default:
		return nil
	}
	name := r.tool
	switch args := r.params.Arguments; {
	case name == "":
		return fault(mcp.INVALID_PARAMS, "params.name must be the name of a tool")
	case args != nil && args[0] != '{' && !bytes.Equal(args, []byte("null")):
		return fault(mcp.INVALID_PARAMS, "params.arguments must be an object")
	case r.mcp.GetTool(name) == nil:
		return r.noSuchTool(name)
	}
	return nil
}
