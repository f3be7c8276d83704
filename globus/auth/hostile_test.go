package auth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/sandbox"
)

// spaces is an endless answer, and counts what was taken of it.
type spaces struct{ taken int64 }

func (s *spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	s.taken += int64(len(p))
	return len(p), nil
}

// An answer of 100 MB is given up early.
func TestLoginAgainstAnEndlessAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := &spaces{}
	w.transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path != "/v2/oauth2/token" {
			return w.RoundTripper().RoundTrip(r)
		}
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(io.LimitReader(body, 100<<20)), Request: r}, nil
	})
	_, err := w.manager(t).Login(t.Context(), auth.LoginOptions{Services: []string{"compute"}, Ask: w.ask})
	if err == nil || !strings.Contains(err.Error(), "too large") || body.taken > 20<<20 {
		t.Errorf("%v after %d bytes", err, body.taken)
	}
}

// A token endpoint that never answers, or breaks off, is given up in time, and
// leaves no login; a slow one is waited for.
func TestLoginAgainstASlowService(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault sandbox.Fault
		fine  bool
		most  time.Duration
	}{
		"slow":       {sandbox.Fault{Delay: 30 * time.Second}, true, time.Minute},
		"never":      {sandbox.Fault{Hang: true}, false, 6 * time.Minute},
		"half":       {sandbox.Fault{Half: true}, false, 3 * time.Minute},
		"cut":        {sandbox.Fault{Drop: true}, false, 3 * time.Minute},
		"wrong type": {sandbox.Fault{ContentType: "text/html"}, false, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				test.fault.Path = "/v2/oauth2/token"
				w.Order(test.fault)
				m := w.manager(t)
				began := time.Now()
				result, err := m.Login(t.Context(), auth.LoginOptions{Services: []string{"compute"}, Ask: w.ask})
				if (err == nil) != test.fine || loggedIn(m, auth.Compute) != test.fine || time.Since(began) > test.most {
					t.Errorf("%+v, %v after %s", result, err, time.Since(began))
				}
				if _, isAnswer := errors.AsType[*auth.UnexpectedResponseError](err); !test.fine && !isAnswer && !globus.IsUnavailable(err) {
					t.Errorf("the error is %v", err)
				}
				w.ClearFaults()
			})
		})
	}
}

// A person who gives up ends the login at once, whatever Globus Auth does.
func TestLoginGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Order(sandbox.Fault{Path: "/v2/oauth2/token", Hang: true})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, cancel)
		began := time.Now()
		_, err := w.manager(t).Login(ctx, auth.LoginOptions{Services: []string{"compute"}, Ask: w.ask})
		if !errors.Is(err, context.Canceled) || time.Since(began) > 6*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}
