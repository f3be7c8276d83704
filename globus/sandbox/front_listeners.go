package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
)

// network is what Start adds to the handler: listeners, all on 127.0.0.1.
type network struct {
	s *Sandbox

	mu      sync.Mutex
	id      string
	dir     string
	ownDir  bool
	caFile  string
	web     net.Listener // control, and the services without TLS
	proxy   net.Listener // CONNECT
	amqp    net.Listener
	server  *http.Server
	secure  *http.Server
	tunnels *tunnelListener
	running sync.WaitGroup
	errs    []error
}

// Start opens the listeners on free ports, makes the certificate authority and
// writes its certificate. It may be called once; Close undoes it.
func (s *Sandbox) Start() error {
	n := s.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server != nil {
		return errors.New("the sandbox is started already")
	}
	ca, err := newCertificateAuthority(time.Now(), s.Hosts())
	if err != nil {
		return fmt.Errorf("making the certificate authority: %w", err)
	}
	n.id = uuid.NewString()
	if n.dir = s.options.Dir; n.dir == "" {
		if n.dir, err = os.MkdirTemp("", "globus-sandbox-"); err != nil {
			return err
		}
		n.ownDir = true
	}
	n.caFile = filepath.Join(n.dir, "globus-sandbox-ca.pem")
	if err := os.WriteFile(n.caFile, ca.pem, 0o600); err != nil {
		return err
	}
	for _, l := range []*net.Listener{&n.web, &n.proxy, &n.amqp} {
		if *l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
	}
	quiet := slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // broken connections are often ordered
	n.server = &http.Server{Handler: proxyHandler{s}, ErrorLog: quiet}
	n.secure = &http.Server{Handler: s, ErrorLog: quiet}
	n.tunnels = newTunnelListener(n.proxy.Addr())
	n.runServer("web", func() error { return n.server.Serve(n.web) })
	n.runServer("proxy", func() error { return n.server.Serve(n.proxy) })
	n.runServer("tls", func() error { return n.secure.Serve(ca.tlsListener(n.tunnels)) })
	n.runServer("amqp", func() error { return s.broker.Serve(n.amqp) })
	return nil
}

// runServer runs one listener; what it returns after its listener was closed is
// no error.
func (n *network) runServer(name string, run func() error) {
	n.running.Add(1)
	go func() {
		defer n.running.Done()
		err := run()
		if err == nil || errors.Is(err, net.ErrClosed) || errors.Is(err, http.ErrServerClosed) {
			return
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		n.errs = append(n.errs, fmt.Errorf("serving %s: %w", name, err))
	}()
}

func (n *network) closeListeners() error {
	n.mu.Lock()
	server, secure, amqp, tunnels := n.server, n.secure, n.amqp, n.tunnels
	n.mu.Unlock()
	if server != nil {
		_ = tunnels.Close()
		_ = server.Close()
		_ = secure.Close()
		_ = amqp.Close()
	} else {
		for _, l := range []net.Listener{n.web, n.proxy, n.amqp} {
			if l != nil {
				_ = l.Close() // Start failed half way
			}
		}
	}
	n.running.Wait()
	if n.ownDir {
		if err := os.RemoveAll(n.dir); err != nil {
			n.errs = append(n.errs, err)
		}
	}
	return errors.Join(n.errs...)
}

// amqpURL is the address of the broker for one user, in the form that pika and
// the other clients read.
func (n *network) amqpURL(user, password string) string {
	u := url.URL{Scheme: "amqp", User: url.UserPassword(user, password), Host: n.amqpAddr(), Path: "/"}
	return u.String() + "%2F"
}

func (n *network) amqpAddr() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.amqp == nil {
		return "127.0.0.1:0" // not started: nobody can connect
	}
	return n.amqp.Addr().String()
}

// URL is the address of the sandbox itself: its control path, and all the
// services without TLS. It is "" before Start.
func (s *Sandbox) URL() string {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if s.net.web == nil {
		return ""
	}
	return "http://" + s.net.web.Addr().String()
}

// Hosts are the production host names that the sandbox answers for.
func (s *Sandbox) Hosts() []string {
	return []string{AuthHost, ComputeHost, TransferHost, AcademyHost}
}

// Down closes the proxy's listener and all its connections, as if the network had
// failed: clients are refused. Up opens it again on the same port. The
// broker and the control path stay.
func (s *Sandbox) Down() error {
	n := s.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.proxy == nil {
		return errors.New("the sandbox is not started")
	}
	n.tunnels.closeConns()
	return n.proxy.Close()
}

// Up undoes Down.
func (s *Sandbox) Up(ctx context.Context) error {
	n := s.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.proxy == nil {
		return errors.New("the sandbox is not started")
	}
	_, port, err := net.SplitHostPort(n.proxy.Addr().String())
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	n.proxy = l
	n.runServer("proxy", func() error { return n.server.Serve(l) })
	return nil
}
