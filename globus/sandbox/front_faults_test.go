package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

const versionURL = "https://compute.api.globus.org/v2/version?service=all"

// outcome is what a client sees of one request.
type outcome struct {
	Status  int
	Body    string
	Broken  bool // the answer ended early
	Nothing bool // no answer at all
}

func fetch(c *http.Client, ctx context.Context, url string) outcome {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return outcome{Nothing: true}
	}
	answer, err := c.Do(r)
	if err != nil {
		return outcome{Nothing: true}
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return outcome{Status: answer.StatusCode, Body: string(body), Broken: errors.Is(err, io.ErrUnexpectedEOF)}
}

const truth = `{"api":"1.0.0-sandbox","git_sha":"0000000000000000000000000000000000000000","min_ep_version":"1.0.0","min_sdk_version":"1.0.0"}` + "\n"

func faultTests() []struct {
	name  string
	fault sandbox.Fault
	want  outcome
} {
	text := "<html>"
	return []struct {
		name  string
		fault sandbox.Fault
		want  outcome
	}{
		{"status", sandbox.Fault{Status: 503}, outcome{Status: 503, Body: `{"code":"","detail":"","error_args":[],"http_status_code":503,"reason":"","status":"Failed"}` + "\n"}},
		{"code", sandbox.Fault{Status: 423, Code: "ENDPOINT_LOCKED", Detail: "locked"}, outcome{Status: 423, Body: `{"code":"ENDPOINT_LOCKED","detail":"locked","error_args":[],"http_status_code":423,"reason":"locked","status":"Failed"}` + "\n"}},
		{"body", sandbox.Fault{Body: &text, ContentType: "text/html"}, outcome{Status: 200, Body: "<html>"}},
		{"half", sandbox.Fault{Half: true}, outcome{Status: 200, Body: truth[:len(truth)/2], Broken: true}},
		{"drop", sandbox.Fault{Drop: true}, outcome{Nothing: true}},
		{"other path", sandbox.Fault{Path: "/v3/*", Status: 500}, outcome{Status: 200, Body: truth}},
		{"other method", sandbox.Fault{Method: "POST", Status: 500}, outcome{Status: 200, Body: truth}},
		{"other host", sandbox.Fault{Host: sandbox.AuthHost, Status: 500}, outcome{Status: 200, Body: truth}},
		{"skipped", sandbox.Fault{Skip: 1, Status: 500}, outcome{Status: 200, Body: truth}},
	}
}

func TestFaultsInProcess(t *testing.T) {
	t.Parallel()
	for _, tt := range faultTests() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := sandboxtest.New(t)
			b.Order(tt.fault)
			if diff := cmp.Diff(tt.want, fetch(b.Client(), t.Context(), versionURL)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The same faults look the same to a client on the other side of a proxy.
func TestFaultsOverTheNetwork(t *testing.T) {
	t.Parallel()
	b := sandboxtest.Start(t)
	transport, err := b.Transport()
	if err != nil {
		t.Fatal(err)
	}
	transport.DisableKeepAlives = true // or Go repeats a dropped GET
	c := &http.Client{Transport: transport}
	for _, tt := range faultTests() {
		b.Order(tt.fault)
		if diff := cmp.Diff(tt.want, fetch(c, t.Context(), versionURL)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		b.ClearFaults()
	}
}

func TestFaultTimes(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	b.Order(sandbox.Fault{Path: "/v2/version", Status: 500, Skip: 1, Times: 2, Header: map[string]string{"Retry-After": "7"}})
	var got []int
	for range 5 {
		got = append(got, fetch(b.Client(), t.Context(), versionURL).Status)
	}
	if diff := cmp.Diff([]int{200, 500, 500, 200, 200}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if e := b.Journal()[1]; e.Fault != "Internal Server Error" || e.Status != 500 {
		t.Errorf("journal = %+v", e)
	}
}

func TestFaultAfterTheEffect(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	b.Order(sandbox.Fault{Path: "/v2/oauth2/token", Grant: "authorization_code", Drop: true, Effect: true, Times: 1})
	form := codeForm(b.AuthorizeCode(authorizeURL()))
	if _, err := b.Client().PostForm("https://auth.globus.org/v2/oauth2/token", form); err == nil {
		t.Fatal("the answer arrived")
	}
	if got := b.Unrevoked(); len(got) != 4 {
		t.Errorf("tokens issued = %v, want four that nobody got", got)
	}
	if status, _ := post(t, b.Client(), "/v2/oauth2/token", form, "", ""); status != 400 {
		t.Errorf("the code was not used up: %d", status)
	}
}

func TestSlowAndSilentServices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := sandboxtest.New(t)
		b.Order(sandbox.Fault{Delay: 30 * time.Second, Times: 1})
		b.Order(sandbox.Fault{Hang: true, Times: 1})
		began := time.Now()
		if got := fetch(b.Client(), t.Context(), versionURL); got.Status != 200 || time.Since(began) != 30*time.Second {
			t.Errorf("slow: %+v after %s", got, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began = time.Now()
		if got := fetch(b.Client(), ctx, versionURL); !got.Nothing || time.Since(began) != time.Minute {
			t.Errorf("silent: %+v after %s", got, time.Since(began))
		}
	})
}
