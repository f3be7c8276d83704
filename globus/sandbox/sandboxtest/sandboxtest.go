// Package sandboxtest starts a globus/sandbox for a test: listeners on free
// loopback ports, everything closed when the test ends, and short ways to what
// tests ask of it. It never touches the test's own environment.
package sandboxtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"chiltepin/globus/sandbox"
)

// Box is a running sandbox of one test. The methods of sandbox.Sandbox are
// its own: Order, Journal, State, Configure, Client, RoundTripper and so on.
type Box struct {
	*sandbox.Sandbox
	t testing.TB
}

// sharedSigningKey is one for all sandboxes of a test run.
var sharedSigningKey = sync.OnceValues(sandbox.NewSigningKey)

// Start starts a sandbox with listeners for child processes. At most one
// Options may be given.
func Start(t testing.TB, options ...sandbox.Options) *Box {
	t.Helper()
	b := New(t, options...)
	if err := b.Sandbox.Start(); err != nil {
		t.Fatalf("starting the sandbox: %v", err)
	}
	return b
}

// New makes a sandbox without listeners, for clients in this process (Client,
// RoundTripper); it may be used inside a testing/synctest bubble.
func New(t testing.TB, options ...sandbox.Options) *Box {
	t.Helper()
	var o sandbox.Options
	switch len(options) {
	case 0:
	case 1:
		o = options[0]
	default:
		t.Fatal("sandboxtest: more than one Options")
	}
	if o.Settings.StartTimeout == 0 {
		o.Settings.StartTimeout = 10 * time.Minute // on a machine that has much else to do
	}
	if o.SigningKey == nil {
		o.SigningKey = sharedSigningKey
	}
	s := sandbox.New(o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the sandbox: %v", err)
		}
	})
	return &Box{Sandbox: s, t: t}
}

// ChildEnv is the whole environment for a child process: this process's with
// the sandbox's variables and [Patience], then more, later ones winning.
func (b *Box) ChildEnv(more ...string) []string {
	return append(append(b.Environ(os.Environ()), Patience), more...)
}

// Patience is a variable that has the Globus programs wait for an answer of the
// sandbox for as long as a loaded machine takes: it answers when it can.
const Patience = "GLOBUS_SDK_HTTP_TIMEOUT=900"

// ClientCredentials registers a confidential client and returns the variables
// that make the Globus programs log in as it.
func (b *Box) ClientCredentials() []string {
	c := b.NewConfidentialClient("test client")
	return []string{"GLOBUS_COMPUTE_CLIENT_ID=" + c.ID, "GLOBUS_COMPUTE_CLIENT_SECRET=" + c.Secret}
}

// AuthorizeCode does what the person in the browser does with an authorize
// URL, consents, and returns the authorization code.
func (b *Box) AuthorizeCode(authorizeURL string) string {
	b.t.Helper()
	code, err := Consent(b.t.Context(), b.RoundTripper(), authorizeURL)
	if err != nil {
		b.t.Fatalf("consenting: %v", err)
	}
	return code
}

// Consent is AuthorizeCode for a caller that handles the error itself, such as
// a login's Ask function. It is a new browser each time; see [Box.NewBrowser]
// for one that stays signed in.
func Consent(ctx context.Context, via http.RoundTripper, authorizeURL string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSpace(authorizeURL), nil)
	if err != nil {
		return "", err
	}
	answer, err := via.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	back, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || answer.StatusCode != http.StatusFound {
		return "", fmt.Errorf("the authorize page answered %s", answer.Status)
	}
	if code := back.Query().Get("code"); code != "" {
		return code, nil
	}
	return "", errors.New("the authorize page refused: " + back.Query().Get("error"))
}

// Await fails the test unless an entry that match accepts is in the journal
// within limit, and returns the first such.
func (b *Box) Await(limit time.Duration, what string, match func(sandbox.Entry) bool) sandbox.Entry {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), limit)
	defer cancel()
	e, err := b.Sandbox.Await(ctx, 0, match)
	if err != nil {
		b.t.Fatalf("waiting %s for %s: %v", limit, what, err)
	}
	return e
}

// Requests returns the journal's requests of a method to a path, in which *
// stands for any run without a slash.
func (b *Box) Requests(method, path string) []sandbox.Entry {
	var out []sandbox.Entry
	for _, e := range b.Journal() {
		if e.IsRequest(method, path) {
			out = append(out, e)
		}
	}
	return out
}

// Unrevoked returns the labels of the tokens that were issued and never
// revoked, according to the journal.
func (b *Box) Unrevoked() []string {
	return sandbox.Unrevoked(b.Journal())
}
