package globus_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chiltepin/globus"
)

// script is a service that answers attempt after attempt as it is told; the
// last answer stays.
type script struct {
	answers []func(*http.Request) (*http.Response, error)
	bodies  []string
	agents  []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		data, _ := io.ReadAll(r.Body)
		body = string(data)
	}
	s.bodies = append(s.bodies, body)
	s.agents = append(s.agents, r.Header.Get("User-Agent"))
	return s.answers[min(len(s.bodies), len(s.answers))-1](r)
}

func status(code int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader("body")), Request: r}, nil
	}
}

func failure(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// silence answers when the request is given up.
func silence(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// broken is an answer that breaks off midway.
func broken(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(io.MultiReader(strings.NewReader("ha"), failing{})), Request: r}, nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestRetry(t *testing.T) {
	t.Parallel()
	type answers = []func(*http.Request) (*http.Response, error)
	down := failure(&url.Error{Op: "dial", URL: "x", Err: errors.New("connection refused")})
	for name, test := range map[string]struct {
		answers  answers
		attempts int
		status   int // 0 for an error
		min, max time.Duration
	}{
		"fine":                 {answers{status(200)}, 1, 200, 0, 0},
		"not found":            {answers{status(404)}, 1, 404, 0, 0},
		"not signed":           {answers{status(401)}, 1, 401, 0, 0},
		"redirect":             {answers{status(302, "Location", "https://elsewhere.example.org/")}, 1, 302, 0, 0},
		"500 then fine":        {answers{status(500), status(200)}, 2, 200, 250 * time.Millisecond, 750 * time.Millisecond},
		"502, 503, 504":        {answers{status(502), status(503), status(504), status(201)}, 4, 201, 1750 * time.Millisecond, 5250 * time.Millisecond},
		"429 for ever":         {answers{status(429)}, 5, 429, 3750 * time.Millisecond, 11250 * time.Millisecond},
		"Retry-After":          {answers{status(429, "Retry-After", "7"), status(200)}, 2, 200, 7 * time.Second, 7 * time.Second},
		"Retry-After, a date":  {answers{status(503, "Retry-After", "Sat, 01 Jan 2000 00:00:05 GMT"), status(200)}, 2, 200, 5 * time.Second, 5 * time.Second},
		"Retry-After, past":    {answers{status(503, "Retry-After", "Fri, 31 Dec 1999 00:00:05 GMT"), status(200)}, 2, 200, 250 * time.Millisecond, 750 * time.Millisecond},
		"Retry-After, an hour": {answers{status(429, "Retry-After", "3600")}, 1, 429, 0, 0},
		"Retry-After, rubbish": {answers{status(429, "Retry-After", "-1"), status(200)}, 2, 200, 250 * time.Millisecond, 750 * time.Millisecond},
		"network down":         {answers{down}, 5, 0, 3750 * time.Millisecond, 11250 * time.Millisecond},
		"network comes back":   {answers{down, down, status(200)}, 3, 200, 750 * time.Millisecond, 2250 * time.Millisecond},
		"half an answer":       {answers{broken, status(200)}, 2, 200, 250 * time.Millisecond, 750 * time.Millisecond},
		"half, for ever":       {answers{broken}, 5, 0, 3750 * time.Millisecond, 11250 * time.Millisecond},
		"silent":               {answers{silence, status(200)}, 1, 0, 60 * time.Second, 60 * time.Second},
		"unknown authority":    {answers{failure(x509.UnknownAuthorityError{})}, 1, 0, 0, 0},
		"another host's":       {answers{failure(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"})}, 1, 0, 0, 0},
		"expired certificate":  {answers{failure(x509.CertificateInvalidError{Reason: x509.Expired})}, 1, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: test.answers}
				client := environment(t).ClientOver(s)
				begun := time.Now()
				r, err := http.NewRequestWithContext(t.Context(), "POST", "https://compute.api.globus.org/x", strings.NewReader("payload"))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := client.Do(r)
				took := time.Since(begun)
				switch {
				case test.status == 0:
					if network, ok := errors.AsType[*globus.NetworkError](err); !ok || network.Attempts != test.attempts || network.Host != "compute.api.globus.org" || !globus.IsUnavailable(err) {
						t.Errorf("error %v", err)
					}
				case err != nil || resp.StatusCode != test.status:
					t.Errorf("%v, %v", resp, err)
				default:
					if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "body" {
						t.Errorf("body %q, %v", body, err)
					}
				}
				if len(s.bodies) != test.attempts || took < test.min || took > test.max {
					t.Errorf("%d attempts in %s, want %d in %s to %s", len(s.bodies), took, test.attempts, test.min, test.max)
				}
				for i, body := range s.bodies {
					if body != "payload" || s.agents[i] != "chiltepin" {
						t.Errorf("attempt %d sent %q as %s", i, body, s.agents[i])
					}
				}
			})
		})
	}
}

func environment(t *testing.T) globus.Environment {
	t.Helper()
	e, err := globus.NewEnvironment(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// A body that can be read once is sent once.
func TestRetryNotReplayable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []func(*http.Request) (*http.Response, error){status(503)}}
		r, err := http.NewRequestWithContext(t.Context(), "POST", "https://x.example.org/", io.MultiReader(strings.NewReader("once")))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := environment(t).ClientOver(s).Do(r)
		if err != nil || resp.StatusCode != 503 || len(s.bodies) != 1 || s.bodies[0] != "once" {
			t.Errorf("%v, %v, sent %q", resp, err, s.bodies)
		}
	})
}

// The context ends a wait and an attempt at once, and says why; a deadline
// that a wait would overrun ends the attempts before it.
func TestRetryContext(t *testing.T) {
	t.Parallel()
	reason := errors.New("the person pressed ctrl-C")
	for name, answer := range map[string]func(*http.Request) (*http.Response, error){"waiting": status(429, "Retry-After", "9"), "asking": silence} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(3*time.Second, func() { cancel(reason) })
				begun := time.Now()
				r, _ := http.NewRequestWithContext(ctx, "GET", "https://x.example.org/", nil)
				_, err := environment(t).ClientOver(&script{answers: []func(*http.Request) (*http.Response, error){answer}}).Do(r)
				if !errors.Is(err, reason) || time.Since(begun) != 3*time.Second {
					t.Errorf("%v after %s", err, time.Since(begun))
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begun := time.Now()
		r, _ := http.NewRequestWithContext(ctx, "GET", "https://x.example.org/", nil)
		resp, err := environment(t).ClientOver(&script{answers: []func(*http.Request) (*http.Response, error){status(429, "Retry-After", "9")}}).Do(r)
		if err != nil || resp.StatusCode != 429 || time.Since(begun) != 0 {
			t.Errorf("%v, %v after %s", resp, err, time.Since(begun))
		}
	})
}

// The total is bounded, however long single attempts take.
func TestRetryTotal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []func(*http.Request) (*http.Response, error){func(r *http.Request) (*http.Response, error) {
			time.Sleep(25 * time.Second)
			return status(500)(r)
		}}}
		begun := time.Now()
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "https://x.example.org/", nil)
		resp, err := environment(t).ClientOver(s).Do(r)
		if err != nil || resp.StatusCode != 500 || len(s.bodies) != 3 || time.Since(begun) > 80*time.Second {
			t.Errorf("%v, %v, %d attempts in %s", resp, err, len(s.bodies), time.Since(begun))
		}
	})
}

// An answer that never ends is cut off.
func TestRetryEndlessAnswer(t *testing.T) {
	t.Parallel()
	s := &script{answers: []func(*http.Request) (*http.Response, error){func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(endless{}), Request: r}, nil
	}}}
	client := &http.Client{Transport: &globus.Retry{Base: s, Retries: 4, MaxBody: 1 << 10}}
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "https://x.example.org/", nil)
	_, err := client.Do(r)
	if err == nil || !strings.Contains(err.Error(), "the answer is too large: more than 1024 bytes") || len(s.bodies) != 1 {
		t.Errorf("%v, %d attempts", err, len(s.bodies))
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }
