package endpointfs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs/log"
)

// left is what is in a directory, but for what is ours and empty.
func left(t *testing.T, dir *Dir) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir.Path(), func(path string, e os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(dir.Path(), path); rel != "." && rel != privateDir {
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRemove(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"mesa/config.yaml":            "",
		"mesa/deep/er/file":           "",
		"mesa/link":                   "->../victim",
		"victim/precious":             "",
		"linked":                      "->victim",
		".chiltepin/gone-xy/dir/half": "",
	})
	for _, name := range []string{"mesa", "linked", "mesa"} {
		if err := dir.endpointAt(name).Remove(); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]string{"victim", "victim/precious"}, left(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestUserEndpoints(t *testing.T) {
	t.Parallel()
	const third = "11111111-2222-3333-4444-555555555555"
	dir := tree(t, map[string]string{
		"mesa/config.yaml":                               "",
		"mesa/endpoint.json":                             `{"endpoint_id": "` + anID + `"}`,
		"new/config.yaml":                                "",
		"uep." + anID + "." + third + "/daemon.pid":      "17\n",
		"uep." + anID + "." + otherID + "/endpoint.log":  "2026-11-23 08:00:00,000001 INFO MainProcess-41 MainThread-139 cli:1 f\n\n========== Endpoint begins: " + otherID + "\n",
		"uep." + otherID + "." + third + "/endpoint.log": "",
		"uep." + anID + "." + otherID + "x/":             "",
		"uep." + anID + "/":                              "",
		"uep." + anID + "." + anID:                       "a file",
	})
	ueps, err := dir.endpointAt("mesa").UserEndpoints()
	if err != nil || len(ueps) != 2 || ueps[0].ID != otherID || ueps[1].ID != third || ueps[0].Parent != anID {
		t.Fatal(ueps, err)
	}
	if pid, err := ueps[1].PIDFile(); pid.PID != 17 || err != nil {
		t.Error(pid, err)
	}
	if m, ok, err := ueps[0].Log().LastMarker(); !ok || m.ID != otherID || m.Kind != log.Begins || err != nil {
		t.Error(m, ok, err)
	}
	if ueps, err := dir.endpointAt("new").UserEndpoints(); len(ueps) != 0 || err != nil {
		t.Error(ueps, err)
	}
	if all, err := dir.UserEndpoints(""); len(all) != 3 || err != nil {
		t.Error(all, err)
	}
	for _, id := range []string{"", "..", "mesa"} {
		if gone, err := dir.RemoveUserEndpoints(id); err == nil || len(gone) != 0 {
			t.Errorf("%q: %v", id, gone)
		}
	}
	gone, err := dir.RemoveUserEndpoints(anID)
	if err != nil || len(gone) != 2 || gone[0].ID != otherID {
		t.Error(gone, err)
	}
	if all, err := dir.UserEndpoints(""); len(all) != 1 || all[0].Parent != otherID || err != nil {
		t.Error(all, err)
	}
}

// TestConfigureIsAllOrNothing kills a process that configures and removes an
// endpoint without end, at any instant.
func TestConfigureIsAllOrNothing(t *testing.T) {
	t.Parallel()
	dir := Open(t.TempDir())
	want := []string{"config.yaml", "user_config_schema.json", "user_config_template.yaml.j2", "user_environment.yaml"}
	whole := 0
	for i := range 25 {
		cmd, out := child(t, "configure", dir.Path())
		if !out.Scan() || out.Text() != "ready" {
			t.Fatal(out.Text(), out.Err())
		}
		time.Sleep(time.Duration(i) * 1370 * time.Microsecond)
		cmd.Process.Kill()
		cmd.Wait()
		entries, err := os.ReadDir(filepath.Join(dir.Path(), "mesa"))
		if os.IsNotExist(err) {
			continue
		}
		whole++
		var got []string
		for _, e := range entries {
			got = append(got, e.Name())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("half an endpoint: %s", diff)
		}
		ep := dir.endpointAt("mesa")
		if problems := ep.Validate(); len(problems) > 0 {
			t.Fatal(problems)
		}
		if err := ep.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of 25 times the endpoint was there", whole)
	// What was left is swept in time.
	entries, err := os.ReadDir(filepath.Join(dir.Path(), privateDir))
	if err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-2 * time.Hour)
	for _, e := range entries {
		if err := os.Chtimes(filepath.Join(dir.Path(), privateDir, e.Name()), past, past); err != nil {
			t.Fatal(err)
		}
	}
	ep, err := dir.Configure("mesa", NewEndpoint{})
	if err != nil {
		t.Fatal(err)
	}
	if err := ep.Remove(); err != nil {
		t.Fatal(err)
	}
	if names := left(t, dir); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

// TestUserEndpointLeftovers: one user endpoint's directory goes without the
// others, unsent results are counted, and the UUIDs of directories are known
// even of those without a configuration.
func TestUserEndpointLeftovers(t *testing.T) {
	t.Parallel()
	const parent, first, second = "6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11", "0c5a62d3-9d38-4d43-8d12-0a4f2e9cf6a1", "0c5a62d3-9d38-4d43-8d12-0a4f2e9cf6a2"
	d := Open(t.TempDir())
	for _, dir := range []string{"uep." + parent + "." + first + "/unacked_results", "uep." + parent + "." + second, "lost", "half", "hidden/.x", ".chiltepin"} {
		if err := os.MkdirAll(filepath.Join(d.Path(), dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"uep." + parent + "." + first + "/unacked_results/1": "x", "lost/endpoint.json": `{"endpoint_id":"` + strings.ToUpper(parent) + `"}`, "half/endpoint.json": "{"} {
		if err := os.WriteFile(filepath.Join(d.Path(), name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names, unreadable, err := d.IDs()
	if err != nil || len(names) != 1 || names[parent] != "lost" || len(unreadable) != 1 || unreadable[0] != "half" {
		t.Errorf("IDs: %v, %v, %v", names, unreadable, err)
	}
	all, err := d.UserEndpoints("")
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	for i, want := range []int{1, 0} {
		if n, err := all[i].Unsent(); n != want || err != nil {
			t.Errorf("%s has %d unsent, %v", all[i].ID, n, err)
		}
	}
	if err := d.RemoveUserEndpoint(all[1]); err != nil {
		t.Fatal(err)
	}
	if left, err := d.UserEndpoints(""); err != nil || len(left) != 1 || left[0].ID != first {
		t.Errorf("left: %v, %v", left, err)
	}
	if err := d.RemoveUserEndpoint(UserEndpointDir{}); err == nil {
		t.Error("what is no user endpoint was removed")
	}
	if _, _, err := Open(filepath.Join(d.Path(), "half", "endpoint.json")).IDs(); err == nil {
		t.Error("a file has ids")
	}
}
