package compute_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus"
	"chiltepin/globus/compute"
)

const id = "9f1e2d3c-4b5a-4968-8776-655443322110"

// service answers one request and remembers it.
type service struct {
	status       int
	body, date   string
	method, path string
	sent         string
	again        bool // the request could be sent twice
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	s.method, s.path, s.again = r.Method, r.URL.RequestURI(), r.GetBody != nil
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		s.sent = string(b)
	}
	status := s.status
	if status == 0 {
		status = 200
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}, "Date": {s.date}}, Body: io.NopCloser(strings.NewReader(s.body)), Request: r}, nil
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
			compute.Availability{Online: true, Word: "online", Details: []byte(`{"total_workers": 3}`)},
		},
		"GET /v2/endpoints?role=any": {
			`[{"uuid": "` + id + `", "name": "mesa", "display_name": null, "owner": "o"}]`,
			func(ctx context.Context, c *compute.Client) (any, error) { return c.List(ctx, "any") },
			[]compute.Summary{{ID: id, Name: "mesa", Owner: "o"}},
		},
		"GET /v2/get_amqp_result_connection_url": {
			`{"queue_prefix": "x", "connection_url": "amqps://someone:hush@broker.example.org/%2F"}`,
			func(ctx context.Context, c *compute.Client) (any, error) { return c.Broker(ctx) },
			compute.Broker{Host: "broker.example.org", Port: 5671, TLS: true},
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
		"POST /v3/functions": {
			`{"function_uuid": "` + id + `"}`,
			func(ctx context.Context, c *compute.Client) (any, error) {
				return c.RegisterFunction(ctx, compute.Function{Name: "f", Source: "def f(): pass\n"})
			},
			id,
		},
		"POST /v3/endpoints/" + id + "/submit": {
			`{"request_id": "r", "task_group_id": "g", "endpoint_id": "` + id + `", "tasks": {"` + id + `": ["` + id + `"]}}`,
			func(ctx context.Context, c *compute.Client) (any, error) {
				return c.Submit(ctx, id, compute.Submission{Function: id, Args: []any{"ü"}})
			},
			compute.Submitted{Task: id, Group: "g"},
		},
		"GET /v2/tasks/" + id: {
			`{"task_id": "` + id + `", "status": "success", "result": "11\n{\"a\": 1}"}`,
			func(ctx context.Context, c *compute.Client) (any, error) { return c.Task(ctx, id) },
			compute.Task{Done: true, Result: map[string]any{"a": 1.0}},
		},
		"DELETE /v2/functions/" + id: {
			`{"result": 302}`,
			func(ctx context.Context, c *compute.Client) (any, error) { return nil, c.DeleteFunction(ctx, id) },
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

// TestSubmission holds what goes to the service by the SDK's strategies, and
// that it goes once.
func TestSubmission(t *testing.T) {
	t.Parallel()
	s := &service{body: `{"function_uuid": "` + id + `", "tasks": {"` + id + `": ["` + id + `"]}}`}
	if _, err := s.client().RegisterFunction(t.Context(), compute.Function{Name: "f", Source: "def f(): return 'ü'\n"}); err != nil {
		t.Fatal(err)
	}
	if want := `{"description":"","function_code":"25\nst\nf:def f(): return 'ü'\n","function_name":"f","meta":{"serde_identifier":"st\n"}}`; s.sent != want || s.again {
		t.Errorf("sent %s, want %s; again: %v", s.sent, want, s.again)
	}
	_, err := s.client().Submit(t.Context(), id, compute.Submission{Function: id, Args: []any{"ü"}, Config: map[string]any{"mpi": true}, Resources: map[string]any{"num_nodes": 1}})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"create_queue":false,"resource_specification":{"num_nodes":1},"result_serializers":["globus_compute_sdk.serialize.JSONData"],"tasks":{"` + id + `":["8\n11\n[\"ü\"]5\n11\n{}"]},"user_endpoint_config":{"mpi":true},"user_runtime":null}`
	if diff := cmp.Diff(want, s.sent); diff != "" || s.again {
		t.Errorf("again: %v, %s", s.again, diff)
	}
}

func TestTasks(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]compute.Task{
		`{"status": "pending"}`:                           {},
		`{"status": "waiting-for-nodes"}`:                 {},
		`{"status": "failed", "exception": "Traceback"}`:  {Done: true, Exception: "Traceback"},
		`{"status": "failed"}`:                            {Done: true, Exception: "the service calls it failed, and does not say why"},
		`{"status": "success", "result": "00\ngASVCg=="}`: {Done: true},
	} {
		s := &service{body: body}
		got, err := s.client().Task(t.Context(), id)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", body, err, diff)
		}
	}
}

func TestStatusOffline(t *testing.T) {
	t.Parallel()
	s := &service{body: `{"status": "offline", "details": null}`}
	got, err := s.client().Status(t.Context(), id)
	if diff := cmp.Diff(compute.Availability{Word: "offline"}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := &service{status: 404, body: `{"code": "ENDPOINT_NOT_FOUND", "message": "gone"}`}
	for name, err := range map[string]error{
		"status": second(s.client().Status(t.Context(), id)), "delete": s.client().Delete(t.Context(), id), "metadata": second(s.client().Metadata(t.Context(), id)),
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

func TestClock(t *testing.T) {
	t.Parallel()
	s := &service{body: "{}", date: "Thu, 26 Nov 2026 01:02:03 GMT"}
	at, err := s.client().Clock(t.Context())
	if want := time.Date(2026, 11, 26, 1, 2, 3, 0, time.UTC); err != nil || !at.Equal(want) || s.path != "/v2/version?service=all" {
		t.Errorf("%s, %v, asked %s", at, err, s.path)
	}
	for _, none := range []*service{{body: "{}"}, {body: "{}", date: "noon"}, {status: 403, body: "{}", date: "Thu, 26 Nov 2026 01:02:03 GMT"}} {
		if at, err := none.client().Clock(t.Context()); err == nil {
			t.Errorf("%+v: %s", none, at)
		}
	}
}
