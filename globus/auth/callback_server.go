package auth

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// maxConnections is how many connections the page holds at once; one more
	// costs the oldest its place, so that nobody keeps a person out.
	maxConnections = 64
	// headerTimeout is how long a browser may take to say what it wants.
	headerTimeout = 5 * time.Second
	// shutdownTimeout is how long the last page may take to leave.
	shutdownTimeout = 2 * time.Second
)

// callback is the page on this machine at which a login in a browser ends. It
// answers on 127.0.0.1 alone, to requests that name it so, and believes only
// those that bring a state which was given out: other programs, and pages of
// other origins, can reach it too.
type callbackServer struct {
	flow     *loginFlow
	listener net.Listener
	server   *http.Server
	origin   string // "http://127.0.0.1:PORT", without a path, as globus_sdk has it
	host     string
	port     int
	closed   chan struct{}

	// loginPath is the path that our own browser is sent to. Its address can be
	// seen by everybody on the machine, in the list of processes, so it works
	// for one browser only and the state is not in it.
	loginPath string

	mu          sync.Mutex
	cookie      string // of the browser that came to opened
	connections []net.Conn
}

// newCallbackServer takes a port, any free one for 0. It answers once serve is called.
func newCallbackServer(f *loginFlow, port int) (*callbackServer, error) {
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
	l.origin = "http://" + l.host
	l.port = listener.Addr().(*net.TCPAddr).Port
	l.server = &http.Server{
		Handler:           l,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ConnState:         l.trackConnection,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	l.server.SetKeepAlivesEnabled(false)
	return l, nil
}

func (l *callbackServer) startServing() {
	go l.server.Serve(l.listener) // until close; what it returns then is no news
}

// shutDown lets the last page leave and ends the server. Who has not said what they
// want, such as a browser that has connected in advance, is not waited for.
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

// trackConnection keeps the crowd in bounds.
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

// untrackConnection takes a connection out of the crowd: it has said what it wants and is
// about to be answered.
func (l *callbackServer) untrackConnection(r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := r.Context().Value(connKey{})
	l.connections = slices.DeleteFunc(l.connections, func(o net.Conn) bool { return o == c })
}

// ServeHTTP answers a browser.
func (l *callbackServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.untrackConnection(r)
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
		l.finishCallback(w, r, callbackParams{state: q.Get("state"), code: q.Get("code"), errorCode: q.Get("error"), cookie: l.readCookie(r)})
	}
}

// cookieName is of the cookie that binds a login to the browser that was opened
// for it. A browser has the same cookies for all ports.
func (l *callbackServer) cookieName() string { return "chiltepin_" + strconv.Itoa(l.port) }

func (l *callbackServer) readCookie(r *http.Request) string {
	c, err := r.Cookie(l.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

// redirectToGlobus sends the browser that was opened on to Globus Auth. A second
// browser means that somebody else has read the address: the login ends.
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
	http.SetCookie(w, &http.Cookie{Name: l.cookieName(), Value: word, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	redirectTo(w, r, z.url)
}

// finishCallback takes what came back from Globus Auth. The browser may go away
// meanwhile, but the login does not.
func (l *callbackServer) finishCallback(w http.ResponseWriter, r *http.Request, a callbackParams) {
	ctx := context.WithoutCancel(r.Context())
	next, err := l.flow.acceptCallback(ctx, a, false)
	switch {
	case errors.Is(err, errOtherLogin):
		l.writePage(w, http.StatusForbidden, errorPage(err))
	case errors.Is(err, errAlreadyUsed):
		l.writePage(w, http.StatusGone, errorPage(err))
	case err != nil:
		l.writePage(w, http.StatusBadRequest, errorPage(err))
	case next != "":
		redirectTo(w, r, next)
	default:
		account, _ := l.flow.manager.Whoami(ctx) // what cannot be read is told by its service
		l.writePage(w, http.StatusOK, loggedInPage(account, l.flow.serviceNames()))
	}
}

// sendSigned leads a browser on. What it came with is not told to where it goes.
func redirectTo(w http.ResponseWriter, r *http.Request, to string) {
	setSecurityHeaders(w)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// setSecurityHeaders keeps a page to itself: nothing from the network, no script, no frame
// around it, no copy.
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
	var b strings.Builder
	if err := pageTemplate().Execute(&b, v); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	setSecurityHeaders(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String())) // a browser that has gone needs no page
}
