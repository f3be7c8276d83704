package globus_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chiltepin/globus"
	"chiltepin/globus/next"
)

// secure is a TLS server with a certificate of its own authority, and the file
// of that authority.
func secure(t *testing.T) (server *httptest.Server, caFile string) {
	t.Helper()
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello from "+r.Host)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(caFile, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return server, caFile
}

func ask(t *testing.T, env map[string]string, address string) (string, error) {
	t.Helper()
	e, err := globus.NewEnvironment(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	client := e.Client()
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	server, caFile := secure(t)
	host := strings.TrimPrefix(server.URL, "https://")
	for name, env := range map[string]map[string]string{
		"by GLOBUS_SDK_VERIFY_SSL": {"GLOBUS_SDK_VERIFY_SSL": caFile},
		"by SSL_CERT_FILE":         {"SSL_CERT_FILE": caFile},
		"by both":                  {"GLOBUS_SDK_VERIFY_SSL": caFile, "SSL_CERT_FILE": "/nonexistent"},
		"not at all":               {"GLOBUS_SDK_VERIFY_SSL": "no", "SSL_CERT_FILE": "/nonexistent"},
	} {
		if got, err := ask(t, env, server.URL); err != nil || got != "hello from "+host {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}

	begun := time.Now()
	_, err := ask(t, nil, server.URL)
	network, ok := errors.AsType[*globus.NetworkError](err)
	if !ok || !network.Untrusted || network.Attempts != 1 || nextOf(network) != "set GLOBUS_SDK_VERIFY_SSL to a file with the certificate of the authority that signs for "+host {
		t.Errorf("unknown authority: %v", err)
	}
	if _, err := ask(t, map[string]string{"GLOBUS_SDK_VERIFY_SSL": caFile}, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)); err == nil {
		t.Error("a certificate for another name was accepted")
	}
	if time.Since(begun) > 5*time.Second {
		t.Error("a certificate that is not accepted was tried again")
	}
	_, err = ask(t, map[string]string{"SSL_CERT_FILE": "/nonexistent"}, server.URL)
	if setting, ok := errors.AsType[*globus.SettingError](err); !ok || setting.Variable != "SSL_CERT_FILE" {
		t.Errorf("missing file of certificates: %v", err)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = ask(t, map[string]string{"GLOBUS_SDK_VERIFY_SSL": empty}, server.URL)
	if setting, ok := errors.AsType[*globus.SettingError](err); !ok || setting.Variable != "GLOBUS_SDK_VERIFY_SSL" {
		t.Errorf("file without certificates: %v", err)
	}
}

// What answers on the port does not speak TLS: no reason to try again.
func TestNotTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	_, err := ask(t, nil, strings.Replace(server.URL, "http:", "https:", 1))
	if network, ok := errors.AsType[*globus.NetworkError](err); !ok || !network.Untrusted || network.Attempts != 1 {
		t.Error(err)
	}
}

func TestProxyIsUsed(t *testing.T) {
	t.Parallel()
	var seen []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.RequestURI)
		if r.Method == http.MethodConnect {
			http.Error(w, "no way", http.StatusForbidden)
			return
		}
		io.WriteString(w, "by proxy")
	}))
	t.Cleanup(proxy.Close)
	env := map[string]string{"HTTP_PROXY": proxy.URL, "HTTPS_PROXY": strings.TrimPrefix(proxy.URL, "http://")}
	if got, err := ask(t, env, "http://localhost:9/x"); err != nil || got != "by proxy" {
		t.Errorf("an address on this machine: %q, %v", got, err)
	}
	_, err := ask(t, env, "https://compute.api.globus.org/")
	refusal, ok := errors.AsType[*globus.ProxyError](err)
	if !ok || refusal.Status != "403 Forbidden" || !globus.IsUnavailable(err) {
		t.Errorf("a proxy that refuses: %v", err)
	}
	if network, ok := errors.AsType[*globus.NetworkError](err); !ok || nextOf(network) != "check HTTPS_PROXY and NO_PROXY" {
		t.Errorf("a proxy that refuses: %v", err)
	}
	if got := strings.Join(seen, ", "); got != "GET http://localhost:9/x, CONNECT compute.api.globus.org:443" {
		t.Errorf("the proxy saw %s", got)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.URL
	server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	e := environment(t)
	r, _ := http.NewRequestWithContext(ctx, "GET", address, nil)
	_, err := e.Client().Do(r)
	host := strings.TrimPrefix(address, "http://")
	if network, ok := errors.AsType[*globus.NetworkError](err); !ok || !strings.HasPrefix(network.Error(), host+" could not be reached") || !strings.HasSuffix(network.Error(), ": connection refused") {
		t.Error(err)
	}
	if u, ok := errors.AsType[*url.Error](err); !ok || u.URL != address {
		t.Error(err)
	}
}

// nextOf is the one thing that an error says to do.
func nextOf(err error) string {
	steps := next.Of(err)
	if len(steps) != 1 || steps[0].Operation != "" {
		return fmt.Sprintf("%+v", steps)
	}
	return steps[0].Why
}
