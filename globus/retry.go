package globus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// Retry is an [http.RoundTripper] that tries again what may heal: an answer
// of 429, 500, 502, 503 or 504, and a network that fails. The waits are those
// of globus_sdk/transport/retry_config.py, (0.25…0.75)·2ⁿ seconds up to
// MaxWait, or what Retry-After says; no attempt begins later than Total after
// the first. A request whose body cannot be sent twice is not tried again, and
// neither is a certificate that is not accepted.
//
// Answers are read whole, so that one that breaks off midway counts as a
// network that fails; one larger than MaxBody is an error. Without an answer
// the error is a [*NetworkError], or the context's when that ended. It is safe
// for concurrent use when Base is.
type Retry struct {
	// Base does the work.
	Base http.RoundTripper
	// Retries is how often a request is repeated at most; zero means never.
	Retries int
	// Timeout bounds one attempt, zero not at all.
	Timeout time.Duration
	// MaxWait bounds one wait and Total all of them; zero means 10 and 60
	// seconds.
	MaxWait, Total time.Duration
	// MaxBody bounds an answer in bytes; zero means 16 MiB.
	MaxBody int64
	// CAFile is named in errors about certificates.
	CAFile string
}

var (
	errAttempt  = errors.New("no answer in time")
	errTooLarge = errors.New("the answer is too large")
)

// RoundTrip does r, again and again if need be.
func (t *Retry) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	ctx := r.Context()
	maxWait, total := orDefault(t.MaxWait, 10*time.Second), orDefault(t.Total, 60*time.Second)
	begun := time.Now()
	for n := 0; ; n++ {
		again, err := prepareAttempt(r, n)
		if err != nil {
			return nil, fmt.Errorf("preparing the request: %w", err)
		}
		resp, err := t.attemptOnce(again)
		if ctx.Err() != nil && err != nil {
			return nil, context.Cause(ctx)
		}
		if !t.mayHeal(resp, err) || n >= t.Retries || !isReplayable(r) {
			return t.finalResult(r, resp, err, n+1)
		}
		wait := time.Duration((0.25 + 0.5*rand.Float64()) * float64(time.Second) * float64(int(1)<<min(n, 20)))
		wait = min(wait, maxWait)
		if resp != nil {
			if asked := parseRetryAfter(resp); asked > maxWait {
				return t.finalResult(r, resp, err, n+1)
			} else if asked > 0 {
				wait = asked
			}
		}
		next := time.Now().Add(wait)
		if deadline, ok := ctx.Deadline(); (ok && next.After(deadline)) || next.Sub(begun) > total {
			return t.finalResult(r, resp, err, n+1)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		case <-timer.C:
		}
	}
}

// attemptOnce does one attempt, its answer read to the end.
func (t *Retry) attemptOnce(r *http.Request) (*http.Response, error) {
	ctx, cancel := r.Context(), context.CancelFunc(func() {})
	if t.Timeout > 0 {
		ctx, cancel = context.WithTimeoutCause(ctx, t.Timeout, errAttempt)
	}
	defer cancel()
	resp, err := t.Base.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, attemptCause(ctx, err)
	}
	defer resp.Body.Close()
	limit := t.MaxBody
	if limit == 0 {
		limit = 16 << 20
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, attemptCause(ctx, fmt.Errorf("the answer broke off: %w", err))
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLarge, limit)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.Request = r
	return resp, nil
}

// attemptCause prefers the reason why an attempt was given up to its symptom.
func attemptCause(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), errAttempt) {
		return errAttempt
	}
	return err
}

func (t *Retry) mayHeal(resp *http.Response, err error) bool {
	if err == nil {
		return isTransient(resp.StatusCode)
	}
	if proxy, ok := errors.AsType[*ProxyError](err); ok {
		return isTransient(proxy.code)
	}
	return !isUntrusted(err) && !errors.Is(err, errTooLarge) && !isSetting(err)
}

func isSetting(err error) bool {
	_, ok := errors.AsType[*SettingError](err)
	return ok
}

// finalResult is the last word after n attempts.
func (t *Retry) finalResult(r *http.Request, resp *http.Response, err error, n int) (*http.Response, error) {
	if err == nil {
		return resp, nil
	}
	if isSetting(err) {
		return nil, err
	}
	return nil, &NetworkError{Host: r.URL.Host, Attempts: n, Untrusted: isUntrusted(err), CAFile: t.CAFile, Err: err}
}

func isReplayable(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

// prepareAttempt is the request of the nth attempt, with a body of its own where one
// can be had; the first uses the one that is there.
func prepareAttempt(r *http.Request, n int) (*http.Request, error) {
	again := r.Clone(r.Context())
	if n > 0 && r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		again.Body = body
	}
	return again, nil
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
