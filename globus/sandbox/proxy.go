package sandbox

import (
	"net"
	"net/http"
	"strings"
	"sync"
)

// proxyHandler is the HTTPS proxy: it ends the TLS of the hosts that the
// sandbox answers for, and refuses every other at once, so that a program that
// tries the real internet does not hang. Requests that are no CONNECT go to
// the services.
type proxyHandler struct{ s *Sandbox }

func (p proxyHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		p.s.ServeHTTP(w, r)
		return
	}
	host, port, err := net.SplitHostPort(r.Host)
	host = strings.ToLower(host)
	if _, ok := p.s.hosts[host]; err != nil || !ok || port != "443" {
		p.s.record(Entry{
			Kind: "http", Method: r.Method, Host: r.Host, Status: http.StatusForbidden,
			Agent: r.UserAgent(), Error: "the sandbox has no such host",
		})
		w.Header().Set("Connection", "close")
		http.Error(w, "the sandbox has no host "+r.Host, http.StatusForbidden)
		return
	}
	if f, ok := p.s.faults.take(host, "", r); ok {
		p.s.record(Entry{Kind: "http", Method: r.Method, Host: host, Agent: r.UserAgent(), Status: f.Status, Fault: f.String()})
		open := http.HandlerFunc(p.tunnel)
		p.s.strike(f, host, w, r, open)
		return
	}
	p.tunnel(w, r)
}

// tunnel makes the connection one of the TLS server's.
func (p proxyHandler) tunnel(w http.ResponseWriter, r *http.Request) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if buffered.Reader.Buffered() > 0 { // no client speaks before our answer
		_ = conn.Close()
		return
	}
	if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		_ = conn.Close()
		return
	}
	p.s.net.tunnels.give(conn)
}

// handoff is a listener whose connections are given to it.
type handoff struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	open map[*tracked]struct{}
}

func newHandoff(addr net.Addr) *handoff {
	return &handoff{
		addr: addr, conns: make(chan net.Conn), closed: make(chan struct{}),
		open: map[*tracked]struct{}{},
	}
}

func (h *handoff) give(c net.Conn) {
	t := &tracked{Conn: c, h: h}
	h.mu.Lock()
	h.open[t] = struct{}{}
	h.mu.Unlock()
	select {
	case h.conns <- t:
	case <-h.closed:
		_ = t.Close()
	}
}

// drop closes every connection that was given.
func (h *handoff) drop() {
	h.mu.Lock()
	open := make([]*tracked, 0, len(h.open))
	for t := range h.open {
		open = append(open, t)
	}
	h.mu.Unlock()
	for _, t := range open {
		_ = t.Close()
	}
}

func (h *handoff) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *handoff) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

func (h *handoff) Addr() net.Addr { return h.addr }

// tracked is a connection that its handoff can close.
type tracked struct {
	net.Conn
	h *handoff
}

func (t *tracked) Close() error {
	t.h.mu.Lock()
	delete(t.h.open, t)
	t.h.mu.Unlock()
	return t.Conn.Close()
}
