package sandboxtest

import (
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
)

// Browser is a person's browser without its screen: it keeps cookies, goes
// where it is sent, reaches the sandbox under the production names and
// listeners on loopback by the network.
type Browser struct {
	client *http.Client
	box    *Box
}

// NewBrowser returns a browser in which nobody is signed in.
func (b *Box) NewBrowser() *Browser {
	b.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	loopback := &http.Transport{DisableKeepAlives: true}
	b.t.Cleanup(loopback.CloseIdleConnections)
	via := roundTripper(func(r *http.Request) (*http.Response, error) {
		if ip := net.ParseIP(r.URL.Hostname()); ip != nil && ip.IsLoopback() {
			return loopback.RoundTrip(r)
		}
		return b.RoundTripper().RoundTrip(r)
	})
	return &Browser{client: &http.Client{Transport: via, Jar: jar}, box: b}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// LoginPage is what a browser ended at.
type LoginPage struct {
	URL    *url.URL
	Status int
	Header http.Header
	Text   string
}

// Visit goes to an address and on from there, and returns the last page.
func (br *Browser) Visit(address string) (LoginPage, error) {
	r, err := http.NewRequestWithContext(br.box.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		return LoginPage{}, err
	}
	answer, err := br.client.Do(r)
	if err != nil {
		return LoginPage{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return LoginPage{URL: answer.Request.URL, Status: answer.StatusCode, Header: answer.Header, Text: string(text)}, err
}

// SignIns counts how often somebody had to sign in, according to the journal.
func (b *Box) SignIns() int {
	n := 0
	for _, e := range b.Journal() {
		if e.IsEvent("sign-in", "") {
			n++
		}
	}
	return n
}
