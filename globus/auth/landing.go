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
	// landingCrowd is how many connections the page holds at once; one more
	// costs the oldest its place, so that nobody keeps a person out.
	landingCrowd = 64
	// landingHeader is how long a browser may take to say what it wants.
	landingHeader = 5 * time.Second
	// landingFarewell is how long the last page may take to leave.
	landingFarewell = 2 * time.Second
)

// landing is the page on this machine at which a login in a browser ends. It
// answers on 127.0.0.1 alone, to requests that name it so, and believes only
// those that bring a state which was given out: other programs, and pages of
// other origins, can reach it too.
type landing struct {
	flow     *flow
	listener net.Listener
	server   *http.Server
	origin   string // "http://127.0.0.1:PORT", without a path, as globus_sdk has it
	host     string
	port     int
	closed   chan struct{}

	// opened is the path that our own browser is sent to. Its address can be
	// seen by everybody on the machine, in the list of processes, so it works
	// for one browser only and the state is not in it.
	opened string

	mu     sync.Mutex
	cookie string // of the browser that came to opened
	crowd  []net.Conn
}

// newLanding takes a port, any free one for 0. It answers once serve is called.
func newLanding(f *flow, port int) (*landing, error) {
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, &PortError{Port: port, Err: err}
	}
	word, err := randomText(f.manager.config.Rand, 16)
	if err != nil {
		listener.Close()
		return nil, err
	}
	l := &landing{flow: f, listener: listener, host: listener.Addr().String(), opened: "/login/" + word, closed: make(chan struct{})}
	l.origin = "http://" + l.host
	l.port = listener.Addr().(*net.TCPAddr).Port
	l.server = &http.Server{
		Handler:           l,
		ReadHeaderTimeout: landingHeader,
		ReadTimeout:       landingHeader,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ConnState:         l.admit,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	l.server.SetKeepAlivesEnabled(false)
	return l, nil
}

func (l *landing) serve() {
	go l.server.Serve(l.listener) // until close; what it returns then is no news
}

// close lets the last page leave and ends the server. Who has not said what they
// want, such as a browser that has connected in advance, is not waited for.
func (l *landing) close() {
	l.listener.Close()
	l.mu.Lock()
	for _, c := range l.crowd {
		c.Close()
	}
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), landingFarewell)
	defer cancel()
	if l.server.Shutdown(ctx) != nil {
		l.server.Close()
	}
	close(l.closed)
}

// admit keeps the crowd in bounds.
func (l *landing) admit(c net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch state {
	case http.StateNew:
		if len(l.crowd) >= landingCrowd {
			l.crowd[0].Close()
			l.crowd = l.crowd[1:]
		}
		l.crowd = append(l.crowd, c)
	case http.StateClosed:
		l.crowd = slices.DeleteFunc(l.crowd, func(o net.Conn) bool { return o == c })
	}
}

type connKey struct{}

// heard takes a connection out of the crowd: it has said what it wants and is
// about to be answered.
func (l *landing) heard(r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := r.Context().Value(connKey{})
	l.crowd = slices.DeleteFunc(l.crowd, func(o net.Conn) bool { return o == c })
}

// ServeHTTP answers a browser.
func (l *landing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.heard(r)
	q := r.URL.Query()
	switch {
	case r.Host != l.host:
		l.show(w, http.StatusMisdirectedRequest, pageForeign())
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		l.show(w, http.StatusMethodNotAllowed, pageForeign())
	case match(r.URL.Path, l.opened):
		l.welcome(w, r)
	case r.URL.Path != "/":
		l.show(w, http.StatusNotFound, pageForeign())
	case !q.Has("state"):
		l.show(w, http.StatusBadRequest, pageForeign())
	default:
		l.arrive(w, r, answer{state: q.Get("state"), code: q.Get("code"), refusal: q.Get("error"), cookie: l.cookieOf(r)})
	}
}

// cookieName is of the cookie that binds a login to the browser that was opened
// for it. A browser has the same cookies for all ports.
func (l *landing) cookieName() string { return "chiltepin_" + strconv.Itoa(l.port) }

func (l *landing) cookieOf(r *http.Request) string {
	c, err := r.Cookie(l.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

// welcome sends the browser that was opened on to Globus Auth. A second
// browser means that somebody else has read the address: the login ends.
func (l *landing) welcome(w http.ResponseWriter, r *http.Request) {
	word, err := randomText(l.flow.manager.config.Rand, 16)
	if err != nil {
		l.flow.end(err)
		l.show(w, http.StatusInternalServerError, pageOf(err))
		return
	}
	l.mu.Lock()
	first := l.cookie == ""
	if first {
		l.cookie = word
	}
	known := match(l.cookie, l.cookieOf(r))
	word = l.cookie
	l.mu.Unlock()
	if !first && !known {
		err := &IntrusionError{}
		l.flow.end(err)
		l.show(w, http.StatusForbidden, pageOf(err))
		return
	}
	l.flow.mu.Lock()
	step := l.flow.step
	l.flow.mu.Unlock()
	if l.flow.done() || step == len(l.flow.groups) {
		l.show(w, http.StatusGone, pageOf(errSpent))
		return
	}
	z, err := l.flow.authorize(step, word)
	if err != nil {
		l.flow.end(err)
		l.show(w, http.StatusInternalServerError, pageOf(err))
		return
	}
	http.SetCookie(w, &http.Cookie{Name: l.cookieName(), Value: word, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	send(w, r, z.url)
}

// arrive takes what came back from Globus Auth. The browser may go away
// meanwhile, but the login does not.
func (l *landing) arrive(w http.ResponseWriter, r *http.Request, a answer) {
	ctx := context.WithoutCancel(r.Context())
	next, err := l.flow.take(ctx, a, false)
	switch {
	case errors.Is(err, errStray):
		l.show(w, http.StatusForbidden, pageOf(err))
	case errors.Is(err, errSpent):
		l.show(w, http.StatusGone, pageOf(err))
	case err != nil:
		l.show(w, http.StatusBadRequest, pageOf(err))
	case next != "":
		send(w, r, next)
	default:
		account, _ := l.flow.manager.Whoami(ctx) // what cannot be read is told by its service
		l.show(w, http.StatusOK, pageDone(account, l.flow.services()))
	}
}

// send leads a browser on. What it came with is not told to where it goes.
func send(w http.ResponseWriter, r *http.Request, to string) {
	guard(w)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// guard keeps a page to itself: nothing from the network, no script, no frame
// around it, no copy.
func guard(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src '"+styleHash()+"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

func (l *landing) show(w http.ResponseWriter, status int, v view) {
	var b strings.Builder
	if err := pageTemplate().Execute(&b, v); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	guard(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String())) // a browser that has gone needs no page
}
