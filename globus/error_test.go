package globus_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"chiltepin/globus"
)

func refused(code int, contentType, body string) *http.Response {
	r, err := http.NewRequest("DELETE", "https://compute.api.globus.org/v2/endpoints/x?secret=query", nil)
	if err != nil {
		panic(err)
	}
	r.Header.Set("Authorization", "Bearer t0k3n-of-the-request")
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

func TestResponseError(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status            int
		contentType, body string
		want              string
	}{
		{404, "application/json", `{"code": "ENDPOINT_NOT_FOUND", "message": "no such endpoint", "request_id": "abc"}`,
			"DELETE /v2/endpoints/x: Globus compute answered 404 Not Found (ENDPOINT_NOT_FOUND): no such endpoint [request abc]"},
		{423, "application/json", `{"code": "RESOURCE_LOCKED", "reason": "locked until noon", "status": "Failed"}`,
			"DELETE /v2/endpoints/x: Globus compute answered 423 Locked (RESOURCE_LOCKED): locked until noon"},
		{400, "application/json", `{"error": "invalid_grant", "error_description": "expired"}`,
			"DELETE /v2/endpoints/x: Globus compute answered 400 Bad Request (invalid_grant): expired"},
		{401, "application/vnd.api+json", `{"errors": [{"code": "UNAUTHORIZED", "detail": "Call must be authenticated", "status": "401"}]}`,
			"DELETE /v2/endpoints/x: Globus compute answered 401 Unauthorized (UNAUTHORIZED): Call must be authenticated"},
		{422, "application/json", `{"detail": [{"loc": ["body"], "msg": "field required"}]}`,
			`DELETE /v2/endpoints/x: Globus compute answered 422 Unprocessable Entity: [{"loc": ["body"], "msg": "field required"}]`},
		{500, "text/plain", "it\nbroke\x1b[31m", "DELETE /v2/endpoints/x: Globus compute answered 500 Internal Server Error: it broke[31m"},
		{502, "text/html", "<html>bad gateway</html>", "DELETE /v2/endpoints/x: Globus compute answered 502 Bad Gateway"},
		{302, "text/html", "", "DELETE /v2/endpoints/x: Globus compute answered 302 Found"},
		{599, "application/json", `[1]`, "DELETE /v2/endpoints/x: Globus compute answered 599"},
		{403, "application/json", `{"code": 5, "message": "you sent t0k3n-of-the-request"}`, "DELETE /v2/endpoints/x: Globus compute answered 403 Forbidden: you sent …"},
		{400, "application/json", `{"message": "` + strings.Repeat("é", 600) + `"}`, "DELETE /v2/endpoints/x: Globus compute answered 400 Bad Request: " + strings.Repeat("é", 500) + "…"},
	} {
		err := globus.ResponseError("compute", refused(test.status, test.contentType, test.body))
		if err == nil || err.Error() != test.want {
			t.Errorf("%d %s:\n got %v\nwant %s", test.status, test.body, err, test.want)
		}
	}
	for _, status := range []int{200, 201, 204} {
		if err := globus.ResponseError("compute", refused(status, "", "")); err != nil {
			t.Error(status, err)
		}
	}
}

func TestClassification(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		400: "", 401: "", 403: "forbidden", 404: "not found", 409: "", 423: "", 429: "unavailable", 500: "unavailable", 502: "unavailable", 503: "unavailable", 504: "unavailable",
	} {
		err := fmt.Errorf("deleting: %w", globus.ResponseError("compute", refused(status, "", "")))
		got := ""
		for name, is := range map[string]func(error) bool{"forbidden": globus.IsForbidden, "not found": globus.IsNotFound, "unavailable": globus.IsUnavailable} {
			if is(err) {
				got += name
			}
		}
		if got != want || globus.StatusOf(err) != status {
			t.Errorf("%d is %q, want %q", status, got, want)
		}
	}
	other := errors.New("something else")
	if globus.IsUnavailable(other) || globus.IsNotFound(other) || globus.StatusOf(other) != 0 || globus.IsUnavailable(nil) {
		t.Error("an error that is no refusal is taken for one")
	}
}

func TestRetryAfterIsKept(t *testing.T) {
	t.Parallel()
	resp := refused(429, "", "")
	resp.Header.Set("Retry-After", "3600")
	refusal, ok := errors.AsType[*globus.Error](globus.ResponseError("compute", resp))
	if !ok || refusal.RetryAfter != time.Hour || !refusal.Temporary() {
		t.Errorf("%+v", refusal)
	}
}

// FuzzResponseError: whatever a service says, the error is one line, bounded,
// printable, and without the token.
func FuzzResponseError(f *testing.F) {
	f.Add(400, "application/json", `{"code": "A", "errors": [{"detail": "t0k3n-of-the-request"}]}`)
	f.Add(500, "text/plain", "a\u2028b\x00\xff")
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		if status < 300 || status > 999 {
			return
		}
		err := globus.ResponseError("compute", refused(status, contentType, body))
		if err == nil {
			t.Fatal("no error")
		}
		text := err.Error()
		if strings.Contains(text, "t0k3n-of-the-request") || len([]rune(text)) > 1000 {
			t.Fatalf("%q", text)
		}
		for _, r := range text {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q is in %q", r, text)
			}
		}
	})
}
