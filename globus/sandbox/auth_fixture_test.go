package sandbox_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"chiltepin/globus/sandbox/sandboxtest"
)

const (
	chiltepinApp = "7d8b6bed-4a3d-4bf7-93c5-9fc58569e4e5"
	computeApp   = "4cf29807-cf21-49ec-9443-ff9a3fb9f81c"
	codePage     = "https://auth.globus.org/v2/web/auth-code"
	computeAll   = "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all"
	verifier     = "0123456789012345678901234567890123456789abc"
)

// authorizeURL asks for the scopes of a Compute login, changed by the pairs.
func authorizeURL(pairs ...string) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {chiltepinApp}, "redirect_uri": {codePage}, "response_type": {"code"},
		"scope": {"openid " + computeAll + " urn:globus:auth:scope:auth.globus.org:manage_projects"},
		"state": {"_default"}, "access_type": {"offline"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return "https://auth.globus.org/v2/oauth2/authorize?" + q.Encode()
}

// codeForm is the exchange of such a code, changed by the pairs.
func codeForm(code string, pairs ...string) url.Values {
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {chiltepinApp}, "code": {code},
		"code_verifier": {verifier}, "redirect_uri": {codePage},
	}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

type tokens struct {
	Access  string   `json:"access_token"`
	Refresh string   `json:"refresh_token"`
	ID      string   `json:"id_token"`
	Server  string   `json:"resource_server"`
	Scope   string   `json:"scope"`
	Expires int      `json:"expires_in"`
	Error   string   `json:"error"`
	Other   []tokens `json:"other_tokens"`
}

// post sends a form to Auth, with Basic auth when id is not empty.
func post(t *testing.T, c *http.Client, path string, form url.Values, id, secret string) (int, tokens) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "https://auth.globus.org"+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if id != "" {
		r.SetBasicAuth(id, secret)
	}
	var out tokens
	return send(t, c, r, &out), out
}

// send returns the status and decodes a JSON answer.
func send(t *testing.T, c *http.Client, r *http.Request, into any) int {
	t.Helper()
	answer, err := c.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			t.Fatalf("%s %s answered %s: %v", r.Method, r.URL.Path, body, err)
		}
	}
	return answer.StatusCode
}

// call is a JSON request with a bearer token.
func call(t *testing.T, c *http.Client, method, url, token, body string, into any) int {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return send(t, c, r, into)
}

// login goes through the paste flow and returns what it gives.
func login(t *testing.T, b *sandboxtest.Box) tokens {
	t.Helper()
	status, got := post(t, b.Client(), "/v2/oauth2/token", codeForm(b.AuthorizeCode(authorizeURL())), "", "")
	if status != http.StatusOK {
		t.Fatalf("the code was refused: %d %s", status, got.Error)
	}
	return got
}

func lastError(b *sandboxtest.Box) string {
	all := b.Journal()
	return all[len(all)-1].Error
}
