package compute_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus"
	"chiltepin/globus/compute"
)

const id = "9f1e2d3c-4b5a-4968-8776-655443322110"

// service answers one request and remembers it.
type service struct {
	status       int
	body         string
	method, path string
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	s.method, s.path = r.Method, r.URL.RequestURI()
	status := s.status
	if status == 0 {
		status = 200
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(s.body)), Request: r}, nil
}

func (s *service) client() *compute.Client {
	return &compute.Client{HTTP: &http.Client{Transport: s}, BaseURL: "https://compute.api.globus.org/"}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	for want, test := range map[string]struct {
		body string
		do   func(context.Context, *compute.Client) (any, error)
		got  any
	}{
		"GET /v2/version?service=all": {
			`{"api": "1.2.3", "min_sdk_version": "2.0.0", "min_ep_version": "3.0.0", "more": true}`,
			func(ctx context.Context, c *compute.Client) (any, error) { return c.Version(ctx) },
			compute.Version{API: "1.2.3", MinSDK: "2.0.0", MinEndpoint: "3.0.0"},
		},
		"GET /v2/endpoints/" + id + "/status": {
			`{"status": "online", "details": {"total_workers": 3}}`,
			func(ctx context.Context, c *compute.Client) (any, error) { return c.Status(ctx, id) },
			compute.Status{Online: true, Word: "online", Details: []byte(`{"total_workers": 3}`)},
		},
		"GET /v2/endpoints?role=any": {
			`[{"uuid": "` + id + `", "name": "mesa", "display_name": null, "owner": "o"}]`,
			func(ctx context.Context, c *compute.Client) (any, error) { return c.List(ctx, "any") },
			[]compute.Summary{{ID: id, Name: "mesa", Owner: "o"}},
		},
		"GET /v2/endpoints": {
			`[]`,
			func(ctx context.Context, c *compute.Client) (any, error) { return c.List(ctx, "") },
			[]compute.Summary{},
		},
		"GET /v2/endpoints/" + id: {
			`{"uuid": "` + id + `", "name": "mesa", "multi_user": true, "hostname": "login01", "endpoint_version": "4.19.0"}`,
			func(ctx context.Context, c *compute.Client) (any, error) { return c.Metadata(ctx, id) },
			compute.Metadata{ID: id, Name: "mesa", MultiUser: true, Hostname: "login01", Version: "4.19.0",
				All: []byte(`{"uuid": "` + id + `", "name": "mesa", "multi_user": true, "hostname": "login01", "endpoint_version": "4.19.0"}`)},
		},
		"POST /v3/endpoints/" + id + "/lock": {
			`{"endpoint_id": "` + id + `", "lock_expiration_timestamp": "2026-01-01T00:00:00"}`,
			func(ctx context.Context, c *compute.Client) (any, error) { return nil, c.Lock(ctx, id) },
			nil,
		},
		"DELETE /v2/endpoints/" + id: {
			`{"result": 302}`,
			func(ctx context.Context, c *compute.Client) (any, error) { return nil, c.Delete(ctx, id) },
			nil,
		},
	} {
		s := &service{body: test.body}
		got, err := test.do(t.Context(), s.client())
		if asked := s.method + " " + s.path; asked != want {
			t.Errorf("asked %s, want %s", asked, want)
		}
		if diff := cmp.Diff(test.got, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", want, err, diff)
		}
	}
}

func TestStatusOffline(t *testing.T) {
	t.Parallel()
	s := &service{body: `{"status": "offline", "details": null}`}
	got, err := s.client().Status(t.Context(), id)
	if diff := cmp.Diff(compute.Status{Word: "offline"}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := &service{status: 404, body: `{"code": "ENDPOINT_NOT_FOUND", "message": "gone"}`}
	for name, err := range map[string]error{
		"status": second(s.client().Status(t.Context(), id)), "delete": s.client().Delete(t.Context(), id), "lock": s.client().Lock(t.Context(), id), "metadata": second(s.client().Metadata(t.Context(), id)),
	} {
		if !globus.IsNotFound(err) || !strings.HasSuffix(err.Error(), "(ENDPOINT_NOT_FOUND): gone") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// An id that is none reaches no route: an empty one would be all endpoints.
func TestIDs(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "x", "../endpoints", "urn:uuid:" + id, "{" + id + "}", id + "/status", strings.ReplaceAll(id, "-", "")} {
		s := &service{body: `{}`}
		if err := s.client().Delete(t.Context(), bad); err == nil || s.method != "" {
			t.Errorf("%q: %v, asked %q", bad, err, s.path)
		}
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "<html>", "[]", `{"status": 5}`, `{}`, `{"status": ""}`} {
		s := &service{body: body}
		if got, err := s.client().Status(t.Context(), id); err == nil || got.Online {
			t.Errorf("%q: %+v, %v", body, got, err)
		}
	}
	// A proxy's page with status 200 ends no registration.
	for _, body := range []string{"", "<html>a portal</html>", `{"a":`, `"done"`} {
		s := &service{body: body}
		if err := s.client().Delete(t.Context(), id); !globus.IsUnavailable(err) {
			t.Errorf("delete, answered with %q: %v", body, err)
		}
	}
}
