package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody is more than any client may send: the SDK stops at 10 MiB.
const maxBody = 64 << 20

// httpExchange is one request that a service is answering; the handler adds to the
// entry what only it knows.
type httpExchange struct {
	entry Entry
	body  []byte
	form  url.Values     // of a form body
	json  map[string]any // of a JSON object
}

type httpExchangeKey struct{}

// entryOf returns the journal entry of a request that is being answered.
func entryOf(r *http.Request) *Entry {
	return &httpExchangeOf(r).entry
}

func httpExchangeOf(r *http.Request) *httpExchange {
	if x, ok := r.Context().Value(httpExchangeKey{}).(*httpExchange); ok {
		return x
	}
	return &httpExchange{}
}

// ServeHTTP answers for every host of the sandbox, told apart by the request's
// Host. A loopback Host reaches the control path, and the services by their
// paths. Every request but control's is journaled.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := requestHost(r)
	if isLoopback(host) {
		if strings.HasPrefix(r.URL.Path, controlPrefix) {
			s.control.ServeHTTP(w, r)
			return
		}
		host = hostOfPath(r.URL.Path)
	}
	service, ok := s.hosts[host]
	if !ok {
		http.Error(w, "no such host in this sandbox: "+host, http.StatusMisdirectedRequest)
		return
	}
	began := time.Now()
	x := s.newHTTPExchange(host, r)
	status := &statusWriter{ResponseWriter: w}
	defer func() {
		broken := recover()
		x.entry.Status = status.code
		x.entry.Seconds = time.Since(began).Seconds()
		s.recordEntry(x.entry)
		if broken != nil {
			panic(broken)
		}
	}()
	var err error
	if x.body, err = io.ReadAll(http.MaxBytesReader(status, r.Body, maxBody)); err != nil {
		x.entry.Error = "reading the body: " + err.Error()
		http.Error(status, "the request body cannot be read or is too large", http.StatusRequestEntityTooLarge)
		return
	}
	x.decodeBody(r, s.masker)
	r = r.WithContext(context.WithValue(r.Context(), httpExchangeKey{}, x))
	r.Body = io.NopCloser(bytes.NewReader(x.body))
	if f, ok := s.faults.takeFault(host, x.form.Get("grant_type"), r); ok {
		x.entry.Fault = f.String()
		s.applyFault(f, host, status, r, service)
		return
	}
	service.ServeHTTP(status, r)
}

func (s *Sandbox) newHTTPExchange(host string, r *http.Request) *httpExchange {
	return &httpExchange{entry: Entry{
		Time: s.clock.now(), Kind: "http", Method: r.Method, Host: host, Path: r.URL.Path,
		Query: s.masker.maskForm(r.URL.Query()), Agent: r.UserAgent(), Token: s.masker.labelOf(bearerToken(r)),
	}}
}

// decodeBody fills form or json, and the body of the entry with them.
func (x *httpExchange) decodeBody(r *http.Request, m *masker) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/x-www-form-urlencoded":
		x.form, _ = url.ParseQuery(string(x.body))
		x.entry.Body = m.maskForm(x.form)
		x.entry.Grant = x.form.Get("grant_type")
	case "application/json":
		d := json.NewDecoder(bytes.NewReader(x.body))
		d.UseNumber()
		if d.Decode(&x.json) == nil && x.json != nil {
			x.entry.Body, _ = m.maskValue("", x.json, 0).(map[string]any)
		}
	}
}

// String names the fault in the journal.
func (f Fault) String() string {
	var words []string
	add := func(on bool, word string) {
		if on {
			words = append(words, word)
		}
	}
	add(f.Delay > 0, "delay "+f.Delay.String())
	add(f.Effect, "effect")
	add(f.Drop, "drop")
	add(f.Hang, "hang")
	add(f.Half, "half")
	add(f.Status != 0, http.StatusText(f.Status))
	add(f.Code != "", f.Code)
	add(f.Body != nil || f.ContentType != "", "body")
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

func requestHost(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return strings.ToLower(host)
	}
	return strings.ToLower(r.Host)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}

// hostOfPath serves clients that were pointed at the loopback address itself
// (GLOBUS_SDK_SERVICE_URL_AUTH and the like): the paths of Auth and Compute
// do not overlap.
func hostOfPath(path string) string {
	for _, prefix := range []string{"/v2/oauth2/", "/v2/web/", "/v2/api/", "/.well-known/", jwksPath} {
		if strings.HasPrefix(path, prefix) {
			return AuthHost
		}
	}
	if strings.HasPrefix(path, "/v0.10/") {
		return TransferHost
	}
	return ComputeHost
}

func bearerToken(r *http.Request) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// statusWriter remembers the status for the journal.
type statusWriter struct {
	http.ResponseWriter
	code int
}

func (w *statusWriter) WriteHeader(code int) {
	if w.code == 0 {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.code == 0 {
		w.code = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach what is beneath.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func encodeJSON(w io.Writer, v any) {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // a client that went away is no fault of the service
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encodeJSON(w, v)
}
