package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"chiltepin/tools/operation"

	"github.com/rs/zerolog"
	"github.com/sourcegraph/jsonrpc2"
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

func (n *session) begun() bool {
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

// traced returns off, messages or verbose.
func (n *session) traced() string {
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
func (s *instance) initialize(id jsonrpc2.ID, params json.RawMessage) {
	var p struct {
		ProcessID    *int            `json:"processId"`
		Trace        string          `json:"trace"`
		Capabilities json.RawMessage `json:"capabilities"`
	}
	if len(params) > 0 {
		if err := json.Unmarshal(params, &p); err != nil {
			s.refuse(id, fail(jsonrpc2.CodeInvalidParams, "initialize: processId is a number or null, trace a word"))
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
	s.session.mu.Lock()
	again := s.session.began
	if !again {
		s.session.began = true
		s.session.shows = can.Window.ShowDocument.Support
		s.session.trace = p.Trace
	}
	s.session.mu.Unlock()
	if again {
		s.refuse(id, fail(jsonrpc2.CodeInvalidRequest, "initialize may be sent once only"))
		return
	}
	if p.ProcessID != nil {
		s.endWith(*p.ProcessID)
	}
	var commands []string
	for t := range s.offer.All() {
		if t.Event == "" {
			commands = append(commands, commandPrefix+t.Name)
		}
	}
	s.answer(id, map[string]any{
		"capabilities": map[string]any{
			"executeCommandProvider": map[string]any{"commands": commands, "workDoneProgress": true},
			"experimental":           map[string]any{"openrpc": "rpc.discover"},
		},
		"serverInfo": map[string]any{"name": "chiltepin", "version": s.opts.Version},
	})
}

// endWith has the server end with the client's process. A client on another
// machine, as at the far end of ssh, names a process that is not here; there
// the end of input has to do.
func (s *instance) endWith(pid int) {
	if s.opts.Process == nil {
		return
	}
	dead, err := s.opts.Process(s.base, pid)
	if err != nil {
		s.log.Info().Err(err).Int("pid", pid).Msg("the client's process is not on this machine")
		return
	}
	go func() {
		select {
		case <-dead:
			s.log.Info().Int("pid", pid).Msg("the client's process has ended")
			s.end(nil)
		case <-s.base.Done():
		}
	}()
}

// shutdown ends what goes on telling and takes no more requests. Calls under
// way finish, unless exit comes before they have.
func (s *instance) shutdown(id jsonrpc2.ID) {
	s.session.mu.Lock()
	s.session.shutDown = true
	s.session.mu.Unlock()
	s.follows.end("")
	s.answer(id, json.RawMessage("null"))
}

// commandPrefix comes before the name of an operation as a command: editors
// have one list of commands for all their servers.
const commandPrefix = "chiltepin."

// execute runs an operation as a command, whose one argument is the object
// that the method would have as its parameters.
func (r *reader) execute(id jsonrpc2.ID, params json.RawMessage) {
	var p struct {
		Command   string            `json:"command"`
		Arguments []json.RawMessage `json:"arguments"`
		WorkDone  json.RawMessage   `json:"workDoneToken"`
	}
	if err := json.Unmarshal(params, &p); err != nil || len(p.Arguments) > 1 {
		r.refuse(id, fail(jsonrpc2.CodeInvalidParams, "workspace/executeCommand: want a command and at most one argument, an object"))
		return
	}
	name, ok := strings.CutPrefix(p.Command, commandPrefix)
	if !ok || r.methods[methodName(name)] == nil {
		r.refuse(id, fail(jsonrpc2.CodeInvalidParams, fmt.Sprintf("unknown command %.60q; initialize lists them", p.Command)))
		return
	}
	args := json.RawMessage("{}")
	if len(p.Arguments) == 1 && string(p.Arguments[0]) != "null" {
		args = p.Arguments[0]
	}
	if f := object(args); f != nil {
		r.refuse(id, f)
		return
	}
	if p.WorkDone != nil {
		all := map[string]json.RawMessage{}
		_ = json.Unmarshal(args, &all) // it is an object
		all["workDoneToken"] = p.WorkDone
		args = encode(all)
	}
	r.invoke(id, methodName(name), args)
}

// showPatience bounds how long a client may take to open an address.
const showPatience = 30 * time.Second

// show has the client open an address for its person.
func (s *instance) show(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, showPatience)
	defer cancel()
	go func() {
		select {
		case <-s.stream.Ended(): // nobody will answer
			cancel()
		case <-ctx.Done():
		}
	}()
	var res struct {
		Success bool `json:"success"`
	}
	if err := s.conn.Load().Call(ctx, "window/showDocument", map[string]any{"uri": url, "external": true}, &res); err != nil {
		return fmt.Errorf("showing an address: %w", err)
	}
	if !res.Success {
		return fmt.Errorf("showing an address: the editor could not")
	}
	return nil
}

// logMessage sends what is logged as worth a person's attention to a client
// that shows such messages. Fields stay in the log.
func (n *session) logMessage(s *instance) func(*zerolog.Event, zerolog.Level, string) {
	return func(_ *zerolog.Event, level zerolog.Level, message string) {
		kind := 0
		switch level {
		case zerolog.ErrorLevel:
			kind = 1
		case zerolog.WarnLevel:
			kind = 2
		}
		if kind != 0 && message != "" && n.begun() {
			s.notify("window/logMessage", encode(map[string]any{"type": kind, "message": message}))
		}
	}
}

// logTrace tells a client that asked for it how a call went.
func (c *call) logTrace(took time.Duration, err error) {
	mode := c.session.traced()
	if mode != "messages" && mode != "verbose" {
		return
	}
	p := map[string]string{"message": fmt.Sprintf("%s took %s", methodName(c.tool.Name), took.Round(100*time.Microsecond))}
	if err != nil && mode == "verbose" {
		p["verbose"] = operation.AsError(err).Message
	}
	c.notify("$/logTrace", encode(p))
}
