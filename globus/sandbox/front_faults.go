package sandbox

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is a failure of HTTP requests to order. The first fields select the
// requests, an empty one meaning any; the others say what happens to them.
type Fault struct {
	Host string `json:"host,omitempty"` // "compute.api.globus.org"
	// Method is "POST" and so on. CONNECT strikes the tunnel to Host: Drop,
	// Hang, Delay and Status make the proxy fail.
	Method string `json:"method,omitempty"`
	// Path is a pattern in which * stands for any run without a slash:
	// "/v3/endpoints/*".
	Path  string `json:"path,omitempty"`
	Grant string `json:"grant,omitempty"` // of a token request: "refresh_token"
	// Skip lets that many matching requests pass first; Times is how many it
	// strikes then, 0 for all until it is cleared.
	Skip  int `json:"skip,omitempty"`
	Times int `json:"times,omitempty"`

	// Delay passes before anything else. Alone, it makes a slow answer.
	Delay time.Duration `json:"-"`
	// Effect lets the request take effect before its answer is spoiled.
	Effect bool `json:"effect,omitempty"`
	// Drop closes the connection with no answer; Hang never answers; Half
	// sends half of the true answer's body and closes.
	Drop bool `json:"drop,omitempty"`
	Hang bool `json:"hang,omitempty"`
	Half bool `json:"half,omitempty"`
	// Status, Code and Detail make an error answer in the service's own form;
	// Code is the service's word ("ENDPOINT_LOCKED", "invalid_grant").
	Status int    `json:"status,omitempty"`
	Code   string `json:"code,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Body and ContentType replace the answer's; Header adds to it, such as
	// Retry-After.
	Body        *string           `json:"body,omitempty"`
	ContentType string            `json:"content_type,omitempty"`
	Header      map[string]string `json:"header,omitempty"`
}

type faults struct {
	mu   sync.Mutex
	list []*Fault
}

func (f *faults) addFault(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, &fault)
}

func (f *faults) clearFaults() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = nil
}

// remainingFaults returns the faults that have not struck out.
func (f *faults) remainingFaults() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Fault, len(f.list))
	for i, fault := range f.list {
		out[i] = *fault
	}
	return out
}

// takeFault returns the first fault that strikes the request, counting it.
func (f *faults) takeFault(host, grant string, r *http.Request) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.list {
		if !fault.matchesRequest(host, grant, r) {
			continue
		}
		if fault.Skip > 0 {
			fault.Skip--
			continue
		}
		if fault.Times > 0 {
			if fault.Times--; fault.Times == 0 {
				f.list = append(f.list[:i:i], f.list[i+1:]...)
			}
		}
		return *fault, true
	}
	return Fault{}, false
}

func (f *Fault) matchesRequest(host, grant string, r *http.Request) bool {
	if r.Method == http.MethodConnect && f.Method == "" {
		return false // that is for the proxy, not for a service
	}
	if f.Host != "" && f.Host != host ||
		f.Method != "" && !strings.EqualFold(f.Method, r.Method) ||
		f.Grant != "" && f.Grant != grant {
		return false
	}
	if f.Path == "" {
		return true
	}
	ok, err := path.Match(f.Path, r.URL.Path)
	return ok && err == nil
}

// applyFault answers r as the fault has it, with next as the true service. It
// panics with http.ErrAbortHandler to break the connection.
func (s *Sandbox) applyFault(f Fault, host string, w http.ResponseWriter, r *http.Request, next http.Handler) {
	if f.Delay > 0 && !s.waitDelay(r, f.Delay) {
		panic(http.ErrAbortHandler)
	}
	spoiled := f.Drop || f.Hang || f.Status != 0 || f.Code != "" || f.Body != nil || f.ContentType != ""
	for k, v := range f.Header {
		w.Header().Set(k, v)
	}
	if !spoiled && !f.Half {
		next.ServeHTTP(w, r)
		return
	}
	var truth *httptest.ResponseRecorder
	if f.Effect || f.Half {
		truth = httptest.NewRecorder()
		next.ServeHTTP(truth, r)
	}
	switch {
	case f.Hang:
		select {
		case <-r.Context().Done():
		case <-s.closing:
		}
		panic(http.ErrAbortHandler)
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Half:
		writeHalf(w, truth)
	default:
		f.writeAnswer(w, host)
	}
}

func (f *Fault) writeAnswer(w http.ResponseWriter, host string) {
	status := f.Status
	if status == 0 {
		status = http.StatusOK
		if f.Code != "" {
			status = http.StatusBadRequest
		}
	}
	var body bytes.Buffer
	switch {
	case f.Body != nil:
		body.WriteString(*f.Body)
	case host == AuthHost:
		encodeJSON(&body, authErrorBody(status, f.Code, f.Detail))
	default:
		encodeJSON(&body, computeErrorBody(status, f.Code, f.Detail))
	}
	contentType := f.ContentType
	if contentType == "" {
		contentType = "application/json"
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

func writeHalf(w http.ResponseWriter, truth *httptest.ResponseRecorder) {
	for k, v := range truth.Header() {
		w.Header()[k] = v
	}
	body := truth.Body.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(truth.Code)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// waitDelay waits for d, and returns false when the client or the sandbox closed
// before that.
func (s *Sandbox) waitDelay(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-s.closing:
	}
	return false
}
