package daemon

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBlockFiles finds what parsl writes for blocks, whatever else is there.
func TestBlockFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "uep.[odd]")
	scripts := filepath.Join(dir, "submit_scripts")
	if err := os.MkdirAll(scripts, 0o700); err != nil {
		t.Fatal(err)
	}
	older, newer := filepath.Join(scripts, "parsl.x.block-1.1700000000.5.sh"), filepath.Join(scripts, "parsl.x.block-0.1700000001.5.sh")
	for _, path := range []string{older, newer, newer + ".err", filepath.Join(scripts, "parsl.x.block-2")} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{older, newer}, FindBlockScripts(dir)); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{"-\n": "", "3\n": "3", "-9\n": "-9"} {
		if err := os.WriteFile(newer+".ec", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := BlockExit(newer); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if name := BlockJobName("/x/parsl.x.block-0.1700000001.5.submit"); name != "parsl.x.block-0.1700000001.5" {
		t.Error(name)
	}
	programs := []string{"bsub"}
	for line, want := range map[string][2]bool{
		"Retcode:1 STDOUT: STDERR:bsub: bad queue": {true, true},
		"Submit failed": {true, false},
		"all is well":   {false, false},
	} {
		if got := [2]bool{IsAboutSubmission(line, programs), RepeatsProgram(line, programs)}; got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}
