package rpc

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sourcegraph/jsonrpc2"

	"chiltepin/server/jsonrpc"
)

// commandPrefix comes before the name of an operation as a command: editors
// have one list of commands for all their servers.
const commandPrefix = "chiltepin."

// executeCommand runs an operation as a command, whose one argument is the object
// that the method would have as its parameters.
func (d *dialect) executeCommand(r *jsonrpc.Request) {
	var p struct {
		Command   string            `json:"command"`
		Arguments []json.RawMessage `json:"arguments"`
		WorkDone  json.RawMessage   `json:"workDoneToken"`
	}
	if err := json.Unmarshal(r.Params, &p); err != nil || len(p.Arguments) > 1 {
		d.refuseInOrder(r, fail(jsonrpc2.CodeInvalidParams, "workspace/executeCommand: want a command and at most one argument, an object"))
		return
	}
	name, ok := strings.CutPrefix(p.Command, commandPrefix)
	if !ok || d.operations[methodName(name)] == nil {
		d.refuseInOrder(r, fail(jsonrpc2.CodeInvalidParams, fmt.Sprintf("unknown command %.60q; initialize lists them", p.Command)))
		return
	}
	args := json.RawMessage("{}")
	if len(p.Arguments) == 1 && string(p.Arguments[0]) != "null" {
		args = p.Arguments[0]
	}
	if f := checkObject(args); f != nil {
		d.refuseInOrder(r, f)
		return
	}
	if p.WorkDone != nil {
		all := map[string]json.RawMessage{}
		_ = json.Unmarshal(args, &all) // it is an object
		all["workDoneToken"] = p.WorkDone
		args = jsonrpc.Encode(all)
	}
	d.callOperation(r, methodName(name), args)
}
