package sandbox

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// RoundTripper reaches the services with no listener and no goroutine that
// outlives the request, for tests in one process. A dropped or halved answer
// is the error that a real connection would give.
func (s *Sandbox) RoundTripper() http.RoundTripper { return inProcess{s} }

// Client is an http.Client over RoundTripper.
func (s *Sandbox) Client() *http.Client { return &http.Client{Transport: inProcess{s}} }

type inProcess struct{ s *Sandbox }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer in.Body.Close()
	done := make(chan *memoryAnswer, 1)
	go func() {
		a := &memoryAnswer{header: http.Header{}}
		defer func() {
			if p := recover(); p != nil {
				a.broken = true
				if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
			}
			done <- a
		}()
		t.s.ServeHTTP(a, in)
	}()
	select {
	case a := <-done:
		return a.asResponse(r)
	case <-r.Context().Done():
		<-done // handlers end with the request's context
		return nil, r.Context().Err()
	}
}

type memoryAnswer struct {
	header http.Header
	sent   http.Header
	status int
	body   bytes.Buffer
	broken bool
}

func (a *memoryAnswer) Header() http.Header { return a.header }
func (a *memoryAnswer) Flush()              {}

func (a *memoryAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status, a.sent = status, a.header.Clone()
	}
}

func (a *memoryAnswer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *memoryAnswer) asResponse(r *http.Request) (*http.Response, error) {
	if a.broken && a.status == 0 {
		return nil, io.EOF
	}
	a.WriteHeader(http.StatusOK)
	var body io.Reader = &a.body
	length := int64(a.body.Len())
	if a.broken {
		body = io.MultiReader(body, brokenBody{})
		length = -1
		if n, err := strconv.ParseInt(a.sent.Get("Content-Length"), 10, 64); err == nil {
			length = n
		}
	}
	return &http.Response{
		StatusCode: a.status, Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.sent, Body: io.NopCloser(body), ContentLength: length, Request: r,
	}, nil
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
