package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	get := func(url string) (*http.Response, url.Values) {
		t.Helper()
		r, _ := http.NewRequest(http.MethodGet, url, nil)
		answer, err := b.RoundTripper().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := answer.Location()
		if err != nil {
			return answer, nil
		}
		return answer, back.Query()
	}
	// These must not send the browser to whoever asked.
	for _, pairs := range [][]string{
		{"client_id", "00000000-0000-4000-8000-000000000000"},
		{"redirect_uri", "https://evil.example/v2/web/auth-code"},
		{"redirect_uri", "https://evil.example/"},
		{"redirect_uri", "ftp://127.0.0.1/"},
	} {
		if answer, _ := get(authorizeURL(pairs...)); answer.StatusCode != 400 || answer.Header.Get("Location") != "" {
			t.Errorf("%v: %d to %q", pairs, answer.StatusCode, answer.Header.Get("Location"))
		}
	}
	tests := []struct {
		code  string
		pairs []string
	}{
		{"unsupported_response_type", []string{"response_type", "token"}},
		{"invalid_scope", []string{"scope", "nonsense"}},
		{"invalid_scope", []string{"scope", ""}},
		{"invalid_request", []string{"code_challenge", ""}},
		{"invalid_request", []string{"code_challenge", "short"}},
		{"invalid_request", []string{"code_challenge_method", "plain"}},
		{"access_denied", []string{"session_required_identities", "nobody"}},
	}
	for _, tt := range tests {
		if _, q := get(authorizeURL(tt.pairs...)); q.Get("error") != tt.code || q.Get("state") != "_default" || q.Get("code") != "" {
			t.Errorf("%v: %v, want %s", tt.pairs, q, tt.code)
		}
	}
	b.Configure(func(s *sandbox.Settings) { s.Consent = "deny" })
	if _, q := get(authorizeURL("redirect_uri", "http://127.0.0.1:9/cb?a=b")); q.Get("error") != "access_denied" || q.Get("a") != "b" {
		t.Errorf("deny: %v", q)
	}
	b.Configure(func(s *sandbox.Settings) { s.Consent = "ask" })
	answer, _ := get(authorizeURL())
	page, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != 200 || !strings.Contains(string(page), "Chiltepin would like access") {
		t.Errorf("ask: %d %s", answer.StatusCode, page)
	}
	if _, q := get(authorizeURL("sandbox_consent", "auto")); q.Get("code") == "" {
		t.Errorf("Allow gives no code: %v", q)
	}
}

func TestAuthCodePageShowsTheCode(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	answer, err := b.Client().Get(authorizeURL()) // follows to the page, as a browser
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(answer.Body)
	_, rest, found := strings.Cut(string(page), `<code id="auth-code">`)
	code, _, closed := strings.Cut(rest, "</code>")
	if !found || !closed {
		t.Fatalf("no code in %s", page)
	}
	if status, got := post(t, b.Client(), "/v2/oauth2/token", codeForm(code), "", ""); status != 200 {
		t.Errorf("the page's code was refused: %s", got.Error)
	}
}
