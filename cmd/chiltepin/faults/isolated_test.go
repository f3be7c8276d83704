package faults

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// isolated runs the test in a process numbering of its own, where the program
// sees few processes: what is traced takes long on a machine with many. It says
// true in there, and false outside, where the test is over.
func isolated(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		return true
	}
	args := []string{"--pid", "--fork", "--kill-child", "--mount-proc"}
	if userNamespaces() {
		args = append(args, "--user", "--map-root-user")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args = append(args, self)
	for _, a := range os.Args[1:] {
		if !strings.HasPrefix(a, "-test.run") && !strings.HasPrefix(a, "-test.testlogfile") && !strings.HasPrefix(a, "-write") && !strings.HasPrefix(a, "-test.paniconexit0") {
			args = append(args, a)
		}
	}
	args = append(args, "-test.run", "^"+t.Name()+"$")
	// It dies with this thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("unshare", args...)
	cmd.Env = append(os.Environ(), insideVariable+"="+place.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if err != nil || !strings.Contains(out.String(), "PASS") || strings.Contains(out.String(), "no tests to run") {
		t.Errorf("in a process numbering of its own: %v\n%s", err, out.String())
	} else if testing.Verbose() {
		t.Log(out.String())
	}
	return false
}

// insideVariable holds the directory of what was built, for the test within.
const insideVariable = "FAULTS_INSIDE"
