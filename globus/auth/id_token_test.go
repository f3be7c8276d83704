package auth_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"chiltepin/globus"
	"chiltepin/globus/auth"
)

// notary is a Globus Auth that signs what it is told to.
type notary struct {
	issuer, jwks string
	keys         []*rsa.PrivateKey // the published ones
	// answer makes the reply to the exchange of a code.
	answer func(n *notary) (contentType, body string)
	// redeemed is the form of that exchange.
	mu       sync.Mutex
	redeemed url.Values
	revoked  int
}

func (n *notary) RoundTrip(r *http.Request) (*http.Response, error) {
	contentType, body, status := "application/json", "", 200
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		body = fmt.Sprintf(`{"issuer": %q, "jwks_uri": %q, "id_token_signing_alg_values_supported": ["RS512", "none", "HS256"]}`, n.issuer, n.jwks)
	case "/jwk.json":
		var keys []string
		for _, key := range n.keys {
			keys = append(keys, fmt.Sprintf(`{"kty": "RSA", "alg": "RS512", "use": "sig", "n": %q, "e": "AQAB"}`, b64(key.N.Bytes())))
		}
		body = `{"keys": [{"kty": "strange"}, ` + strings.Join(keys, ",") + `]}`
	case "/v2/oauth2/token":
		data, _ := io.ReadAll(r.Body)
		n.mu.Lock()
		n.redeemed, _ = url.ParseQuery(string(data))
		n.mu.Unlock()
		contentType, body = n.answer(n)
	case "/v2/oauth2/token/revoke":
		n.mu.Lock()
		n.revoked++
		n.mu.Unlock()
	default:
		status = 404
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sign makes a JWT; without key it is not signed.
func sign(key *rsa.PrivateKey, algorithm string, claims map[string]any) string {
	header, _ := json.Marshal(map[string]string{"alg": algorithm, "typ": "JWT"})
	payload, _ := json.Marshal(claims)
	text := b64(header) + "." + b64(payload)
	if key == nil {
		return text + "."
	}
	sum := sha512.Sum512([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA512, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + b64(signature)
}

// tokens is a complete answer for compute, with the given ID token.
func tokens(idToken string) string {
	return fmt.Sprintf(`{"access_token": "access-token-1", "refresh_token": "refresh-token-1", "token_type": "Bearer", "expires_in": 172800,
		"resource_server": "auth.globus.org", "scope": "openid urn:globus:auth:scope:auth.globus.org:manage_projects", "id_token": %q,
		"other_tokens": [{"access_token": "access-token-2", "refresh_token": "refresh-token-2", "token_type": "Bearer", "expires_in": 172800,
			"resource_server": "funcx_service", "scope": "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all"}]}`, idToken)
}

func loginAt(t *testing.T, n *notary) (auth.LoginResult, error) {
	t.Helper()
	env, err := globus.NewEnvironment(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	m, err := auth.New(auth.Config{Env: env, HTTP: env.ClientOver(n), Home: home, ComputeDir: home + "/compute"})
	if err != nil {
		t.Fatal(err)
	}
	return m.Login(t.Context(), auth.LoginOptions{Services: []string{"compute"}, Ask: func(context.Context, string) (string, error) { return "the-code", nil }})
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestIDToken(t *testing.T) {
	t.Parallel()
	key, stranger := newKey(t), newKey(t)
	claims := func(change map[string]any) map[string]any {
		c := map[string]any{"iss": "https://auth.globus.org", "aud": chiltepin, "sub": "identity-1", "exp": time.Now().Add(time.Hour).Unix(), "preferred_username": "ada@example.org"}
		for name, value := range change {
			c[name] = value
		}
		return c
	}
	hour := func(n time.Duration) int64 { return time.Now().Add(n).Unix() }
	for name, test := range map[string]struct {
		token func() string
		want  string // part of the error; empty for success
	}{
		"good":                   {func() string { return sign(key, "RS512", claims(nil)) }, ""},
		"several audiences":      {func() string { return sign(key, "RS512", claims(map[string]any{"aud": []string{"x", chiltepin}})) }, ""},
		"expired within leeway":  {func() string { return sign(key, "RS512", claims(map[string]any{"exp": hour(-4 * time.Minute)})) }, ""},
		"early within leeway":    {func() string { return sign(key, "RS512", claims(map[string]any{"nbf": hour(4 * time.Minute)})) }, ""},
		"another key":            {func() string { return sign(stranger, "RS512", claims(nil)) }, "failed to verify"},
		"alg none":               {func() string { return sign(nil, "none", claims(nil)) }, "its ID token is not valid"},
		"alg HS256":              {func() string { return sign(key, "HS256", claims(nil)) }, "its ID token is not valid"},
		"another audience":       {func() string { return sign(key, "RS512", claims(map[string]any{"aud": academy})) }, "expected audience"},
		"another issuer":         {func() string { return sign(key, "RS512", claims(map[string]any{"iss": "https://evil.example.org"})) }, "different provider"},
		"expired":                {func() string { return sign(key, "RS512", claims(map[string]any{"exp": hour(-6 * time.Minute)})) }, "its ID token expired at"},
		"not valid yet":          {func() string { return sign(key, "RS512", claims(map[string]any{"nbf": hour(6 * time.Minute)})) }, "not valid yet"},
		"another nonce":          {func() string { return sign(key, "RS512", claims(map[string]any{"nonce": "of another login"})) }, "belongs to another login"},
		"nobody":                 {func() string { return sign(key, "RS512", claims(map[string]any{"sub": ""})) }, "names no identity"},
		"not a token":            {func() string { return "nonsense" }, "its ID token is not valid"},
		"none at all":            {func() string { return "" }, "there is no ID token"},
		"changed after signing":  {func() string { return strings.Replace(sign(key, "RS512", claims(nil)), ".ey", ".eY", 1) }, "its ID token is not valid"},
		"claims of a wrong type": {func() string { return sign(key, "RS512", claims(map[string]any{"nbf": "soon"})) }, "its ID token is not valid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := test.token() // now: its times count from when this test's turn comes
			n := &notary{issuer: "https://auth.globus.org", jwks: "https://auth.globus.org/jwk.json", keys: []*rsa.PrivateKey{key},
				answer: func(*notary) (string, string) { return "application/json", tokens(token) }}
			result, err := loginAt(t, n)
			if test.want == "" {
				if err != nil || result.Identity.ID != "identity-1" || result.Identity.Username != "ada@example.org" {
					t.Errorf("%+v, %v", result.Identity, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want %q in it", err, test.want)
			}
			if n.revoked != 4 || result.Services[0].LoggedIn {
				t.Errorf("%d of 4 tokens were revoked; %+v", n.revoked, result.Services)
			}
			if strings.Contains(err.Error(), "token-1") || (len(token) > 20 && strings.Contains(err.Error(), token)) {
				t.Errorf("a token shows in %v", err)
			}
		})
	}
}

func TestKeysAddress(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	token := sign(key, "RS512", map[string]any{"iss": "i", "aud": chiltepin, "sub": "identity-1", "exp": time.Now().Add(time.Hour).Unix()})
	for address, fine := range map[string]bool{
		"https://auth.globus.org/jwk.json": true, "/jwk.json": true, "": false, "http://auth.globus.org/jwk.json": false, "file:///etc/passwd": false, ":": false,
	} {
		n := &notary{issuer: "i", jwks: address, keys: []*rsa.PrivateKey{key}, answer: func(*notary) (string, string) { return "application/json", tokens(token) }}
		if _, err := loginAt(t, n); (err == nil) != fine {
			t.Errorf("jwks_uri %q: %v", address, err)
		}
	}
}

// Answers that are not what they should be are errors, store nothing, show
// nothing and end in time.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	good := tokens(sign(key, "RS512", map[string]any{"iss": "i", "aud": chiltepin, "sub": "identity-1", "exp": time.Now().Add(time.Hour).Unix()}))
	for name, test := range map[string]struct{ contentType, body, want string }{
		"not JSON":              {"application/json", "<html>", "cannot be understood"},
		"half of it":            {"application/json", good[:len(good)/2], "cannot be understood"},
		"a list":                {"application/json", "[]", "cannot be understood"},
		"wrong content type":    {"text/plain", good, "cannot be understood"},
		"no access token":       {"application/json", strings.Replace(good, "access-token-1", "", 1), "cannot be understood"},
		"other_tokens a number": {"application/json", `{"access_token": "access-token-1", "resource_server": "auth.globus.org", "expires_in": 5, "other_tokens": 5}`, "other_tokens is not a list"},
		"a token a number":      {"application/json", `{"access_token": "access-token-1", "resource_server": "auth.globus.org", "expires_in": 5, "other_tokens": [5]}`, "a token is not an object"},
		"no resource server":    {"application/json", strings.Replace(good, `"funcx_service"`, "null", 1), "a token without a usable resource_server"},
		"negative lifetime":     {"application/json", strings.ReplaceAll(good, "172800", "-5"), "cannot be understood"},
		"endless lifetime":      {"application/json", strings.Replace(good, "172800,\n\t\t\t\"resource_server\": \"funcx", "1e300,\n\t\t\t\"resource_server\": \"funcx", 1), "a token without a usable expires_in"},
		"fewer scopes":          {"application/json", strings.Replace(good, " urn:globus:auth:scope:auth.globus.org:manage_projects", "", 1), "was not granted every scope"},
		"a service less":        {"application/json", strings.Replace(good, "funcx_service", "another_service", 1), "was not granted every scope"},
		"another state":         {"application/json", strings.Replace(good, "{", `{"state": "of another login", `, 1), "it belongs to another login"},
		"17 MB":                 {"application/json", `{"x": "` + strings.Repeat("x", 17<<20) + `"}`, "the answer is too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &notary{issuer: "i", jwks: "/jwk.json", keys: []*rsa.PrivateKey{key}, answer: func(*notary) (string, string) { return test.contentType, test.body }}
			result, err := loginAt(t, n)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want %q in it", err, test.want)
			}
			if len(result.Renewed) != 0 || result.Services[0].LoggedIn || len(result.Services[0].Tokens) != 0 {
				t.Errorf("%+v", result)
			}
			if strings.Contains(err.Error(), "-token-1") || len(err.Error()) > 1000 {
				t.Errorf("the error says too much: %v", err)
			}
		})
	}
}

// The service repeats what it was sent: the code and the verifier must not
// come out again.
func TestEchoedSecrets(t *testing.T) {
	t.Parallel()
	n := &notary{}
	n.answer = func(n *notary) (string, string) {
		n.mu.Lock()
		defer n.mu.Unlock()
		return "application/json", fmt.Sprintf(`{"error": "invalid_grant", "error_description": "bad %s and %s"}`, n.redeemed.Get("code"), n.redeemed.Get("code_verifier"))
	}
	_, err := loginAt(t, n)
	if err == nil || strings.Contains(err.Error(), "the-code") || strings.Contains(err.Error(), n.redeemed.Get("code_verifier")) {
		t.Error(err)
	}
	if len(n.redeemed.Get("code_verifier")) != 43 {
		t.Errorf("verifier of %d letters", len(n.redeemed.Get("code_verifier")))
	}
}
