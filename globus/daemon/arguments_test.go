package daemon

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStartArguments: the directory and the name cannot be taken for an option or a
// script, by the program or by what may stand in its place.
func TestStartArguments(t *testing.T) {
	t.Parallel()
	sprung := filepath.Join(t.TempDir(), "sprung")
	dir := "/tmp/q;touch " + sprung + ";#"
	if diff := cmp.Diff([]string{"--config-dir=" + dir, "start", "mesa"}, StartArguments(dir, "mesa")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"--config-dir=/gc", "start", "--", "--detach"}, StartArguments("/gc", "--detach")); diff != "" {
		t.Error(diff)
	}
	render := RenderArguments("/w", "/w/o", "/w/t", "/w/s", "")
	if diff := cmp.Diff([]string{"--config-dir=/w", "render-user-config", "--user-options=/w/o", "--template=/w/t", "--user-schema=/w/s"}, render); diff != "" {
		t.Error(diff)
	}
	for _, program := range []string{"bash", "sh", "python3", "perl", "env", "xargs"} {
		path, err := exec.LookPath(program)
		if err != nil {
			continue
		}
		cmd := exec.Command(path, StartArguments(dir, "mesa")...)
		cmd.Stdin = strings.NewReader("")
		cmd.Dir = t.TempDir()
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Errorf("%s took it: %s", program, out)
		}
		if left, _ := filepath.Glob(sprung); len(left) > 0 {
			t.Fatalf("%s ran the directory", program)
		}
	}
}
