package globus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"
)

// Client is an unsigned client for this environment: its certificates,
// proxies, user agent, time limit and retries. It follows no redirect: an
// answer of 3xx is handed back as it is. Every call makes a client of its own,
// with connections of its own.
func (e Environment) Client() *http.Client {
	return e.ClientOver(&network{env: e})
}

// ClientOver is [Environment.Client] with base in the place of the network.
func (e Environment) ClientOver(base http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: &agent{
			base: &Retry{Base: base, Retries: 4, Timeout: e.Timeout, CAFile: e.CAFile},
			name: e.UserAgent,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// agent says who asks.
type agent struct {
	base http.RoundTripper
	name string
}

func (t *agent) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if t.name != "" && r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", t.name)
	}
	return t.base.RoundTrip(r)
}

// network is the machine's own network. Certificates are read when they are
// first needed, for most commands never dial.
type network struct {
	env  Environment
	once sync.Once
	base *http.Transport
	err  error
}

func (t *network) RoundTrip(r *http.Request) (*http.Response, error) {
	t.once.Do(func() { t.base, t.err = t.env.newTransport() })
	if t.err != nil {
		return nil, t.err
	}
	return t.base.RoundTrip(r)
}

func (e Environment) newTransport() (*http.Transport, error) {
	config := &tls.Config{InsecureSkipVerify: e.SkipVerify}
	if e.CAFile != "" && !e.SkipVerify {
		pem, err := os.ReadFile(e.CAFile)
		config.RootCAs = x509.NewCertPool()
		if err != nil || !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &SettingError{Variable: e.CAVariable, Value: e.CAFile, Want: "a readable file with at least one certificate"}
		}
	}
	return &http.Transport{
		Proxy:               e.Proxies.For,
		TLSClientConfig:     config,
		TLSHandshakeTimeout: 30 * time.Second,
		IdleConnTimeout:     30 * time.Second,
		MaxIdleConnsPerHost: 4,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode != http.StatusOK {
				return &ProxyError{Status: resp.Status, code: resp.StatusCode}
			}
			return nil
		},
	}, nil
}
