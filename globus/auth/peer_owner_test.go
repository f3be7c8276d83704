package auth_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/globus/auth"
	"chiltepin/globus/sandbox"
)

// stranger is the user id of another account of the machine: nobody's.
const stranger = 65534

// needRoot skips a test that acts as two users where that is not possible,
// which it always is in CI.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("only root can act as two users")
	}
	t.Skip("only root can act as two users")
}

// dialAs connects as another user: its socket is made by a thread with that
// user's id, as each of that user's programs would make it.
func dialAs(uid int, ctx context.Context, network, address string) (net.Conn, error) {
	type dialed struct {
		conn net.Conn
		err  error
	}
	done := make(chan dialed, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this function
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
			done <- dialed{nil, errno}
			return
		}
		if network == "tcp6" {
			conn, err := dialMapped(address)
			done <- dialed{conn, err}
			return
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		done <- dialed{conn, err}
	}()
	d := <-done
	return d.conn, d.err
}

// dialMapped connects to 127.0.0.1 by a socket of IPv6, as Java does.
func dialMapped(address string) (net.Conn, error) {
	at, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "socket")
	defer file.Close()
	to := &syscall.SockaddrInet6{Port: at.Port}
	copy(to.Addr[:], at.IP.To16())
	if err := syscall.Connect(fd, to); err != nil {
		return nil, err
	}
	return net.FileConn(file)
}

// browserAs is a browser of another user.
func (w *world) browserAs(t *testing.T, uid int, network string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	loopback := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		return dialAs(uid, ctx, network, address)
	}}
	return &http.Client{Jar: jar, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Hostname() == "127.0.0.1" {
			return loopback.RoundTrip(r)
		}
		return w.RoundTripper().RoundTrip(r)
	})}
}

// Another user of the machine who has every address of the login is there first
// each time, with an identity of her own: the page refuses her, the login goes
// on, and the person finishes it.
func TestPageOfAnotherUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	person := sandbox.Identity{ID: "11111111-1111-4111-8111-111111111111", Username: "ada@example.org"}
	eve := sandbox.Identity{ID: "22222222-2222-4222-8222-222222222222", Username: "eve@example.org"}
	finishedByEve := 0
	for range 12 {
		w := newWorld(t, sandbox.Options{Identities: []sandbox.Identity{person, eve}})
		var opened string
		w.open = openerTo(&opened)
		m := w.manager(t)
		p := shown(t, m, auth.LoginOptions{})
		for _, address := range []string{opened, p.URL} {
			separator := "?"
			if strings.Contains(address, "?") {
				separator = "&"
			}
			browser := w.browserAs(t, stranger, "tcp4")
			w.Configure(func(s *sandbox.Settings) { s.Identity = eve.ID })
			answer, err := browser.Get(address + separator + "session_required_identities=" + eve.ID)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusForbidden || answer.Request.URL.Hostname() != "127.0.0.1" {
				t.Errorf("the stranger got %d at %s", answer.StatusCode, answer.Request.URL.Host)
			}
		}
		if status, _ := knock("GET", opened[len("http://"):strings.Index(opened, "/login/")], "/"); status != 400 {
			t.Errorf("our own program got %d", status)
		}
		w.Configure(func(s *sandbox.Settings) { s.Identity = person.ID })
		page, err := w.NewBrowser().Visit(opened)
		if err != nil || page.Status != http.StatusOK {
			t.Errorf("the person got %d, %v", page.Status, err)
		}
		result, err := finish(t, m, p)
		if err != nil || result.Identity.ID != person.ID {
			t.Errorf("%+v, %v", result.Identity, err)
		}
		if result.Identity.ID == eve.ID {
			finishedByEve++
		}
	}
	if finishedByEve != 0 {
		t.Errorf("the stranger logged in in %d of 12 rounds", finishedByEve)
	}
}

// A stranger who hangs up at once, or comes by IPv6, is refused too; our own
// programs come by either.
func TestPageOfAStrangersSocket(t *testing.T) {
	t.Parallel()
	needRoot(t)
	w := newWorld(t)
	m := w.manager(t)
	p := shown(t, m, auth.LoginOptions{Method: auth.Browser})
	host, state := callbackServer(t, p)
	for _, network := range []string{"tcp4", "tcp6"} {
		for uid, want := range map[int]int{stranger: 403, os.Geteuid(): 400} {
			answer, err := w.browserAs(t, uid, network).Get("http://" + host + "/")
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != want {
				t.Errorf("%s as user %d: %d, want %d", network, uid, answer.StatusCode, want)
			}
		}
	}
	for _, abrupt := range []bool{false, true} {
		c, err := dialAs(stranger, t.Context(), "tcp4", host)
		if err != nil {
			t.Fatal(err)
		}
		if abrupt {
			_ = c.(*net.TCPConn).SetLinger(0)
		}
		_, _ = c.Write([]byte("GET /?error=access_denied&state=" + state + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"))
		c.Close()
	}
	time.Sleep(200 * time.Millisecond) // both were read
	if page, err := w.NewBrowser().Visit(p.URL); err != nil || page.Status != http.StatusOK {
		t.Error(page.Status, err)
	}
	if result, err := finish(t, m, p); err != nil || len(result.Renewed) != 3 {
		t.Errorf("%+v, %v", result, err)
	}
}

// Where the kernel does not tell whose a connection is, a person is asked before
// anything is stored.
func TestPageOfUnknownOwners(t *testing.T) {
	t.Parallel()
	no := errors.New("that is not me")
	for name, test := range map[string]struct {
		confirm func(context.Context, auth.Doubt) error
		stored  bool
	}{
		"nobody can be asked": {nil, false},
		"no":                  {func(context.Context, auth.Doubt) error { return no }, false},
		"yes":                 {agree, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.proc = t.TempDir() // without tables of sockets
			ended := w.opening(w.NewBrowser())
			asked := 0
			o := auth.LoginOptions{Wait: time.Minute}
			if test.confirm != nil {
				o.Confirm = func(ctx context.Context, d auth.Doubt) error {
					if asked++; !d.Stranger || d.Identity.Username != sandbox.Researcher().Username || d.Replaces.ID != "" {
						t.Errorf("asked %+v", d)
					}
					if left := read(t, w.compute(), "user/production"); len(left) != 0 {
						t.Error("something was stored before")
					}
					return test.confirm(ctx, d)
				}
			}
			result, err := w.manager(t).Login(t.Context(), o)
			if last := <-ended; last.err != nil || (last.page.Status == http.StatusOK) != test.stored {
				t.Errorf("the page: %d, %v", last.page.Status, last.err)
			}
			if test.stored {
				if err != nil || len(result.Renewed) != 3 || asked != 1 {
					t.Errorf("%+v, %v, asked %d times", result, err, asked)
				}
				return
			}
			if !isA[*auth.UnconfirmedError](err) || len(result.Renewed) != 0 || len(w.Unrevoked()) != 0 {
				t.Errorf("%+v, %v, alive: %v", result, err, w.Unrevoked())
			}
		})
	}
}

// At a terminal the question takes the place of the one that waits for a page's
// address, and the login goes on after it.
func TestConfirmAtTerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.proc = t.TempDir()
	w.opening(w.NewBrowser())
	waiting, asked := 0, 0
	result, err := w.manager(t).Login(t.Context(), auth.LoginOptions{
		Method: auth.Browser,
		Ask: func(ctx context.Context, _ string) (string, error) {
			waiting++
			<-ctx.Done()
			waiting--
			return "", ctx.Err()
		},
		Confirm: func(context.Context, auth.Doubt) error {
			if asked++; waiting != 0 {
				t.Error("the terminal is asked for two things")
			}
			return nil
		},
	})
	if err != nil || len(result.Renewed) != 3 || asked != 1 {
		t.Errorf("%+v, %v, asked %d times", result, err, asked)
	}
}

// A face that has to end its call to ask a person calls again with the answer:
// the login waits for it, whether a browser or a code brought it.
func TestConfirmByAnotherCall(t *testing.T) {
	t.Parallel()
	ada := sandbox.Identity{ID: "11111111-1111-4111-8111-111111111111", Username: "ada@example.org", Name: "Ada"}
	bob := sandbox.Identity{ID: "22222222-2222-4222-8222-222222222222", Username: "bob@example.org", Name: "Bob"}
	for _, method := range []string{auth.Browser, auth.Paste} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{Identities: []sandbox.Identity{ada, bob}})
			m := w.manager(t)
			w.login(t, m)
			w.Configure(func(s *sandbox.Settings) { s.Identity = bob.ID })
			p := shown(t, m, auth.LoginOptions{Method: method, Force: true})
			o := auth.LoginOptions{Flow: p.Flow, Wait: time.Minute}
			visited := make(chan error, 1)
			if method == auth.Browser {
				go func() {
					_, err := w.NewBrowser().Visit(p.URL + "&session_required_identities=" + bob.ID)
					visited <- err
				}()
			} else {
				o.Code = w.AuthorizeCode(p.URL + "&session_required_identities=" + bob.ID)
				visited <- nil
			}
			o.Confirm = func(context.Context, auth.Doubt) error { return auth.ErrUnanswered }
			if _, err := m.Login(t.Context(), o); !errors.Is(err, auth.ErrUnanswered) {
				t.Fatal(err)
			}
			if who, _ := m.Whoami(t.Context()); who.Identity.ID != ada.ID {
				t.Errorf("%+v before the answer", who.Identity)
			}
			o.Confirm = agree
			result, err := m.Login(t.Context(), o)
			if result.Pending != nil && method == auth.Paste {
				o.Code = w.AuthorizeCode(result.Pending.URL + "&session_required_identities=" + bob.ID)
				result, err = m.Login(t.Context(), o)
			}
			if err != nil || result.Pending != nil || result.Identity.ID != bob.ID {
				t.Errorf("%+v, %v", result, err)
			}
			if err := <-visited; err != nil {
				t.Error(err)
			}
		})
	}
}
