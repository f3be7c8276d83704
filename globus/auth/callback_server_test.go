package auth_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chiltepin/globus/auth"
	"chiltepin/globus/sandbox"
)

// callbackServer is the page of a login that waits: its host, and the state
// that it issued.
func callbackServer(t *testing.T, p auth.Pending) (host, state string) {
	t.Helper()
	u, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(u.Query().Get("redirect_uri"))
	if err != nil || back.Hostname() != "127.0.0.1" {
		t.Fatal(back, err)
	}
	return back.Host, u.Query().Get("state")
}

// knock sends one request to a page, as any program on the machine can; the
// status is 0 when it got no answer.
func knock(method, host, target string, header ...string) (int, string) {
	c, err := net.Dial("tcp", host)
	if err != nil {
		return 0, "" // the login is over
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	name := host
	if len(header) > 0 {
		name = header[0]
	}
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n", method, target, name, strings.Join(header[min(1, len(header)):], ""))
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text)
}

// Whatever others on the machine, or pages of other origins, send to the page
// does nothing, tells nothing, and does not keep the person from logging in.
func TestPageAgainstStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.manager(t)
	p := shown(t, m, auth.LoginOptions{})
	host, state := callbackServer(t, p)
	other := newWorld(t)
	_, foreign := callbackServer(t, shown(t, other.manager(t), auth.LoginOptions{}))
	for name, test := range map[string]struct {
		method, target string
		header         []string
		want           int
	}{
		"no state":            {"GET", "/?code=abc", nil, 400},
		"nothing":             {"GET", "/", nil, 400},
		"empty state":         {"GET", "/?code=abc&state=", nil, 403},
		"wrong state":         {"GET", "/?code=abc&state=wrong", nil, 403},
		"state of another":    {"GET", "/?code=abc&state=" + foreign, nil, 403},
		"denial of another":   {"GET", "/?error=access_denied&state=" + foreign, nil, 403},
		"rebinding":           {"GET", "/?code=abc&state=" + state, []string{"evil.example"}, 421},
		"rebinding with port": {"GET", "/?code=abc&state=" + state, []string{"evil.example:" + host[strings.LastIndex(host, ":")+1:]}, 421},
		"localhost":           {"GET", "/?code=abc&state=" + state, []string{"localhost:" + host[strings.LastIndex(host, ":")+1:]}, 421},
		"post":                {"POST", "/?code=abc&state=" + state, nil, 405},
		"head":                {"HEAD", "/?code=abc&state=" + state, nil, 405},
		"preflight":           {"OPTIONS", "/?code=abc&state=" + state, nil, 405},
		"another path":        {"GET", "/x?code=abc&state=" + state, nil, 404},
		"guessed address":     {"GET", "/login/guess", nil, 404},
		"huge header":         {"GET", "/", []string{host, "X: " + strings.Repeat("x", 64<<10) + "\r\n"}, 431},
		"nonsense":            {"\x16\x03\x01", "\x00", nil, 400},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := knock(test.method, host, test.target, test.header...)
			if status != test.want {
				t.Errorf("%d, want %d", status, test.want)
			}
			if strings.Contains(text, state) || strings.Contains(text, "researcher") {
				t.Errorf("the answer tells something:\n%s", text)
			}
		})
	}
	page, err := w.NewBrowser().Visit(p.URL)
	if err != nil || page.Status != 200 {
		t.Error(page, err)
	}
	// The same address again.
	if status, text := knock("GET", host, page.URL.RequestURI()); status != 0 && (status != 410 || !strings.Contains(text, "This page was used already")) {
		t.Errorf("%d\n%s", status, text)
	}
	if result, err := finish(t, m, p); err != nil || len(result.Renewed) != 3 {
		t.Errorf("%+v, %v", result, err)
	}
}

// An address that was used does not work again, while the login goes on.
func TestPageReplayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Configure(func(s *sandbox.Settings) { s.Consent = "ask" })
	m := w.manager(t)
	p := shown(t, m, auth.LoginOptions{})
	host, state := callbackServer(t, p)
	b := w.NewBrowser()
	page, err := b.Visit(p.URL + "&sandbox_consent=auto") // now at the consent of the second
	if err != nil || page.URL.Host == host {
		t.Fatal(page, err)
	}
	for _, target := range []string{"/?code=abc&state=" + state, "/?error=access_denied&state=" + state} {
		if status, text := knock("GET", host, target); status != 410 || !strings.Contains(text, "<h1 class=\"bad\">") {
			t.Errorf("%s: %d\n%s", target, status, text)
		}
	}
	if page, err = b.Visit(page.URL.String() + "&sandbox_consent=auto"); err != nil || page.Status != 200 {
		t.Error(page, err)
	}
	if result, err := finish(t, m, p); err != nil || len(result.Renewed) != 3 {
		t.Errorf("%+v, %v", result, err)
	}
}

// A crowd that holds its connections open, or sends a thousand requests, keeps
// nobody out.
func TestPageInACrowd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.manager(t)
	p := shown(t, m, auth.LoginOptions{})
	host, _ := callbackServer(t, p)
	for i := range 200 {
		c, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if i%2 == 0 {
			fmt.Fprint(c, "GET / HT") // and no more
		}
	}
	var refused atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 125 {
				if status, _ := knock("GET", host, "/?code=abc&state=wrong"); status == 403 {
					refused.Add(1)
				}
			}
		})
	}
	page, err := w.NewBrowser().Visit(p.URL)
	if err != nil || page.Status != 200 {
		t.Error(page.Status, err)
	}
	all.Wait()
	if refused.Load() == 0 {
		t.Error("nobody in the crowd was answered")
	}
	if result, err := finish(t, m, p); err != nil || len(result.Renewed) != 3 {
		t.Errorf("%+v, %v", result, err)
	}
}

// Who reads the address that a browser was opened with, and is there first,
// ends the login; who comes later ends it too.
func TestPageOfAnotherBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var opened string
	w.open = openerTo(&opened)
	m := w.manager(t)
	p := shown(t, m, auth.LoginOptions{})
	if !strings.Contains(opened, "/login/") || strings.Contains(opened, "?") {
		t.Fatalf("opened with %s", opened)
	}
	w.Configure(func(s *sandbox.Settings) { s.Consent = "ask" })
	thief, owner := w.NewBrowser(), w.NewBrowser()
	if page, err := thief.Visit(opened); err != nil || !strings.Contains(page.Text, "would like access") {
		t.Fatal(page, err)
	}
	page, err := owner.Visit(opened)
	if err != nil || page.Status != 403 || !strings.Contains(page.Text, "Somebody else opened this address") {
		t.Errorf("%d %v\n%s", page.Status, err, page.Text)
	}
	if result, err := finish(t, m, p); !isA[*auth.IntrusionError](err) || len(result.Renewed) != 0 {
		t.Errorf("%+v, %v", result, err)
	}

	// The state that the opened browser got is good in that browser alone.
	p = shown(t, m, auth.LoginOptions{})
	host, _ := callbackServer(t, p)
	page, err = owner.Visit(opened)
	if err != nil {
		t.Fatal(err)
	}
	state := page.URL.Query().Get("state")
	if status, _ := knock("GET", host, "/?code=abc&state="+state); status != 403 {
		t.Errorf("a browser without the cookie: %d", status)
	}
	// Coming twice with the same browser is no intrusion.
	if page, err = owner.Visit(opened); err != nil || page.Status != 200 {
		t.Fatal(page, err)
	}
	w.Configure(func(s *sandbox.Settings) { s.Consent = "auto" })
	if page, err = owner.Visit(page.URL.String()); err != nil || page.Status != 200 || page.URL.Host != host {
		t.Error(page, err)
	}
	if result, err := finish(t, m, p); err != nil || len(result.Renewed) != 3 {
		t.Errorf("%+v, %v", result, err)
	}
}
