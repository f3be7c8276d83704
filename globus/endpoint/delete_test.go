package endpoint

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus"
)

func TestDelete(t *testing.T) {
	t.Parallel()
	const json = `{"endpoint_id": "` + testID + `"}`
	notFound := &globus.Error{Service: "compute", Method: "DELETE", Path: "/x", Status: http.StatusNotFound}
	unreachable := errors.New("unreachable")
	for _, row := range []struct {
		name    string
		json    string // endpoint.json
		service error
		none    bool // no service at all
		options DeleteOptions
		steps   []StepOutcome
		err     string
		deleted []string
	}{
		{name: "never registered", none: true, steps: []StepOutcome{
			{"stop", "not needed", "it was not running"}, {"deregister", "not needed", "it was never registered"}, {"directory", "done", "DIR"}}},
		{name: "registered", json: json, deleted: []string{testID}, steps: []StepOutcome{
			{"stop", "not needed", "it was not running"}, {"deregister", "done", testID}, {"user endpoints", "done", "1 removed"}, {"directory", "done", "DIR"}}},
		{name: "gone at the service", json: json, service: notFound, steps: []StepOutcome{
			{"stop", "not needed", "it was not running"}, {"deregister", "already gone", testID}, {"user endpoints", "done", "1 removed"}, {"directory", "done", "DIR"}}},
		{name: "unreachable", json: json, service: unreachable, err: `deleting endpoint "mesa": nothing was removed: unreachable`, steps: []StepOutcome{
			{"stop", "not needed", "it was not running"}, {"deregister", "failed", "unreachable"}}},
		{name: "unreachable, local only", json: json, service: unreachable, options: DeleteOptions{LocalOnly: true}, steps: []StepOutcome{
			{"stop", "not needed", "it was not running"}, {"deregister", "not done", testID + " is still registered: unreachable"}, {"user endpoints", "done", "1 removed"}, {"directory", "done", "DIR"}}},
		{name: "nobody to ask", json: json, none: true, err: `deleting endpoint "mesa": nothing was removed: no connection to the Globus Compute service is set up`, steps: []StepOutcome{
			{"stop", "not needed", "it was not running"}, {"deregister", "failed", "no connection to the Globus Compute service is set up"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, script{})
			f := &fakeService{err: row.service}
			if !row.none {
				b.serve(f)
			}
			user := b.userDir()
			if row.json != "" {
				b.file("endpoint.json", row.json)
			}
			other := filepath.Join(b.dir, "uep.11111111-1111-1111-1111-111111111111."+testUser)
			if err := os.Mkdir(other, 0o700); err != nil {
				t.Fatal(err)
			}
			r, err := b.Delete(t.Context(), "mesa", row.options)
			text := ""
			if err != nil {
				text = err.Error()
			}
			if text != row.err {
				t.Errorf("Delete: %q, want %q", text, row.err)
			}
			for i, s := range r.Steps {
				if s.Detail == b.ep.Path() {
					r.Steps[i].Detail = "DIR"
				}
			}
			if diff := cmp.Diff(row.steps, r.Steps); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(row.deleted, f.deleted); diff != "" {
				t.Error(diff)
			}
			_, there := os.Stat(b.ep.Path())
			if (there == nil) != (row.err != "") {
				t.Errorf("the directory: %v", there)
			}
			_, userThere := os.Stat(user)
			if (userThere == nil) != (row.err != "" || row.json == "") {
				t.Errorf("the user endpoint's directory: %v", userThere)
			}
			if _, err := os.Stat(other); err != nil {
				t.Error("another endpoint's user endpoint is gone")
			}
		})
	}
}

func TestDeleteRunning(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	f := &fakeService{}
	b.serve(f)
	pid := b.start().Status.Evidence.Process.PID
	var running *RunningError
	if _, err := b.Delete(t.Context(), "mesa", DeleteOptions{}); !errors.As(err, &running) || running.PID != pid || !alive(pid) {
		t.Fatalf("Delete: %v, want it refused", err)
	}
	r, err := b.Delete(t.Context(), "mesa", DeleteOptions{Force: true})
	if err != nil || alive(pid) {
		t.Fatalf("Delete = %+v, %v; want it stopped and gone", r, err)
	}
	if diff := cmp.Diff([]StepOutcome{{"stop", "done", "SIGTERM"}, {"deregister", "done", testID}, {"directory", "done", b.ep.Path()}}, r.Steps); diff != "" {
		t.Error(diff)
	}
	if _, err := b.Delete(t.Context(), "mesa", DeleteOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("second Delete: %v, want not found", err)
	}
}

// An endpoint.json that cannot be read is not taken for a registration that
// never was.
func TestDeleteCorruptID(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	b.serve(&fakeService{})
	b.file("endpoint.json", "{")
	var failed *DeleteError
	if _, err := b.Delete(t.Context(), "mesa", DeleteOptions{}); !errors.As(err, &failed) || !b.has("config.yaml") {
		t.Errorf("Delete: %v, want it refused", err)
	}
	if _, err := b.Delete(t.Context(), "mesa", DeleteOptions{LocalOnly: true}); err != nil || b.has("config.yaml") {
		t.Errorf("Delete: %v, want it gone", err)
	}
}
