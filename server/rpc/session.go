package rpc

import (
	"encoding/json"
	"slices"
	"sync"

	"github.com/sourcegraph/jsonrpc2"

	"chiltepin/server/jsonrpc"
)

// session is what a client that uses the Language Server's handshake said of
// itself. Its zero value is a client that does not.
type session struct {
	mu       sync.Mutex
	began    bool
	shutDown bool
	shows    bool // it can open an address for its person
	trace    string
}

func (n *session) hasBegun() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.began
}

func (n *session) isShutDown() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.shutDown
}

func (n *session) canShow() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.shows
}

// traceValue returns off, messages or verbose.
func (n *session) traceValue() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.trace
}

func (n *session) setTrace(params json.RawMessage) {
	var p struct {
		Value string `json:"value"`
	}
	if json.Unmarshal(params, &p) != nil || !slices.Contains([]string{"off", "messages", "verbose"}, p.Value) {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.trace = p.Value
}

// initialize answers the handshake. Nobody has to begin with it; who does has
// calls run at the same time, log messages, and a server that ends with it.
func (d *dialect) initialize(r *jsonrpc.Request) {
	var p struct {
		ProcessID    *int            `json:"processId"`
		Trace        string          `json:"trace"`
		Capabilities json.RawMessage `json:"capabilities"`
	}
	if len(r.Params) > 0 {
		if err := json.Unmarshal(r.Params, &p); err != nil {
			d.refuseInOrder(r, fail(jsonrpc2.CodeInvalidParams, "initialize: processId is a number or null, trace a word"))
			return
		}
	}
	var can struct {
		Window struct {
			ShowDocument struct {
				Support bool `json:"support"`
			} `json:"showDocument"`
		} `json:"window"`
	}
	_ = json.Unmarshal(p.Capabilities, &can) // what is not understood is not there
	d.session.mu.Lock()
	again := d.session.began
	if !again {
		d.session.began = true
		d.session.shows = can.Window.ShowDocument.Support
		d.session.trace = p.Trace
	}
	d.session.mu.Unlock()
	if again {
		d.refuseInOrder(r, fail(jsonrpc2.CodeInvalidRequest, "initialize may be sent once only"))
		return
	}
	if p.ProcessID != nil {
		d.endWithProcess(*p.ProcessID)
	}
	var commands []string
	for t := range d.offer.All() {
		if t.Event == "" {
			commands = append(commands, commandPrefix+t.Name)
		}
	}
	d.replyInOrder(r, map[string]any{
		"capabilities": map[string]any{
			"executeCommandProvider": map[string]any{"commands": commands, "workDoneProgress": true},
			"experimental":           map[string]any{"openrpc": "rpc.discover"},
		},
		"serverInfo": map[string]any{"name": "chiltepin", "version": d.opts.Version},
	})
}

// endWithProcess has the server end with the client's process. A client on another
// machine, as at the far end of ssh, names a process that is not here; there
// the end of input has to do.
func (d *dialect) endWithProcess(pid int) {
	if d.opts.Process == nil {
		return
	}
	dead, err := d.opts.Process(d.core.Context(), pid)
	if err != nil {
		d.log.Info().Err(err).Int("pid", pid).Msg("the client's process is not on this machine")
		return
	}
	go func() {
		select {
		case <-dead:
			d.log.Info().Int("pid", pid).Msg("the client's process has ended")
			d.core.End(nil)
		case <-d.core.Context().Done():
		}
	}()
}

// shutdown ends what goes on telling and takes no more requests. Calls under
// way finish, unless exit comes before they have.
func (d *dialect) shutdown(r *jsonrpc.Request) {
	d.session.mu.Lock()
	d.session.shutDown = true
	d.session.mu.Unlock()
	d.follows.endByKey("")
	d.replyInOrder(r, json.RawMessage("null"))
}
