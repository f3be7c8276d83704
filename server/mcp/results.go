package mcp

import (
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/sourcegraph/jsonrpc2"

	"chiltepin/server/jsonrpc"
)

// replyError answers with an error of the protocol.
func (r *request) replyError(f *mcp.JSONRPCErrorDetails) {
	if r.wanted != nil {
		f = r.wanted
	}
	e := &jsonrpc2.Error{Code: int64(f.Code), Message: f.Message}
	if f.Data != nil {
		data := jsonrpc.Encode(f.Data)
		e.Data = &data
	}
	r.Fail(e)
}

// replyResult answers with a result of the protocol.
func (r *request) replyResult(result any, m method) {
	if r.modern {
		r.addModernMembers(result, m)
	}
	b, err := jsonrpc.EncodeStrict(result)
	if err != nil {
		r.log.Error().Err(err).Str("method", r.Method).Msg("encoding a result")
		r.replyError(fault(mcp.INTERNAL_ERROR, "the result could not be encoded"))
		return
	}
	r.Reply(b)
}

// addModernMembers gives a result what the new era wants in each: what kind it
// is, who we are, and how long a list may be kept.
func (r *request) addModernMembers(result any, m method) {
	data, ok := result.(mcp.ResultMetadata)
	if !ok {
		return
	}
	if data.GetResultType() == "" {
		data.SetResultType(mcp.ResultTypeComplete)
	}
	if meta := data.EnsureResultMeta(); meta.ServerInfo() == nil {
		meta.SetServerInfo(r.identity())
	}
	hints, ok := result.(mcp.CacheHintSetter)
	if !m.cached || !ok {
		return
	}
	scope := mcp.CacheScopePrivate
	if m.keep > 0 {
		scope = mcp.CacheScopePublic
	}
	hints.SetCacheHints(m.keep.Milliseconds(), scope)
}

// replyWithCall answers with the result of a tool. It is put together by hand:
// mcp-go's own encoding sorts and escapes, so that structuredContent would not
// be the bytes that the other faces show, and takes a third of a short call.
func (r *request) replyWithCall(res *mcp.CallToolResult) {
	if text, simple := simpleText(res); simple {
		r.Reply(r.encodeSimple(text, res))
		return
	}
	if r.modern {
		if res.ResultType == "" {
			res.ResultType = mcp.ResultTypeComplete
		}
		res.Meta = r.meta
	}
	if res.Content == nil {
		res.Content = []mcp.Content{}
	}
	content := &res.Content
	if res.NeedsInput() {
		content = nil
	}
	b, err := jsonrpc.EncodeStrict(struct {
		Meta              *mcp.Meta         `json:"_meta,omitempty"`
		ResultType        mcp.ResultType    `json:"resultType,omitempty"`
		Content           *[]mcp.Content    `json:"content,omitempty"`
		StructuredContent any               `json:"structuredContent,omitempty"`
		IsError           bool              `json:"isError,omitempty"`
		InputRequests     mcp.InputRequests `json:"inputRequests,omitempty"`
		RequestState      string            `json:"requestState,omitempty"`
	}{res.Meta, res.ResultType, content, res.StructuredContent, res.IsError, res.InputRequests, res.RequestState})
	if err != nil {
		r.log.Error().Err(err).Str("method", r.Method).Msg("encoding a result")
		r.replyError(fault(mcp.INTERNAL_ERROR, "the result could not be encoded"))
		return
	}
	r.Reply(b)
}

// simpleText is the text of a result that has one, and JSON beside it: that of
// every operation which came to its end.
func simpleText(res *mcp.CallToolResult) (string, bool) {
	if len(res.Content) != 1 || res.ResultType != "" || res.Meta != nil {
		return "", false
	}
	text, ok := res.Content[0].(mcp.TextContent)
	_, raw := res.StructuredContent.(json.RawMessage)
	return text.Text, ok && raw && text.Annotations == nil && text.Meta == nil
}

// encodeSimple is such a result as it is sent.
func (r *request) encodeSimple(text string, res *mcp.CallToolResult) json.RawMessage {
	structured := res.StructuredContent.(json.RawMessage)
	b := make([]byte, 0, len(text)+len(text)/8+len(structured)+len(r.metaJSON)+128)
	b = append(b, '{')
	if r.modern {
		b = append(append(append(b, `"_meta":`...), r.metaJSON...), `,"resultType":"complete",`...)
	}
	b = append(b, `"content":[{"type":"text","text":`...)
	b = appendQuoted(b, text)
	b = append(append(b, `}],"structuredContent":`...), structured...)
	if res.IsError {
		b = append(b, `,"isError":true`...)
	}
	return append(b, '}')
}

// appendQuoted appends text as JSON.
func appendQuoted(b []byte, text string) []byte {
	b = append(b, '"')
	begin := len(b)
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c >= 0x7f:
			return append(b[:begin-1], jsonrpc.Encode(text)...) // rare, and has rules of its own
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
