package endpoint

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// recorded returns what a real daemon left of a failure: how it ended, its log
// and what it printed.
func recorded(t *testing.T, name string) (status string, log, printed []string) {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("testdata", "failures", name+".txtar"))
	if err != nil {
		t.Fatalf("%v; record it with: make record", err)
	}
	parts := map[string]string{}
	for _, f := range a.Files {
		parts[f.Name] = string(f.Data)
	}
	return strings.TrimSpace(parts["status"]), splitLines(parts["endpoint.log"]), splitLines(parts["printed"])
}

// TestSignatures wants each row of the table to be what a real daemon's record
// of its name is told as, and no record without a row.
func TestSignatures(t *testing.T) {
	t.Parallel()
	var names []string
	for _, s := range signatures() {
		names = append(names, s.name)
		status, log, printed := recorded(t, s.name)
		cause, remedy := diagnose(slices.Concat(log, printed))
		if cause != s.cause || remedy != s.remedy {
			t.Errorf("%s is told as %q, want %q", s.name, cause, s.cause)
		}
		if status == "lives" {
			t.Errorf("%s: the daemon lives", s.name)
		}
	}
	for _, l := range links() {
		names = append(names, l.name)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "failures", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".txtar"); !slices.Contains(names, name) {
			t.Errorf("%s is the record of no row", f)
		}
	}
}

// TestExitStatuses holds with which status the daemon leaves which failure.
func TestExitStatuses(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"identity-unknown": "0", "login-expired": "77", "login-missing": "1", "another-runs": "73",
		"registration-locked": "69", "registration-gone": "69", "registration-refused": "65",
		"answer-401": "1", "answer-403": "1", "answer-500": "1", "service-unreachable": "75", "config-invalid": "1",
	} {
		if status, _, _ := recorded(t, name); status != want {
			t.Errorf("%s: exit status %s, want %s", name, status, want)
		}
	}
}

// What nobody has seen before is given no cause: its lines are shown as they
// are.
func TestUnknownFailure(t *testing.T) {
	t.Parallel()
	if cause, remedy := diagnose([]string{"Traceback (most recent call last):", "RuntimeError: something new"}); cause != "" || remedy != "" {
		t.Errorf("told as %q, %q", cause, remedy)
	}
}
