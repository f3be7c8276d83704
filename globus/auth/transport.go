package auth

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"chiltepin/globus"
	"chiltepin/globus/tokenstore"
)

// Authorized is a client that signs requests to one service. It refreshes the
// token a minute before it expires, and once when the service answers 401. A
// service without a login is an [ErrNotLoggedIn], here or from a request.
// Requests to any other address than the service's are refused, and redirects
// are not followed, so that a token is never sent elsewhere. The client is safe
// for concurrent use.
func (m *Manager) Authorized(ctx context.Context, service string) (*http.Client, error) {
	s, err := m.findService(service)
	if err != nil {
		return nil, err
	}
	h, err := m.readStoredTokens(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := m.checkStoredTokens(s, h, m.origins.readFile()); err != nil {
		return nil, err
	}
	origin, err := url.Parse(s.origin)
	if err != nil {
		return nil, fmt.Errorf("reading the address of Globus %s: %w", s.name, err)
	}
	base := m.config.HTTP.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	return &http.Client{
		Transport:     &signingTransport{manager: m, service: s, origin: origin, base: base},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       m.config.HTTP.Timeout,
	}, nil
}

// signingTransport adds the access token to requests.
type signingTransport struct {
	manager *Manager
	service *loginService
	origin  *url.URL
	base    http.RoundTripper

	mu   sync.Mutex
	last tokenstore.Token
}

func (t *signingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if r.URL.Scheme != t.origin.Scheme || r.URL.Host != t.origin.Host {
		return nil, fmt.Errorf("signing a request: %s is not Globus %s", r.URL.Host, t.service.name)
	}
	token, err := t.currentToken(r.Context(), tokenstore.Secret{})
	if err != nil {
		return nil, err
	}
	resp, err := t.sendSigned(r, token, false)
	if err == nil && resp.StatusCode == http.StatusForbidden {
		t.rememberDemand(r.Context(), resp)
	}
	if err != nil || resp.StatusCode != http.StatusUnauthorized || (r.Body != nil && r.Body != http.NoBody && r.GetBody == nil) {
		return resp, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	resp.Body.Close()
	if token, err = t.currentToken(r.Context(), token.AccessToken); err != nil {
		return nil, err
	}
	return t.sendSigned(r, token, true)
}

// rememberDemand records what a policy requires of the next login.
func (t *signingTransport) rememberDemand(ctx context.Context, resp *http.Response) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
	if d := globus.ParseAuthRequirements(body); err == nil && !d.IsZero() {
		t.manager.storeDemand(ctx, t.service, d)
	}
}

// currentToken is the token to sign with; stale is one that the service
// rejected.
func (t *signingTransport) currentToken(ctx context.Context, stale tokenstore.Secret) (tokenstore.Token, error) {
	t.mu.Lock()
	last := t.last
	t.mu.Unlock()
	if !last.AccessToken.IsZero() && isStillValid(last) && (stale.IsZero() || !last.AccessToken.Equal(stale)) {
		return last, nil
	}
	token, err := t.manager.validToken(ctx, t.service, t.service.server, stale)
	if err != nil {
		return token, err
	}
	t.mu.Lock()
	t.last = token
	t.mu.Unlock()
	return token, nil
}

func (t *signingTransport) sendSigned(r *http.Request, token tokenstore.Token, again bool) (*http.Response, error) {
	signed := r.Clone(r.Context())
	signed.Header.Set("Authorization", "Bearer "+token.AccessToken.Reveal())
	if again && r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		signed.Body = body
	}
	return t.base.RoundTrip(signed)
}
