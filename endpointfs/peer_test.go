package endpointfs

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"chiltepin/globus/runtime/runtimetest"
)

// answers are what the daemon's own code says.
type answers map[string][]json.RawMessage

// ask runs testdata/peer.py in the environment of a release.
func ask(t *testing.T, set runtimetest.Set, questions map[string][]any) answers {
	t.Helper()
	in, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), runtimetest.Env(t, set).Python, "testdata/peer.py")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	home := t.TempDir()
	cmd.Env = []string{"HOME=" + home, "TMPDIR=" + home, "GLOBUS_COMPUTE_USER_DIR=" + home, "PATH=" + os.Getenv("PATH"), "PYTHONUTF8=1"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the daemon's code: %v\n%s", err, stderr.Bytes())
	}
	var a answers
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%v in %.200s", err, out)
	}
	for q, args := range questions {
		if len(a[q]) != len(args) {
			t.Fatalf("%d answers to %d questions %q", len(a[q]), len(args), q)
		}
	}
	return a
}

// refused is the error that an answer is, or "".
func refused(answer json.RawMessage) string {
	var v struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(answer, &v) != nil { // not an object
		return ""
	}
	return v.Error
}

func decode[T any](t *testing.T, answer json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(answer, &v); err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
	return v
}
