package sandbox

import (
	"net"
	"net/http"
	"strings"
	"sync"
)

// proxyHandler is the HTTPS proxy: it ends the TLS of the hosts that the
// sandbox answers for, and refuses every other at once, so that a program that
// tries the real internet does not hang. A request with another
// method than CONNECT goes to the services.
type proxyHandler struct{ s *Sandbox }

func (p proxyHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		p.s.ServeHTTP(w, r)
		return
	}
	host, port, err := net.SplitHostPort(r.Host)
	host = strings.ToLower(host)
	if _, ok := p.s.hosts[host]; err != nil || !ok || port != "443" {
		p.s.recordEntry(Entry{
			Kind: "http", Method: r.Method, Host: r.Host, Status: http.StatusForbidden,
			Agent: r.UserAgent(), Error: "the sandbox has no such host",
		})
		w.Header().Set("Connection", "close")
		http.Error(w, "the sandbox has no host "+r.Host, http.StatusForbidden)
		return
	}
	if f, ok := p.s.faults.takeFault(host, "", r); ok {
		p.s.recordEntry(Entry{Kind: "http", Method: r.Method, Host: host, Agent: r.UserAgent(), Status: f.Status, Fault: f.String()})
		open := http.HandlerFunc(p.openTunnel)
		p.s.applyFault(f, host, w, r, open)
		return
	}
	p.openTunnel(w, r)
}

// openTunnel makes the connection one of the TLS server's.
func (p proxyHandler) openTunnel(w http.ResponseWriter, r *http.Request) {
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
	p.s.net.tunnels.giveConn(conn)
}

// tunnelListener is a net.Listener of the connections that giveConn gives it.
type tunnelListener struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	open map[*tunnelConn]struct{}
}

func newTunnelListener(addr net.Addr) *tunnelListener {
	return &tunnelListener{
		addr: addr, conns: make(chan net.Conn), closed: make(chan struct{}),
		open: map[*tunnelConn]struct{}{},
	}
}

func (h *tunnelListener) giveConn(c net.Conn) {
	t := &tunnelConn{Conn: c, h: h}
	h.mu.Lock()
	h.open[t] = struct{}{}
	h.mu.Unlock()
	select {
	case h.conns <- t:
	case <-h.closed:
		_ = t.Close()
	}
}

// closeConns closes every connection that was given.
func (h *tunnelListener) closeConns() {
	h.mu.Lock()
	open := make([]*tunnelConn, 0, len(h.open))
	for t := range h.open {
		open = append(open, t)
	}
	h.mu.Unlock()
	for _, t := range open {
		_ = t.Close()
	}
}

func (h *tunnelListener) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *tunnelListener) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

func (h *tunnelListener) Addr() net.Addr { return h.addr }

// tunnelConn is a connection that its tunnelListener can close.
type tunnelConn struct {
	net.Conn
	h *tunnelListener
}

func (t *tunnelConn) Close() error {
	t.h.mu.Lock()
	delete(t.h.open, t)
	t.h.mu.Unlock()
	return t.Conn.Close()
}
