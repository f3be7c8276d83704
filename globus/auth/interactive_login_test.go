package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/auth"
	"chiltepin/globus/next"
	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

// visit is a browser that is sent somewhere, and what it ended at.
type visit struct {
	page sandboxtest.LoginPage
	err  error
}

// opening makes every login of w open this browser; where it ended at comes out
// of the channel.
func (w *world) opening(b *sandboxtest.Browser) <-chan visit {
	ended := make(chan visit, 4)
	w.open = func(_ context.Context, url string) (func(), error) {
		go func() {
			page, err := b.Visit(url)
			ended <- visit{page, err}
		}()
		return nil, nil
	}
	return ended
}

// shown begins a login without a terminal, and returns the address that the
// person gets.
func shown(t *testing.T, m *auth.Manager, o auth.LoginOptions) auth.Pending {
	t.Helper()
	if o.Method == "" {
		o.Method = auth.Browser
	}
	o.Wait = time.Nanosecond
	result, err := m.Login(t.Context(), o)
	if err != nil || result.Pending == nil {
		t.Fatalf("want a login that waits, got %+v, %v", result, err)
	}
	return *result.Pending
}

// finish goes on with a login until it ends.
func finish(t *testing.T, m *auth.Manager, p auth.Pending) (auth.LoginResult, error) {
	t.Helper()
	return m.Login(t.Context(), auth.LoginOptions{Flow: p.Flow, Wait: time.Minute})
}

// One visit: the person signs in once, for three services and two clients.
func TestLoginInOneVisit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ended := w.opening(w.NewBrowser())
	m := w.manager(t)
	result, err := m.Login(t.Context(), auth.LoginOptions{Wait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"compute", "transfer", "academy"}, result.Renewed); diff != "" || result.Pending != nil {
		t.Error("renewed", diff, result.Pending)
	}
	if n := w.SignIns(); n != 1 {
		t.Errorf("%d sign-ins, want 1", n)
	}
	var clients []string
	for _, e := range w.Requests("GET", "/v2/oauth2/authorize") {
		clients = append(clients, e.ClientID)
	}
	if diff := cmp.Diff([]string{chiltepin, academy}, clients); diff != "" {
		t.Error("authorizations", diff)
	}
	last := <-ended
	if last.err != nil || last.page.Status != http.StatusOK {
		t.Fatal(last.page.Status, last.err)
	}
	for _, want := range []string{
		"<title>You are logged in - Chiltepin</title>", `<html lang="en">`,
		"You are <strong>Robin Researcher (researcher@sandbox.example)</strong>.",
		`<th scope="row">Globus Compute</th><td>you log out, or six months without use</td>`,
		`<th scope="row">Academy exchange</th>`, "You can close this page", "To set up a first endpoint:", "do endpoint.start map[name:my-endpoint]",
	} {
		if !strings.Contains(last.page.Text, want) {
			t.Errorf("the page lacks %q:\n%s", want, last.page.Text)
		}
	}
	for _, never := range []string{"<script", "http:", "https:", "javascript"} {
		if strings.Contains(last.page.Text, never) {
			t.Errorf("the page has %q", never)
		}
	}
	h := last.page.Header
	if policy := h.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers: %v", h)
	}
	if leaks := w.Leaks(last.page.Text); len(leaks) != 0 {
		t.Errorf("the page shows %v", leaks)
	}
	if left := w.Unrevoked(); len(left) != 10 { // of five resource servers, access and refresh
		t.Errorf("alive: %v", left)
	}
	// The page is gone with the login.
	if _, err := http.Get(last.page.URL.String()); err == nil {
		t.Error("the page is still served")
	}
}

// With a terminal the address is shown too, and what a browser elsewhere could
// not reach is pasted.
func TestLoginInABrowserElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.manager(t)
	var at []string
	asked := 0
	result, err := m.Login(t.Context(), auth.LoginOptions{
		Method: auth.Browser,
		Show:   func(_ context.Context, url string) error { at = append(at, url); return nil },
		Ask: func(ctx context.Context, address string) (string, error) {
			if asked++; address != "" {
				t.Errorf("asked for a code of %s", address)
			}
			u, _ := url.Parse(at[len(at)-1])
			code, err := w.ask(ctx, u.String())
			return u.Query().Get("redirect_uri") + "/?" + url.Values{"code": {code}, "state": {u.Query().Get("state")}}.Encode(), err
		},
	})
	if err != nil || len(result.Renewed) != 3 || asked != 2 || len(at) != 2 {
		t.Errorf("%+v, %v, asked %d, shown %d", result, err, asked, len(at))
	}
	for _, address := range at {
		u, _ := url.Parse(address)
		if back := u.Query().Get("redirect_uri"); !strings.HasPrefix(back, "http://127.0.0.1:") || strings.Count(back, "/") != 2 {
			t.Errorf("the way back is %q", back)
		}
	}
}

// A person who pastes gets one address at a time, and signs in once.
func TestPasteInOneBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.NewBrowser()
	var codes []string
	result, err := w.manager(t).Login(t.Context(), auth.LoginOptions{Ask: func(_ context.Context, address string) (string, error) {
		page, err := b.Visit(address)
		_, code, _ := strings.Cut(page.Text, `<code id="auth-code">`)
		code, _, _ = strings.Cut(code, "<")
		codes = append(codes, code)
		return code, err
	}})
	if err != nil || len(result.Renewed) != 3 || len(codes) != 2 {
		t.Errorf("%+v, %v, %d codes", result, err, len(codes))
	}
	if n := w.SignIns(); n != 1 {
		t.Errorf("%d sign-ins, want 1", n)
	}
}

// Without a terminal the login is handed out, and gone on with by its handle:
// one address at a time, and a mistyped code ends nothing.
func TestPasteThroughCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.manager(t)
	p := shown(t, m, auth.LoginOptions{Method: auth.Paste})
	if p.Flow == "" || !strings.HasPrefix(p.URL, "https://auth.globus.org/v2/oauth2/authorize?") || len(p.Next) != 2 || !strings.Contains(p.Next[0].Why, "copy the code that the page shows") || p.Next[1].Operation != next.Login || p.Next[1].Args["flow"] != p.Flow {
		t.Errorf("%+v", p)
	}
	// A second caller joins, whatever it was begun with.
	if q := shown(t, w.manager(t), auth.LoginOptions{Method: auth.Paste, Services: []string{"transfer"}}); !cmp.Equal(q, p) {
		t.Errorf("a second caller got %+v, want %+v", q, p)
	}
	bring := func(code string) (auth.LoginResult, error) {
		return w.manager(t).Login(t.Context(), auth.LoginOptions{Flow: p.Flow, Code: code})
	}
	if _, err := bring("mistyped"); !isA[*auth.CodeError](err) {
		t.Error(err)
	}
	result, err := bring(w.AuthorizeCode(p.URL))
	if err != nil || result.Pending == nil || result.Pending.Flow != p.Flow || result.Pending.URL == p.URL {
		t.Fatalf("%+v, %v", result, err)
	}
	result, err = bring(w.AuthorizeCode(result.Pending.URL))
	if err != nil || result.Pending != nil || len(result.Renewed) != 3 {
		t.Errorf("%+v, %v", result, err)
	}
	for _, o := range []auth.LoginOptions{{Flow: "wrong"}, {Flow: "wrong", Code: "abc"}} {
		if _, err := m.Login(t.Context(), o); !errors.Is(err, auth.ErrNoFlow) {
			t.Error(err)
		}
	}
	if again, err := m.Login(t.Context(), auth.LoginOptions{}); err != nil || again.Pending != nil || len(again.Renewed) != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
}

// The second address is shown as the first was, and a call that had to be made
// again for that does not bring its code twice.
func TestPasteShownTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.remote = true
	again := errors.New("ask the person, and call again")
	var at []string
	show := func(ready bool) func(context.Context, string) error {
		return func(_ context.Context, url string) error {
			if !ready {
				return again
			}
			at = append(at, url)
			return nil
		}
	}
	m := w.manager(t)
	do := func(o auth.LoginOptions) (auth.LoginResult, error) {
		t.Helper()
		o.Show = show(false)
		if _, err := m.Login(t.Context(), o); !errors.Is(err, again) {
			t.Errorf("the first round: %v", err)
		}
		o.Show = show(true)
		return m.Login(t.Context(), o)
	}
	result, err := do(auth.LoginOptions{})
	if err != nil || result.Pending == nil {
		t.Fatal(result, err)
	}
	result, err = do(auth.LoginOptions{Flow: result.Pending.Flow, Code: w.AuthorizeCode(at[0])})
	if err != nil || result.Pending == nil || len(at) != 2 || at[1] != result.Pending.URL || at[1] == at[0] {
		t.Fatalf("%+v, %v, shown %q", result, err, at)
	}
	result, err = m.Login(t.Context(), auth.LoginOptions{Flow: result.Pending.Flow, Code: w.AuthorizeCode(at[1]), Show: show(true)})
	if err != nil || len(result.Renewed) != 3 || len(at) != 2 {
		t.Errorf("%+v, %v, shown %q", result, err, at)
	}
}

// A program that shows the address decides what happens then.
func TestLoginShown(t *testing.T) {
	t.Parallel()
	declined := errors.New("declined")
	for name, test := range map[string]struct {
		err     error
		remote  bool
		pending bool
		back    string
	}{
		"shown":        {nil, false, true, "http://127.0.0.1"},
		"shown by ssh": {nil, true, true, "https://auth.globus.org"},
		"not shown":    {auth.ErrNotShown, false, true, "http://127.0.0.1"},
		"declined":     {declined, false, false, "http://127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.remote = test.remote
			var shown string
			result, err := w.manager(t).Login(t.Context(), auth.LoginOptions{Wait: time.Nanosecond, Show: func(_ context.Context, url string) error {
				shown = url
				return test.err
			}})
			u, _ := url.Parse(shown)
			if (result.Pending != nil) != test.pending || !strings.HasPrefix(u.Query().Get("redirect_uri"), test.back) || (err != nil) == test.pending {
				t.Errorf("%+v, %v, shown %s", result, err, shown)
			}
		})
	}
}

// Where nobody can paste, the browser still ends the login.
func TestLoginInABrowserWithoutInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.opening(w.NewBrowser())
	result, err := w.manager(t).Login(t.Context(), auth.LoginOptions{
		Ask: func(context.Context, string) (string, error) { return "", errors.New("standard input is at its end") },
	})
	if err != nil || len(result.Renewed) != 3 {
		t.Errorf("%+v, %v", result, err)
	}
}

// What a person can do wrong, and what the page says then.
func TestLoginPages(t *testing.T) {
	t.Parallel()
	ada := sandbox.Identity{ID: "11111111-1111-4111-8111-111111111111", Username: "ada@example.org"}
	bob := sandbox.Identity{ID: "22222222-2222-4222-8222-222222222222", Username: "bob@example.org"}
	for name, test := range map[string]struct {
		prepare func(t *testing.T, w *world)
		title   string
		status  int
		err     func(error) bool
	}{
		"denied": {func(_ *testing.T, w *world) {
			w.Configure(func(s *sandbox.Settings) { s.Consent = "deny" })
		}, "Access was declined", 400, isA[*auth.DeniedError]},
		"another identity": {func(t *testing.T, w *world) {
			w.login(t, w.manager(t), auth.Compute, auth.Transfer)
			w.Configure(func(s *sandbox.Settings) { s.Identity = bob.ID })
			w.env["GLOBUS_COMPUTE_CLIENT_ID"] = olderChiltepin // not logged in as that
		}, "Another identity is logged in", 400, isA[*auth.IdentityError]},
		"expired": {func(_ *testing.T, w *world) {
			w.Configure(func(s *sandbox.Settings) { s.CodeLifetime = time.Nanosecond })
		}, "The login has expired", 400, isA[*auth.CodeError]},
		"unreachable": {func(_ *testing.T, w *world) {
			w.Order(sandbox.Fault{Path: "/v2/oauth2/token", Status: 503, Header: map[string]string{"Retry-After": "3600"}})
		}, "Globus cannot be reached", 400, func(error) bool { return true }},
		"less than asked": {func(_ *testing.T, w *world) {
			body := `{"access_token":"a","resource_server":"auth.globus.org","scope":"openid","expires_in":9,"token_type":"Bearer","other_tokens":[]}`
			w.Order(sandbox.Fault{Path: "/v2/oauth2/token", Body: &body})
		}, "The login did not succeed", 400, isA[*auth.UnexpectedResponseError]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{Identities: []sandbox.Identity{ada, bob}})
			test.prepare(t, w)
			m := w.manager(t)
			p := shown(t, m, auth.LoginOptions{})
			page, err := w.NewBrowser().Visit(p.URL)
			if err != nil || page.Status != test.status || !strings.Contains(page.Text, "<title>"+test.title+" - Chiltepin</title>") || !strings.Contains(page.Text, `class="bad"`) {
				t.Errorf("%d %v\n%s", page.Status, err, page.Text)
			}
			if got := strings.Contains(page.Text, "do logout"); got != (name == "another identity") {
				t.Errorf("the page names a logout: %v\n%s", got, page.Text)
			}
			result, err := finish(t, m, p)
			if err == nil || !test.err(err) || len(result.Renewed) != 0 {
				t.Errorf("%+v, %v", result, err)
			}
			if leaks := w.Leaks(page.Text); len(leaks) != 0 {
				t.Errorf("the page shows %v", leaks)
			}
		})
	}
}

func isA[E error](err error) bool { _, ok := errors.AsType[E](err); return ok }

// A denial of the second authorization leaves the first login as it is.
func TestLoginDeniedHalfway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Configure(func(s *sandbox.Settings) { s.Consent = "ask" })
	m := w.manager(t)
	p := shown(t, m, auth.LoginOptions{})
	b := w.NewBrowser()
	page, err := b.Visit(p.URL + "&sandbox_consent=auto")
	if err != nil || !strings.Contains(page.Text, "Academy would like access") {
		t.Fatal(page.Text, err)
	}
	page, err = b.Visit(page.URL.String() + "&sandbox_consent=deny")
	if err != nil || !strings.Contains(page.Text, "Earlier logins are unchanged") {
		t.Error(page.Text, err)
	}
	result, err := finish(t, m, p)
	if !isA[*auth.DeniedError](err) || !slices.Equal(result.Renewed, []string{"compute", "transfer"}) || !loggedIn(m, auth.Compute) || loggedIn(m, auth.Academy) {
		t.Errorf("%+v, %v", result, err)
	}
}

// A port that is taken is told before anybody is asked.
func TestLoginPort(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.manager(t)
	p := shown(t, m, auth.LoginOptions{})
	u, _ := url.Parse(p.URL)
	back, _ := url.Parse(u.Query().Get("redirect_uri"))
	other := newWorld(t)
	port := 0
	for _, c := range back.Port() {
		port = port*10 + int(c-'0')
	}
	if _, err := other.manager(t).Login(t.Context(), auth.LoginOptions{Port: port}); !isA[*auth.PortError](err) {
		t.Error(err)
	}
	// Our own login moves out of the way of its successor.
	q := shown(t, m, auth.LoginOptions{Port: port, Force: true})
	if _, err := finish(t, m, p); !errors.Is(err, auth.ErrNoFlow) {
		t.Error("the login that was replaced:", err)
	}
	if page, err := w.NewBrowser().Visit(q.URL); err != nil || page.Status != 200 {
		t.Error(page, err)
	}
}

// openerTo is a browser that only notes where it was sent.
func openerTo(where *string) func(context.Context, string) (func(), error) {
	return func(_ context.Context, url string) (func(), error) {
		*where = url
		return nil, nil
	}
}
