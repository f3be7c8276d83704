package faults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// server is a chiltepin mcp whose host has its person confirm every call.
type server struct {
	in  io.WriteCloser
	out *bufio.Reader
	n   int
}

func (b *fixture) server() *server {
	b.Helper()
	cmd := b.command("mcp", "--consent", "host", "--log-level", "error")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s := &server{in: in, out: bufio.NewReader(out)}
	if _, err := s.ask("initialize", `{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}`); err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Fprintln(in, `{"jsonrpc":"2.0","method":"notifications/initialized"}`); err != nil {
		b.Fatal(err)
	}
	return s
}

// ask sends a request and returns its result.
func (s *server) ask(method, params string) (json.RawMessage, error) {
	s.n++
	if _, err := fmt.Fprintf(s.in, `{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`+"\n", s.n, method, params); err != nil {
		return nil, err
	}
	for {
		line, err := s.out.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		var m struct {
			ID     int
			Result json.RawMessage
			Error  json.RawMessage
		}
		if err := json.Unmarshal(line, &m); err != nil {
			return nil, err
		}
		if m.ID == s.n && m.Error != nil {
			return nil, fmt.Errorf("%s", m.Error)
		}
		if m.ID == s.n {
			return m.Result, nil
		}
	}
}
