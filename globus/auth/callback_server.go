package auth

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

const (
	// maxConnections is how many open connections the page accepts; one more
	// closes the oldest, so that nobody can keep the person's browser out.
	maxConnections = 64
	// headerTimeout is how long a browser may take to send its request.
	headerTimeout = 5 * time.Second
	// shutdownTimeout is how long sending the last page may take.
	shutdownTimeout = 2 * time.Second
)

// callbackServer serves the page on this machine at which a login in a browser
// ends. It listens on 127.0.0.1 only, which every program of this machine and web
// pages of other origins can reach: it accepts a request only from a program of
// our own user, with that host and with a state that it issued.
type callbackServer struct {
	flow     *loginFlow
	listener net.Listener
	server   *http.Server
	origin   string // "http://127.0.0.1:PORT", without a path, as globus_sdk has it
	host     string
	port     int
	peers    peerFinder
	closed   chan struct{}

	// loginPath is the path that the browser we start opens. Not every browser
	// can be given its address without showing it in the list of processes, so
	// it works for one browser only and does not contain the state.
	loginPath string

	mu          sync.Mutex
	cookie      string // of the browser that opened loginPath
	connections []net.Conn
}

// newCallbackServer listens on a port, on any free one for 0. It answers
// requests once startServing is called.
func newCallbackServer(ctx context.Context, f *loginFlow, port int) (*callbackServer, error) {
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, &PortError{Port: port, Err: err}
	}
	word, err := randomText(f.manager.config.Rand, 16)
	if err != nil {
		listener.Close()
		return nil, err
	}
	l := &callbackServer{flow: f, listener: listener, host: listener.Addr().String(), loginPath: "/login/" + word, closed: make(chan struct{})}
	l.peers = peerFinder{proc: f.manager.config.Proc, uid: os.Geteuid(), rootRelays: f.manager.config.RootRelays}
	log := zerolog.Ctx(ctx).WithContext(context.Background()) // the page outlives the call
	l.origin = "http://" + l.host
	l.port = listener.Addr().(*net.TCPAddr).Port
	l.server = &http.Server{
		Handler:           l,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ConnState:         l.trackConnection,
		BaseContext:       func(net.Listener) context.Context { return log },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	l.server.SetKeepAlivesEnabled(false)
	return l, nil
}

func (l *callbackServer) startServing() {
	go l.server.Serve(l.listener) // until shutDown; its error then is expected
}

// shutDown lets the last page be sent and ends the server. It does not wait for
// connections without a request, such as one that a browser opened in advance.
func (l *callbackServer) shutDown() {
	l.listener.Close()
	l.mu.Lock()
	for _, c := range l.connections {
		c.Close()
	}
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if l.server.Shutdown(ctx) != nil {
		l.server.Close()
	}
	close(l.closed)
}

// trackConnection limits the number of connections that wait.
func (l *callbackServer) trackConnection(c net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch state {
	case http.StateNew:
		if len(l.connections) >= maxConnections {
			l.connections[0].Close()
			l.connections = l.connections[1:]
		}
		l.connections = append(l.connections, c)
	case http.StateClosed:
		l.connections = slices.DeleteFunc(l.connections, func(o net.Conn) bool { return o == c })
	}
}

type connKey struct{}

// untrackConnection removes a connection whose request has arrived: it is
// answered now.
func (l *callbackServer) untrackConnection(r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := r.Context().Value(connKey{})
	l.connections = slices.DeleteFunc(l.connections, func(o net.Conn) bool { return o == c })
}

// ServeHTTP answers a browser.
func (l *callbackServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.untrackConnection(r)
	c, _ := r.Context().Value(connKey{}).(net.Conn) // always there
	owner := l.peers.findOwner(c)
	if owner == ownerOther {
		zerolog.Ctx(r.Context()).Warn().Stringer("peer", c.RemoteAddr()).Msg("the login page was asked for by a program of another user, and refused")
		l.writePage(w, http.StatusForbidden, otherUserPage())
		return
	}
	q := r.URL.Query()
	switch {
	case r.Host != l.host:
		l.writePage(w, http.StatusMisdirectedRequest, unknownAddressPage())
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		l.writePage(w, http.StatusMethodNotAllowed, unknownAddressPage())
	case equalInConstantTime(r.URL.Path, l.loginPath):
		l.redirectToGlobus(w, r)
	case r.URL.Path != "/":
		l.writePage(w, http.StatusNotFound, unknownAddressPage())
	case !q.Has("state"):
		l.writePage(w, http.StatusBadRequest, unknownAddressPage())
	default:
		l.finishCallback(w, r, callbackParams{state: q.Get("state"), code: q.Get("code"), errorCode: q.Get("error"), cookie: l.readCookie(r), stranger: owner != ownerSelf})
	}
}

// cookieName is the name of the cookie that binds a login to the browser that
// we started. It contains the port because browsers share cookies between
// ports.
func (l *callbackServer) cookieName() string { return "chiltepin_" + strconv.Itoa(l.port) }

func (l *callbackServer) readCookie(r *http.Request) string {
	c, err := r.Cookie(l.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

// redirectToGlobus sends the browser that we started on to Globus Auth. A
// second browser means that somebody else read the address: the login ends.
func (l *callbackServer) redirectToGlobus(w http.ResponseWriter, r *http.Request) {
	word, err := randomText(l.flow.manager.config.Rand, 16)
	if err != nil {
		l.flow.endWith(err)
		l.writePage(w, http.StatusInternalServerError, errorPage(err))
		return
	}
	l.mu.Lock()
	first := l.cookie == ""
	if first {
		l.cookie = word
	}
	known := equalInConstantTime(l.cookie, l.readCookie(r))
	word = l.cookie
	l.mu.Unlock()
	if !first && !known {
		err := &IntrusionError{}
		l.flow.endWith(err)
		l.writePage(w, http.StatusForbidden, errorPage(err))
		return
	}
	l.flow.mu.Lock()
	step := l.flow.step
	l.flow.mu.Unlock()
	if l.flow.hasEnded() || step == len(l.flow.groups) {
		l.writePage(w, http.StatusGone, errorPage(errAlreadyUsed))
		return
	}
	z, err := l.flow.addAuthorization(step, word)
	if err != nil {
		l.flow.endWith(err)
		l.writePage(w, http.StatusInternalServerError, errorPage(err))
		return
	}
	l.flow.forgetBrowser()
	http.SetCookie(w, &http.Cookie{Name: l.cookieName(), Value: word, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	redirectTo(w, r, z.url)
}

// finishCallback accepts what Globus Auth sent back. The login continues even
// if the browser closes the connection meanwhile.
func (l *callbackServer) finishCallback(w http.ResponseWriter, r *http.Request, a callbackParams) {
	ctx := context.WithoutCancel(r.Context())
	following, err := l.flow.acceptCallback(ctx, a, false)
	switch {
	case errors.Is(err, errOtherLogin):
		l.writePage(w, http.StatusForbidden, errorPage(err))
	case errors.Is(err, errAlreadyUsed):
		l.writePage(w, http.StatusGone, errorPage(err))
	case err != nil:
		l.writePage(w, http.StatusBadRequest, errorPage(err))
	case following != "":
		redirectTo(w, r, following)
	default:
		account, _ := l.flow.manager.Whoami(ctx) // its services say what cannot be read
		l.writePage(w, http.StatusOK, loggedInPage(account))
	}
}

// redirectTo redirects a browser, which does not tell the next page where it
// came from.
func redirectTo(w http.ResponseWriter, r *http.Request, to string) {
	setSecurityHeaders(w)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// setSecurityHeaders isolates a page: it loads nothing from the network, runs
// no script, and may neither be framed nor cached.
func setSecurityHeaders(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src '"+pageStyleHash()+"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

func (l *callbackServer) writePage(w http.ResponseWriter, status int, v pageContent) {
	if command := l.flow.manager.config.Command; command != nil {
		for _, step := range v.Steps {
			v.Commands = append(v.Commands, command(step))
		}
	}
	var b strings.Builder
	if err := pageTemplate().Execute(&b, v); err != nil {
		http.Error(w, "the page could not be rendered", http.StatusInternalServerError)
		return
	}
	setSecurityHeaders(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String())) // the browser may have closed the connection
}
