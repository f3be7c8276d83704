package sandbox

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
)

// Env returns what a program's environment must hold to reach the sandbox
// under the production host names, as NAME=VALUE. Variables that are set to
// nothing there undo a person's own proxy settings. It is empty before Start.
// Add it to an environment that Clear's variables were taken out of.
func (s *Sandbox) Env() []string {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if s.net.server == nil {
		return nil
	}
	proxy := "http://" + s.net.proxy.Addr().String()
	return []string{
		"HTTPS_PROXY=" + proxy, "https_proxy=" + proxy,
		"NO_PROXY=", "no_proxy=",
		"GLOBUS_SDK_VERIFY_SSL=" + s.net.caFile,
		"SSL_CERT_FILE=" + s.net.caFile,
		"REQUESTS_CA_BUNDLE=" + s.net.caFile,
		"CURL_CA_BUNDLE=" + s.net.caFile,
		"GLOBUS_SANDBOX_URL=http://" + s.net.web.Addr().String(),
		"GLOBUS_SANDBOX_ID=" + s.net.id,
	}
}

// Transport reaches a started sandbox as another program would: through the
// proxy, with TLS, under the production host names. The caller closes its idle
// connections.
func (s *Sandbox) Transport() (*http.Transport, error) {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if s.net.server == nil {
		return nil, errors.New("the sandbox is not started")
	}
	pem, err := os.ReadFile(s.net.caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	proxy := &url.URL{Scheme: "http", Host: s.net.proxy.Addr().String()}
	return &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots}}, nil
}

// Clear names the variables that must not be in the environment of such a
// program: they lead elsewhere, or hold real credentials.
func (s *Sandbox) Clear() []string {
	return []string{
		"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "SSL_CERT_DIR",
		"GLOBUS_SDK_ENVIRONMENT", "GLOBUS_SDK_SERVICE_URL_AUTH", "GLOBUS_SDK_SERVICE_URL_COMPUTE",
		"GLOBUS_SDK_SERVICE_URL_TRANSFER",
		"GLOBUS_COMPUTE_CLIENT_ID", "GLOBUS_COMPUTE_CLIENT_SECRET", "GLOBUS_COMPUTE_SCOPE",
		"GLOBUS_CLI_CLIENT_ID", "GLOBUS_CLI_CLIENT_SECRET",
		"ACADEMY_GLOBUS_CLIENT_ID", "ACADEMY_GLOBUS_CLIENT_SECRET", "ACADEMY_EXCHANGE_CLIENT_ID",
	}
}

// Environ is base with Clear's variables out and Env's in: a child's whole
// environment.
func (s *Sandbox) Environ(base []string) []string {
	set := s.Env()
	gone := s.Clear()
	for _, kv := range set {
		name, _, _ := strings.Cut(kv, "=")
		gone = append(gone, name)
	}
	out := make([]string, 0, len(base)+len(set))
	for _, kv := range base {
		if name, _, _ := strings.Cut(kv, "="); !slices.Contains(gone, name) {
			out = append(out, kv)
		}
	}
	return append(out, set...)
}
