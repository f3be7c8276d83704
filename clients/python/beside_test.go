package python

import (
	"encoding/json"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// newPythonChiltepin makes an environment with the packages that Python
// Chiltepin needs, and returns it with the wheel that PyPI has.
func newPythonChiltepin(t *testing.T) (v venv, wheel string) {
	t.Helper()
	newest := runtimetest.Env(t, runtimetest.Newest)
	return newVenv(t, &newest, "chiltepin"), filepath.Join(upstream(t), "chiltepin-0.1.7-py3-none-any.whl")
}

// TestBeside installs and removes this module and Python Chiltepin in both
// orders. Neither touches a file of the other, and chiltepin.endpoint is the
// original's wherever that is.
func TestBeside(t *testing.T) {
	t.Parallel()
	v, theirs := newPythonChiltepin(t)
	ours := built(t)
	before := v.files(t)
	const inPlace, original = "chiltepin_endpoint/in_place/chiltepin/endpoint.py", "chiltepin/endpoint.py"
	for _, step := range []struct {
		what, module string
		do           func()
	}{
		{"ours alone", inPlace, func() { v.install(t, ours) }},
		{"theirs after ours", original, func() { v.install(t, theirs) }},
		{"without ours", original, func() { v.pip(t, "uninstall", "--yes", "--quiet", "chiltepin-endpoint") }},
		{"ours after theirs", original, func() { v.install(t, ours) }},
		{"without theirs", inPlace, func() { v.pip(t, "uninstall", "--yes", "--quiet", "chiltepin") }},
		{"without either", "", func() { v.pip(t, "uninstall", "--yes", "--quiet", "chiltepin-endpoint") }},
	} {
		step.do()
		var installed struct {
			Module string
			Files  map[string][]string
		}
		// It also checks every file against what its wheel says of it.
		if err := json.Unmarshal([]byte(output(t, nil, v.python, "testdata/installed.py")), &installed); err != nil {
			t.Fatal(err)
		}
		module, _ := filepath.Rel(v.site, installed.Module)
		if step.module == "" {
			module = installed.Module
		}
		if module != step.module {
			t.Errorf("%s: chiltepin.endpoint is %q, want %q", step.what, module, step.module)
		}
		for _, file := range installed.Files["chiltepin"] {
			if slices.Contains(installed.Files["chiltepin-endpoint"], file) {
				t.Errorf("%s: both have %s", step.what, file)
			}
		}
	}
	if diff := cmp.Diff(before, v.files(t)); diff != "" {
		t.Errorf("left behind (-before +after):\n%s", diff)
	}
}

// files lists what is in the environment, without what Python compiles.
func (v venv) files(t testing.TB) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(v.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !strings.Contains(path, "__pycache__") {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// testDocumented runs the documentation's example: word for word where there
// is no Python Chiltepin, and with one line changed where there is.
func testDocumented(t *testing.T, box *sandboxtest.Box, v venv, module string) {
	a := newAccount(t, box)
	program := read(t, "testdata/documented.py")
	if module != "" {
		changed := strings.Replace(program, "import chiltepin.endpoint as endpoint\n", "import "+module+" as endpoint\n", 1)
		if changed == program {
			t.Fatal("the line to change is not there")
		}
		program = changed
	}
	text := a.run(t, v, "-c", program)
	name, id, ok := strings.Cut(strings.TrimSpace(text), ": ")
	if !ok || name != "my-endpoint" || len(id) != 36 {
		t.Errorf("it printed %q, want the name and the UUID of the endpoint", text)
	}
	var starts, deletes int
	for _, e := range box.Requests("POST", "/v3/endpoints") {
		if e.Endpoint == id {
			starts++
		}
	}
	for _, e := range box.Requests("DELETE", "/v2/endpoints/*") {
		if e.Endpoint == id {
			deletes++
		}
	}
	if starts != 1 || deletes != 0 {
		t.Errorf("%s was registered %d times and deleted %d times, want 1 and 0", id, starts, deletes)
	}
	if got := a.run(t, v, "-c", "import chiltepin_endpoint as e; print(e.show()['my-endpoint']['status'], e.login_required())"); got != "Stopped True\n" {
		t.Errorf("at the end it is %q, want stopped and logged out", got)
	}
	for _, leak := range box.Leaks(text) {
		t.Errorf("the output holds %v", leak)
	}
}
