// Command gosdk is a puppet over the client of the official Go SDK: it does
// what the test in the parent directory says, as the puppets in testdata do.
// It is a module of its own, so that the program never depends on that SDK.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type command struct {
	Op        string            `json:"op"`
	Command   string            `json:"command"`
	Args      []string          `json:"args"`
	Env       map[string]string `json:"env"`
	Era       string            `json:"era"`
	Asks      bool              `json:"asks"`
	Person    *mcp.ElicitResult `json:"person"`
	Tool      string            `json:"tool"`
	Arguments map[string]any    `json:"arguments"`
	URI       string            `json:"uri"`
}

type puppet struct {
	session *mcp.ClientSession

	mu       sync.Mutex
	person   *mcp.ElicitResult
	asked    []string
	progress []string
}

func main() {
	p := &puppet{}
	out := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c command
		err := json.Unmarshal(lines.Bytes(), &c)
		var answer any
		if err == nil {
			answer, err = p.do(context.Background(), c)
		}
		if err != nil {
			answer = map[string]string{"puppet": err.Error()}
		}
		if err := out.Encode(answer); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func (p *puppet) do(ctx context.Context, c command) (any, error) {
	switch c.Op {
	case "connect":
		return p.connect(ctx, c)
	case "tools":
		return p.session.ListTools(ctx, nil)
	case "call":
		return p.call(ctx, c)
	case "read":
		return p.session.ReadResource(ctx, &mcp.ReadResourceParams{URI: c.URI})
	case "prompts":
		return p.session.ListPrompts(ctx, nil)
	case "close":
		return struct{}{}, p.session.Close()
	}
	return nil, fmt.Errorf("unknown op %q", c.Op)
}

func (p *puppet) connect(ctx context.Context, c command) (any, error) {
	options := &mcp.ClientOptions{ProgressNotificationHandler: p.onProgress}
	if c.Asks {
		options.ElicitationHandler = func(_ context.Context, q *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.asked = append(p.asked, q.Params.Message)
			return p.person, nil
		}
	}
	server := exec.Command(c.Command, c.Args...)
	server.Stderr = os.Stderr
	for name, value := range c.Env {
		server.Env = append(server.Env, name+"="+value)
	}
	var session *mcp.ClientSessionOptions
	if c.Era == "legacy" {
		session = &mcp.ClientSessionOptions{ProtocolVersion: "2025-11-25"}
	}
	var err error
	client := mcp.NewClient(&mcp.Implementation{Name: "puppet", Version: "1"}, options)
	if p.session, err = client.Connect(ctx, &mcp.CommandTransport{Command: server}, session); err != nil {
		return nil, err
	}
	return map[string]string{"version": p.session.InitializeResult().ProtocolVersion}, nil
}

func (p *puppet) onProgress(_ context.Context, n *mcp.ProgressNotificationClientRequest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress = append(p.progress, n.Params.Message)
}

type called struct {
	Result   *mcp.CallToolResult `json:"result,omitempty"`
	Failure  *failure            `json:"failure,omitempty"`
	Progress []string            `json:"progress"`
	Asked    []string            `json:"asked"`
}

type failure struct {
	Code    int64  `json:"code"`
	Message string `json:"message"`
}

func (p *puppet) call(ctx context.Context, c command) (any, error) {
	p.mu.Lock()
	p.person, p.asked, p.progress = c.Person, nil, nil
	p.mu.Unlock()
	params := &mcp.CallToolParams{Name: c.Tool, Arguments: c.Arguments}
	params.SetProgressToken(c.Tool)
	res, err := p.session.CallTool(ctx, params)
	p.mu.Lock()
	defer p.mu.Unlock()
	done := called{Result: res, Progress: p.progress, Asked: p.asked}
	if wire, ok := errors.AsType[*jsonrpc.Error](err); ok {
		done.Failure = &failure{wire.Code, wire.Message}
	} else if err != nil {
		return nil, err
	}
	return done, nil
}
