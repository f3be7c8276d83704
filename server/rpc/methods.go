package rpc

import (
	"encoding/json"

	"github.com/sourcegraph/jsonrpc2"

	"chiltepin/server/jsonrpc"
)

// protocolMethods are the methods that are no operation.
func protocolMethods() map[string]func(*dialect, *jsonrpc.Request) {
	return map[string]func(*dialect, *jsonrpc.Request){
		"initialize":               (*dialect).initialize,
		"shutdown":                 (*dialect).shutdown,
		"rpc.discover":             (*dialect).sendDocument,
		"workspace/executeCommand": (*dialect).executeCommand,
	}
}

// HandleRequest takes a request. Every way out of it leads to one answer.
func (d *dialect) HandleRequest(r *jsonrpc.Request) {
	if f := checkObject(r.Params); f != nil {
		d.refuseInOrder(r, f)
		return
	}
	if d.session.isShutDown() {
		d.refuseInOrder(r, fail(jsonrpc2.CodeInvalidRequest, "the server was shut down; only exit is expected"))
		return
	}
	if method := d.methods[r.Method]; method != nil {
		method(d, r)
		return
	}
	d.callOperation(r, r.Method, r.Params)
}

// HandleNotification takes a notification. Nothing is ever answered to one,
// and those that are not known are let pass.
func (d *dialect) HandleNotification(method string, params json.RawMessage) {
	switch method {
	case "$/cancelRequest":
		var p struct {
			ID json.RawMessage `json:"id"`
		}
		if json.Unmarshal(params, &p) == nil && p.ID != nil {
			d.core.Cancel(p.ID)
		}
	case "$/setTrace":
		d.session.setTrace(params)
	case "exit":
		if d.session.isShutDown() {
			d.core.End(nil)
		} else {
			d.core.End(ErrNoShutdown)
		}
	}
}

// checkObject refuses parameters that are no object: ours go by name.
func checkObject(params json.RawMessage) *failure {
	if len(params) == 0 || params[0] == '{' || string(params) == "null" {
		return nil
	}
	return fail(jsonrpc2.CodeInvalidParams, "params must be an object: parameters go by name here")
}
