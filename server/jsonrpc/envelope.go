package jsonrpc

import (
	"bytes"
	"encoding/json"
)

// kind is what a message is.
type kind int

const (
	notification kind = iota
	request
	response
)

// envelope is what a well-formed JSON object turned out to be. Ids stay as
// they were written: read as numbers, 9007199254740993 would be answered as
// …992 (mark3labs/mcp-go) and -1 as 18446744073709551615 (jsonrpc2).
type envelope struct {
	kind   kind
	id     json.RawMessage // null if there is none that can be echoed
	method string
	params json.RawMessage // nil if there are none
}

// parseEnvelope tells a request from a response, and says what is wrong with
// what is neither.
func parseEnvelope(msg json.RawMessage) (e envelope, problem string) {
	var version, id, method, outcome json.RawMessage
	Members(msg, func(name []byte, value json.RawMessage) {
		switch string(name) {
		case "jsonrpc":
			version = value
		case "id":
			id = value
		case "method":
			method = value
		case "params":
			e.params = value
		case "result", "error":
			outcome = value
		}
	})
	e.id = json.RawMessage("null")
	known := ValidID(id)
	if known || isNumber(id) {
		e.id = id // also of what is refused, so that its sender finds it
	}
	switch {
	case string(version) != `"2.0"`:
		return e, `jsonrpc must be "2.0"`
	case method == nil && id != nil && outcome != nil:
		e.kind = response
		return e, ""
	case method == nil:
		return e, "a message has a method, a result or an error"
	case method[0] != '"':
		return e, "the method must be a string"
	}
	e.method = string(plainName(method))
	switch {
	case id == nil:
		return e, ""
	case string(id) == "null":
		return e, "the id must not be null"
	case !known:
		return e, "the id must be a string or a whole number"
	}
	e.kind = request
	return e, ""
}

// ValidID is true for a string and for a whole number of any size and sign:
// the ids of requests, and the tokens of progress.
func ValidID(id json.RawMessage) bool {
	if len(id) == 0 {
		return false
	}
	if id[0] == '"' {
		return true
	}
	return isNumber(id) && !bytes.ContainsAny(id, ".eE")
}

func isNumber(id json.RawMessage) bool {
	return len(id) > 0 && (id[0] == '-' || id[0] >= '0' && id[0] <= '9')
}

// idKey is the same for two spellings of one id: a string may be written in
// several ways. "1" and 1 are two ids.
func idKey(id json.RawMessage) string {
	if bytes.IndexByte(id, '\\') >= 0 {
		return `"` + string(plainName(id)) + `"`
	}
	return string(id)
}

// answerTo is a whole answer with a member "result" or "error".
func answerTo(id json.RawMessage, member string, value []byte) []byte {
	msg := make([]byte, 0, len(value)+len(id)+len(member)+32)
	msg = append(msg, `{"jsonrpc":"2.0","id":`...)
	msg = append(msg, id...)
	msg = append(append(append(msg, `,"`...), member...), `":`...)
	return append(append(msg, value...), '}')
}

// Notification is a whole notification; params are an object, or nil.
func Notification(method string, params json.RawMessage) []byte {
	msg := make([]byte, 0, len(method)+len(params)+48)
	msg = append(msg, `{"jsonrpc":"2.0","method":`...)
	msg = append(msg, Encode(method)...)
	if params != nil {
		msg = append(append(msg, `,"params":`...), params...)
	}
	return append(msg, '}')
}

// Encode encodes what always can be, without escaping <, > and &; null stands
// for what cannot.
func Encode(v any) json.RawMessage {
	if raw, ok := v.(json.RawMessage); ok {
		return raw
	}
	b, err := EncodeStrict(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}

// EncodeStrict is json.Marshal without the escaping of <, > and &.
func EncodeStrict(v any) (json.RawMessage, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
