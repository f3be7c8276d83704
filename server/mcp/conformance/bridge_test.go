package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
)

// bridge is a Streamable HTTP server in front of processes that serve on
// standard input: one for each session of the old era, and one for all
// requests of the new era, which has no sessions. It passes messages on as
// they are and judges nothing: it gives an error the HTTP status that its code
// has, so that checks which look at both see the server's code, and does
// nothing else that the protocol asks of HTTP, such as comparing headers with
// the body.
type bridge struct {
	start func() (*child, error)

	mu       sync.Mutex
	sessions map[string]*child // by Mcp-Session-Id; "" is the new era's
}

func newBridge(t *testing.T, env []string, command string, args ...string) *bridge {
	t.Helper()
	b := &bridge{sessions: map[string]*child{}}
	b.start = func() (*child, error) { return startChild(env, command, args...) }
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range b.sessions {
			if err := c.end(); err != nil {
				t.Errorf("a server ended with %v", err)
			}
		}
	})
	return b
}

// session returns the process for a request, starting it where there is none.
func (b *bridge) session(id, method string) (string, *child, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if method == "initialize" {
		id = strconv.Itoa(len(b.sessions) + 1)
	} else if c := b.sessions[id]; c != nil {
		return id, c, nil
	} else if id != "" {
		return "", nil, os.ErrNotExist
	}
	c, err := b.start()
	if err != nil {
		return "", nil, err
	}
	b.sessions[id] = c
	return id, c, nil
}

// message is what the bridge looks at in a message.
type message struct {
	ID     json.RawMessage    `json:"id"`
	Method string             `json:"method"`
	Error  struct{ Code int } `json:"error"`
	Params struct {
		ProgressToken json.RawMessage `json:"progressToken"`
		Meta          struct {
			ProgressToken json.RawMessage `json:"progressToken"`
			Subscription  json.RawMessage `json:"io.modelcontextprotocol/subscriptionId"`
		} `json:"_meta"`
	} `json:"params"`
}

func (b *bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var m message
	_ = json.Unmarshal(body, &m) // what it cannot read, the server has to answer
	id, c, err := b.session(r.Header.Get("Mcp-Session-Id"), m.Method)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	if id != "" {
		w.Header().Set("Mcp-Session-Id", id)
	}
	switch {
	case r.Method == http.MethodDelete:
		return // it ends with the bridge
	case r.Method == http.MethodGet && id == "":
		w.WriteHeader(http.StatusMethodNotAllowed)
	case r.Method == http.MethodGet:
		c.stream(w, r, &waiter{}, nil)
	case m.Method == "" || m.ID == nil:
		c.send(body)
		w.WriteHeader(http.StatusAccepted)
	default:
		c.stream(w, r, &waiter{id: m.ID, token: m.Params.Meta.ProgressToken}, body)
	}
}

// child is one process of a server.
type child struct {
	process *exec.Cmd
	in      io.WriteCloser
	stderr  bytes.Buffer

	mu      sync.Mutex
	waiters []*waiter // newest last
}

// waiter is one HTTP response that is still open: to a request, or to a GET,
// which has no id.
type waiter struct {
	id, token json.RawMessage
	lines     chan []byte
}

func startChild(env []string, command string, args ...string) (*child, error) {
	c := &child{process: exec.Command(command, args...)}
	c.process.Env, c.process.Stderr = env, &c.stderr
	out, err := c.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if c.in, err = c.process.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.process.Start(); err != nil {
		return nil, err
	}
	go func() {
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			c.received(bytes.TrimSpace(line))
		}
	}()
	return c, nil
}

// end closes the input of the process and waits for it.
func (c *child) end() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.in.Close(); err != nil {
		return err
	}
	if err := c.process.Wait(); err != nil {
		return fmt.Errorf("%w\n%s", err, c.stderr.String())
	}
	return nil
}

// send passes a message on, as one line.
func (c *child) send(body []byte) {
	var line bytes.Buffer
	if json.Compact(&line, body) != nil {
		line.Reset()
		line.Write(bytes.ReplaceAll(body, []byte("\n"), []byte(" ")))
	}
	line.WriteByte('\n')
	_, _ = c.in.Write(line.Bytes()) // a server that has ended answers nothing
}

// received gives a line of the server to the response it belongs to: by the
// id, the progress token or the subscription it names, and otherwise to the
// newest.
func (c *child) received(line []byte) {
	var m message
	_ = json.Unmarshal(line, &m)
	c.mu.Lock()
	defer c.mu.Unlock()
	belongs := func(w *waiter) bool {
		switch {
		case m.Method == "":
			return bytes.Equal(w.id, m.ID)
		case m.Params.Meta.Subscription != nil:
			return bytes.Equal(w.id, m.Params.Meta.Subscription)
		case m.Params.ProgressToken != nil:
			return bytes.Equal(w.token, m.Params.ProgressToken)
		}
		return true
	}
	for i := len(c.waiters) - 1; i >= 0; i-- {
		if belongs(c.waiters[i]) {
			c.waiters[i].lines <- line
			return
		}
	}
}

// stream sends a message, if there is one, and passes on what belongs to it
// until it is answered.
func (c *child) stream(w http.ResponseWriter, r *http.Request, own *waiter, body []byte) {
	own.lines = make(chan []byte, 1000)
	c.mu.Lock()
	c.waiters = append(c.waiters, own)
	c.mu.Unlock()
	defer c.leave(own)
	flush := http.NewResponseController(w).Flush
	open := func(status int) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(status)
		_ = flush()
	}
	if body == nil {
		open(http.StatusOK)
	} else {
		c.send(body)
	}
	for first := body != nil; ; first = false {
		select {
		case <-r.Context().Done():
			return
		case line := <-own.lines:
			var m message
			_ = json.Unmarshal(line, &m)
			if status, failed := statusOf(m.Error.Code); first && failed && r.Header.Get("Mcp-Session-Id") == "" {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				_, _ = w.Write(line)
				return
			}
			if first {
				open(http.StatusOK)
			}
			fmt.Fprintf(w, "event: message\ndata: %s\n\n", line)
			_ = flush()
			if m.Method == "" {
				return
			}
		}
	}
}

// statusOf is the HTTP status that the new era gives an error code.
func statusOf(code int) (status int, failed bool) {
	switch code {
	case -32601:
		return http.StatusNotFound, true
	case -32602, -32600, -32021, -32022:
		return http.StatusBadRequest, true
	}
	return 0, false
}

func (c *child) leave(own *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, w := range c.waiters {
		if w == own {
			c.waiters = append(c.waiters[:i:i], c.waiters[i+1:]...)
			return
		}
	}
}
