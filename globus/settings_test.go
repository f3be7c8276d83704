package globus_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chiltepin/globus"
	"chiltepin/globus/runtime/runtimetest"
)

type setting struct {
	Env map[string]string `json:"env"`
	URL string            `json:"url,omitempty"`
}

// python answers cases with the code of the Python programs.
func python[T any](t *testing.T, cases []setting) []T {
	t.Helper()
	in, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(runtimetest.Env(t, runtimetest.Newest).Python, "testdata/settings.py")
	command.Stdin, command.Stderr = bytes.NewReader(in), os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []T
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(cases) {
		t.Fatalf("%v: %s", err, out)
	}
	return answers
}

// The daemon and this program must end up at the same service, whatever the
// environment holds.
func TestEnvironmentAsInPython(t *testing.T) {
	t.Parallel()
	pem := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(pem, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var cases []setting
	for _, name := range []string{"", "production", "preview", "sandbox", "test", "integration", "staging", "dev", "local", "nonsense", "Production"} {
		for _, auth := range []string{"", "http://127.0.0.1:8080/", "https://auth.example.org/deep/"} {
			env := map[string]string{"GLOBUS_SDK_SERVICE_URL_COMPUTE": "http://127.0.0.1:1/"}
			if name != "" {
				env["GLOBUS_SDK_ENVIRONMENT"] = name
			}
			if auth != "" {
				env["GLOBUS_SDK_SERVICE_URL_AUTH"] = auth
			}
			cases = append(cases, setting{Env: env})
		}
	}
	for _, verify := range []string{"y", "YES", "t", "True", "on", "1", "n", "no", "F", "false", "OFF", "0", pem, filepath.Dir(pem), "/nonexistent", "2", "maybe"} {
		cases = append(cases, setting{Env: map[string]string{"GLOBUS_SDK_VERIFY_SSL": verify}})
	}
	for _, timeout := range []string{"", "60", "0.5", "-1", "-1.0", "1e2", " 7 ", "soon", "1h"} {
		cases = append(cases, setting{Env: map[string]string{"GLOBUS_SDK_HTTP_TIMEOUT": timeout}})
	}
	type answer struct {
		Name, Auth, Compute string
		Verify, Timeout     any
	}
	for i, want := range python[answer](t, cases) {
		env := cases[i].Env
		e, err := globus.NewEnvironment(func(name string) string { return env[name] })
		if failed := want.Auth == "error" || want.Verify == "error" || want.Timeout == "error"; failed || err != nil {
			if failed != (err != nil) {
				t.Errorf("%v: Python says %+v, here: %v", env, want, err)
			}
			continue
		}
		if e.Name != want.Name || e.AuthURL != want.Auth || e.ComputeURL != want.Compute {
			t.Errorf("%v: Python says %+v, here: %+v", env, want, e)
		}
		var verify any = !e.SkipVerify
		if e.CAFile != "" {
			verify = e.CAFile
		}
		if verify != want.Verify {
			t.Errorf("%v: verify %v, Python %v", env, verify, want.Verify)
		}
		seconds, _ := want.Timeout.(float64)
		if e.Timeout.Seconds() != seconds {
			t.Errorf("%v: timeout %s, Python %v", env, e.Timeout, want.Timeout)
		}
	}
}

func TestProxiesAsInPython(t *testing.T) {
	t.Parallel()
	urls := []string{
		"https://compute.api.globus.org/v2", "https://compute.api.globus.org:8443/", "http://localhost:5000/", "http://127.0.0.1:8080/x", "https://10.1.2.3/", "https://[::1]:8443/", "https://COMPUTE.api.globus.org/",
	}
	proxies := []map[string]string{
		{"HTTPS_PROXY": "http://p:1", "HTTP_PROXY": "http://q:2"},
		{"https_proxy": "http://lower:1", "HTTPS_PROXY": "http://upper:1"},
		{"ALL_PROXY": "http://all:3"},
		{"all_proxy": "http://all:3", "HTTPS_PROXY": "http://p:1"},
		{"HTTP_PROXY": "http://q:2", "REQUEST_METHOD": "GET"},
		{"http_proxy": "http://q:2", "REQUEST_METHOD": "GET"},
		{},
	}
	exceptions := []string{
		"", "*", "localhost", "127.0.0.1", "localhost, 127.0.0.1", "globus.org", ".globus.org", "api.globus.org:8443", "lobus.org", "compute.api.globus.org", "10.0.0.0/8", "10.1.2.3", "127.0.0.0/8",
		"GLOBUS.ORG", "*.globus.org", ",,", "::1", "192.168.0.0/16,api.globus.org", "*,localhost", "10.1.2.3/32", "0.0.0.0/0",
	}
	var cases []setting
	for _, url := range urls {
		for _, proxy := range proxies {
			for _, exception := range exceptions {
				env := map[string]string{}
				for name, value := range proxy {
					env[name] = value
				}
				if exception != "" {
					env["NO_PROXY"] = exception
				}
				cases = append(cases, setting{Env: env, URL: url})
			}
		}
	}
	type answer struct{ Proxy string }
	for i, want := range python[answer](t, cases) {
		env := cases[i].Env
		e, err := globus.NewEnvironment(func(name string) string { return env[name] })
		if err != nil {
			t.Fatal(env, err)
		}
		r, err := http.NewRequest("GET", cases[i].URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		proxy, err := e.Proxies.For(r)
		got := ""
		if proxy != nil {
			got = proxy.String()
		}
		if got != want.Proxy || err != nil {
			t.Errorf("%s with %v: %q (%v), Python %q", cases[i].URL, env, got, err, want.Proxy)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	e, err := globus.NewEnvironment(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	if e.Name != "production" || e.AuthURL != "https://auth.globus.org" || e.ComputeURL != "https://compute.api.globus.org" || e.TransferURL != "https://transfer.api.globus.org" || e.Timeout != time.Minute || e.SkipVerify || e.CAFile != "" {
		t.Errorf("%+v", e)
	}
	for env, want := range map[string]string{
		"GLOBUS_SDK_ENVIRONMENT=moon":                        `GLOBUS_SDK_ENVIRONMENT: want production, preview, sandbox, integration, test or staging, or any other name together with GLOBUS_SDK_SERVICE_URL_AUTH, got "moon"`,
		"GLOBUS_SDK_SERVICE_URL_AUTH=auth.globus.org":        `GLOBUS_SDK_SERVICE_URL_AUTH: want an http or https address such as https://auth.globus.org/, got "auth.globus.org"`,
		"GLOBUS_SDK_SERVICE_URL_TRANSFER=ftp://u:hush@x/":    `GLOBUS_SDK_SERVICE_URL_TRANSFER: want an http or https address such as https://auth.globus.org/, got "ftp://x/"`,
		"GLOBUS_SDK_VERIFY_SSL=/nonexistent/ca.pem":          `GLOBUS_SDK_VERIFY_SSL: want yes, no, or the path of a file of certificates that exists, got "/nonexistent/ca.pem"`,
		"GLOBUS_SDK_HTTP_TIMEOUT=soon":                       `GLOBUS_SDK_HTTP_TIMEOUT: want a number of seconds such as 60, or -1 for no limit, got "soon"`,
		"GLOBUS_SDK_HTTP_TIMEOUT=0":                          `GLOBUS_SDK_HTTP_TIMEOUT: want a number of seconds such as 60, or -1 for no limit, got "0"`,
		"HTTPS_PROXY=ftp://u:hush@proxy":                     `HTTPS_PROXY: want the address of a proxy such as http://proxy.example.org:3128, got "ftp://proxy"`,
		"https_proxy=://":                                    `https_proxy: want the address of a proxy such as http://proxy.example.org:3128, got "://"`,
		"ALL_PROXY=u:hush@proxy:port":                        `ALL_PROXY: want the address of a proxy such as http://proxy.example.org:3128, got "proxy:port"`,
		"GLOBUS_SDK_SERVICE_URL_AUTH=https://a/?token=hush5": `GLOBUS_SDK_SERVICE_URL_AUTH: want an http or https address such as https://auth.globus.org/, got "https://a/"`,
	} {
		name, value, _ := strings.Cut(env, "=")
		_, err := globus.NewEnvironment(func(n string) string { return map[string]string{name: value}[n] })
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", env, err, want)
		}
	}
}
