package sandbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

func variable(env []string, name string) string {
	value := ""
	for _, kv := range env {
		if n, v, _ := strings.Cut(kv, "="); n == name {
			value = v
		}
	}
	return value
}

func client(t *testing.T, b *sandboxtest.Box) *http.Client {
	t.Helper()
	transport, err := b.Transport()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestSeveralAtOnce(t *testing.T) {
	t.Parallel()
	one, two := sandboxtest.Start(t), sandboxtest.Start(t)
	one.Configure(func(s *sandbox.Settings) { s.MinimumVersion = "1.1.1" })
	for b, want := range map[*sandboxtest.Box]string{one: "1.1.1", two: "1.0.0"} {
		answer, err := client(t, b).Get(versionURL)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Version string `json:"min_sdk_version"`
		}
		err = json.NewDecoder(answer.Body).Decode(&got)
		answer.Body.Close()
		if err != nil || got.Version != want {
			t.Errorf("min_sdk_version = %q, %v, want %q", got.Version, err, want)
		}
	}
	// Each has an authority of its own: the other's clients do not believe it.
	transport, err := one.Transport()
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := url.Parse(variable(two.Env(), "HTTPS_PROXY"))
	if err != nil {
		t.Fatal(err)
	}
	transport.Proxy = http.ProxyURL(proxy)
	if answer, err := (&http.Client{Transport: transport}).Get(versionURL); err == nil {
		answer.Body.Close()
		t.Error("a client of one sandbox trusts the other")
	}
}

func TestNothingListensBeyondLoopback(t *testing.T) {
	t.Parallel()
	b := sandboxtest.Start(t)
	for _, kv := range b.Env() {
		if name, value, _ := strings.Cut(kv, "="); strings.Contains(value, "://") {
			u, err := url.Parse(value)
			if err != nil || u.Hostname() != "127.0.0.1" {
				t.Errorf("%s=%s, %v", name, value, err)
			}
		}
	}
	info, err := os.Stat(variable(b.Env(), "SSL_CERT_FILE"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the CA file: %v, %v", info.Mode(), err)
	}
	pem, err := os.ReadFile(variable(b.Env(), "SSL_CERT_FILE"))
	if err != nil || bytes.Contains(pem, []byte("PRIVATE")) || !bytes.Contains(pem, []byte("BEGIN CERTIFICATE")) {
		t.Errorf("the CA file holds %s, %v", pem, err)
	}
}

func TestUnknownHostsAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	b := sandboxtest.Start(t)
	began := time.Now()
	for _, host := range []string{"https://api.ipify.org/", "https://example.org/", "https://auth.globus.org:8443/"} {
		answer, err := client(t, b).Get(host)
		if err == nil {
			answer.Body.Close()
			t.Errorf("%s answered %s", host, answer.Status)
		}
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("refusing took %s", took)
	}
	if got := b.Journal(); len(got) != 3 || got[0].Host != "api.ipify.org:443" || got[0].Status != http.StatusForbidden {
		t.Errorf("journal = %+v", got)
	}
}

func TestDownAndUp(t *testing.T) {
	t.Parallel()
	b := sandboxtest.Start(t)
	c := client(t, b)
	get := func() error {
		answer, err := c.Get(versionURL)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		return errors.Join(err, answer.Body.Close())
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	if err := b.Down(); err != nil {
		t.Fatal(err)
	}
	if err := get(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("while down: %v", err)
	}
	if err := b.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := get(); err != nil {
		t.Errorf("up again: %v", err)
	}
}

func TestConnectFault(t *testing.T) {
	t.Parallel()
	b := sandboxtest.Start(t)
	b.Order(sandbox.Fault{Method: "CONNECT", Host: sandbox.ComputeHost, Status: 502, Times: 1})
	c := client(t, b)
	if answer, err := c.Get(versionURL); err == nil {
		answer.Body.Close()
		t.Errorf("the proxy let us through: %s", answer.Status)
	}
	answer, err := c.Get(versionURL)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
}

// Clients may also be pointed at the loopback address itself.
func TestLoopbackAddress(t *testing.T) {
	t.Parallel()
	b := sandboxtest.Start(t)
	for path, want := range map[string]int{
		"/.well-known/openid-configuration": 200, "/v2/version": 200, "/v2/oauth2/userinfo": 401,
		"/v0.10/endpoint_search": 401, "/_sandbox/state": 200,
	} {
		answer, err := http.Get(b.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, answer.StatusCode, want)
		}
	}
	// A web page must not reach the control path by a name that it owns.
	r, err := http.NewRequest(http.MethodGet, b.URL()+"/_sandbox/state", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example"
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("control under another name: %d", answer.StatusCode)
	}
}

func TestEnviron(t *testing.T) {
	t.Parallel()
	b := sandboxtest.Start(t)
	got := b.Environ([]string{
		"HOME=/h", "NO_PROXY=*", "HTTP_PROXY=http://real.example", "GLOBUS_COMPUTE_CLIENT_SECRET=real",
		"GLOBUS_SDK_ENVIRONMENT=preview", "HTTPS_PROXY=http://real.example",
	})
	if variable(got, "HOME") != "/h" || variable(got, "NO_PROXY") != "" || strings.Contains(variable(got, "HTTPS_PROXY"), "real") {
		t.Errorf("environment = %q", got)
	}
	names := map[string]int{}
	for _, kv := range got {
		name, _, _ := strings.Cut(kv, "=")
		names[name]++
		if names[name] > 1 {
			t.Errorf("%s is there twice", name)
		}
	}
	for _, gone := range []string{"HTTP_PROXY", "GLOBUS_COMPUTE_CLIENT_SECRET", "GLOBUS_SDK_ENVIRONMENT"} {
		if names[gone] != 0 {
			t.Errorf("%s is still there", gone)
		}
	}
}

// Close ends every goroutine of the sandbox, waiting requests and open
// connections included, and removes what Start wrote. It is not parallel: the
// goroutines it counts are then its own.
func TestCloseLeavesNothing(t *testing.T) {
	s := sandbox.New(sandbox.Options{})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	s.Order(sandbox.Fault{Hang: true})
	transport, err := s.Transport()
	if err != nil {
		t.Fatal(err)
	}
	hanging := make(chan error, 1)
	go func() {
		answer, err := (&http.Client{Transport: transport}).Get(versionURL)
		if err == nil {
			answer.Body.Close()
		}
		hanging <- err
	}()
	proxy, err := url.Parse(variable(s.Env(), "HTTPS_PROXY"))
	if err != nil {
		t.Fatal(err)
	}
	idle, err := net.Dial("tcp", proxy.Host) // a tunnel that never speaks TLS
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if _, err := idle.Write([]byte("CONNECT auth.globus.org:443 HTTP/1.1\r\nHost: auth.globus.org:443\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := idle.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	ca := variable(s.Env(), "SSL_CERT_FILE")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	if err := <-hanging; err == nil {
		t.Error("the hanging request was answered")
	}
	transport.CloseIdleConnections()
	if _, err := os.Stat(ca); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the CA file after Close: %v", err)
	}
	if left := sandboxGoroutines(); len(left) > 0 {
		t.Errorf("still running:\n%s", strings.Join(left, "\n\n"))
	}
}

// sandboxGoroutines waits a little for the goroutines of the package to end
// and returns the stacks of those that did not.
func sandboxGoroutines() []string {
	var left []string
	for range 6000 {
		buf := make([]byte, 1<<20)
		buf = buf[:runtime.Stack(buf, true)]
		left = nil
		for g := range strings.SplitSeq(string(buf), "\n\n") {
			if strings.Contains(g, "chiltepin/globus/sandbox.(") {
				left = append(left, g)
			}
		}
		if len(left) == 0 {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return left
}
