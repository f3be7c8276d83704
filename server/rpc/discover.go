package rpc

import (
	"encoding/json"

	"github.com/sourcegraph/jsonrpc2"

	"chiltepin/server/jsonrpc"
	"chiltepin/tools/operation"
)

// The form of an OpenRPC document, as far as it is used here:
// https://spec.open-rpc.org, version 1.3.2.
type (
	openRPC struct {
		Version string      `json:"openrpc"`
		Info    rpcInfo     `json:"info"`
		Methods []rpcMethod `json:"methods"`
		// Notifications are what the server sends on its own; OpenRPC has no
		// place for them, and lets others make one.
		Notifications []rpcNotification `json:"x-notifications"`
	}
	rpcInfo struct {
		Title       string     `json:"title"`
		Version     string     `json:"version"`
		Description string     `json:"description"`
		License     rpcLicense `json:"license"`
	}
	rpcLicense struct {
		Name string `json:"name"`
	}
	rpcMethod struct {
		Name        string       `json:"name"`
		Summary     string       `json:"summary"`
		Description string       `json:"description,omitempty"`
		Tags        []rpcTag     `json:"tags"`
		Structure   string       `json:"paramStructure"`
		Params      []rpcContent `json:"params"`
		Result      rpcContent   `json:"result"`
		Errors      []rpcError   `json:"errors"`
		Examples    []rpcPairing `json:"examples,omitempty"`
	}
	rpcTag struct {
		Name string `json:"name"`
	}
	rpcContent struct {
		Name     string          `json:"name"`
		Summary  string          `json:"summary,omitempty"`
		Required bool            `json:"required,omitempty"`
		Schema   json.RawMessage `json:"schema"`
	}
	rpcError struct {
		Code    int           `json:"code"`
		Message string        `json:"message"`
		Data    *rpcErrorData `json:"data,omitempty"`
	}
	rpcErrorData struct {
		Code operation.Code `json:"code"`
	}
	rpcPairing struct {
		Name   string       `json:"name"`
		Params []rpcExample `json:"params"`
	}
	rpcExample struct {
		Name  string          `json:"name"`
		Value json.RawMessage `json:"value"`
	}
	rpcNotification struct {
		Name    string          `json:"name"`
		Summary string          `json:"summary"`
		Params  json.RawMessage `json:"params"`
	}
)

// protocol is what the document says beside the methods.
const protocol = `One JSON object a line, or Content-Length headers as in the Language Server Protocol; the server answers as it is spoken to. Parameters go by name.

A client that never sends "initialize" is a script: its calls run one after the other, in their order. To one that does, calls run at the same time, but those that change the same endpoint.

"workDoneToken" among the parameters asks for "$/progress" notifications, "partialResultToken" for the pieces of a streamed result. "$/cancelRequest" ends a call, which is answered with -32800. What destroys something needs "confirm", the name of the endpoint.

An error has a sentence in "message", and in "data" the code as a word, the next step ("next") and what else there is to show. Batches are refused. "rpc.discover" gives this document.`

// sendDocument answers with the document of everything that is offered.
func (d *dialect) sendDocument(r *jsonrpc.Request) { d.replyInOrder(r, d.buildDocument()) }

func (d *dialect) buildDocument() openRPC {
	doc := openRPC{
		Version:       "1.3.2",
		Info:          rpcInfo{Title: "chiltepin", Version: d.opts.Version, Description: protocol, License: rpcLicense{"Apache-2.0"}},
		Notifications: []rpcNotification{},
	}
	for t := range d.offer.All() {
		doc.Methods = append(doc.Methods, d.describeMethod(t))
		if t.Event == "" {
			continue
		}
		doc.Methods = append(doc.Methods, d.describeEndMethod(t))
		doc.Notifications = append(doc.Notifications, rpcNotification{Name: methodName(t.Event), Summary: "What " + methodName(t.Name) + " tells after its answer", Params: t.EventSchema()})
	}
	return doc
}

// describeMethod is one operation as a method.
func (d *dialect) describeMethod(t *operation.Tool) rpcMethod {
	m := rpcMethod{
		Name:        methodName(t.Name),
		Summary:     t.Summary,
		Description: t.Prose(),
		Tags:        []rpcTag{{operation.ToolsetOf(t)}, {t.Effect.String()}},
		Structure:   "by-name",
		Params:      []rpcContent{},
		Result:      rpcContent{Name: "result", Schema: t.OutputSchema()},
	}
	var input struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	_ = json.Unmarshal(d.offer.InputSchema(t), &input) // it is ours
	for f := range t.Fields() {
		if schema, offered := input.Properties[f.Name]; offered {
			m.Params = append(m.Params, rpcContent{Name: f.Name, Summary: f.Description, Required: f.Required, Schema: schema})
		}
	}
	if t.MayAsk() {
		m.Params = append(m.Params, rpcContent{Name: "confirm", Summary: "the name of what may be destroyed, where something is", Schema: json.RawMessage(`{"type":"string"}`)})
	}
	for _, row := range operation.Codes() {
		if t.CanFailWith(row.Code) {
			m.Errors = append(m.Errors, rpcError{Code: row.RPC, Message: row.When, Data: &rpcErrorData{row.Code}})
		}
	}
	for _, line := range t.Examples {
		args, ok := t.ExampleArgs(line)
		if !ok {
			continue
		}
		pairing := rpcPairing{Name: line, Params: []rpcExample{}}
		for f := range t.Fields() {
			if value, given := args[f.Name]; given && input.Properties[f.Name] != nil {
				pairing.Params = append(pairing.Params, rpcExample{Name: f.Name, Value: jsonrpc.Encode(value)})
			}
		}
		m.Examples = append(m.Examples, pairing)
	}
	return m
}

// describeEndMethod is the method that ends an operation which goes on.
func (d *dialect) describeEndMethod(t *operation.Tool) rpcMethod {
	begin := d.describeMethod(t)
	return rpcMethod{
		Name:      endMethodName(begin.Name),
		Summary:   "End " + begin.Name + " that was called with the same parameters",
		Tags:      begin.Tags,
		Structure: "by-name",
		Params:    begin.Params,
		Result:    rpcContent{Name: "result", Schema: json.RawMessage(`{"type":"object","properties":{"ended":{"type":"boolean","description":"true when there was one"}},"required":["ended"]}`)},
		Errors:    []rpcError{{Code: jsonrpc2.CodeInvalidParams, Message: "params is no object"}},
	}
}
