package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// node is another machine: processes, host name and clock of its own over the
// same files, made of namespaces. It is entered by programs of util-linux.
type node struct {
	name string
	// init is the process id, here, of its first process.
	init int
}

// newNode boots a machine. A boot that was so long before now is what its clock
// since boot says; zero leaves the clock alone. More namespaces may be named.
func newNode(t *testing.T, name string, booted time.Duration, more ...string) *node {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready")
	args := []string{"--pid", "--fork", "--kill-child", "--mount-proc", "--uts"}
	args = append(args, more...)
	if userNamespaces() {
		args = append(args, "--user", "--map-root-user")
	}
	if booted != 0 {
		args = append(args, "--time", "--boottime", fmt.Sprint(int64((booted - uptime(t)).Seconds())))
	}
	args = append(args, "sh", "-c", `hostname "$1" && : > "$2" && exec "$3"`, "init", name, ready, filepath.Join(place.bin, "globus-compute-endpoint"))
	cmd := exec.Command("unshare", args...)
	cmd.Env = []string{"FAULTS_INIT=1", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	// It ends with this test, however that ends.
	hold, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		hold.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for began := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		if _, err := os.Stat(ready); err == nil {
			break
		}
		if time.Since(began) > patience {
			t.Fatalf("the machine %s does not come up: %s", name, said.String())
		}
	}
	var init int
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid))
	if err == nil {
		_, err = fmt.Sscan(string(children), &init)
	}
	if err != nil {
		t.Fatalf("the machine %s: %v", name, err)
	}
	return &node{name: name, init: init}
}

// userNamespaces says whether a machine has to be made in a user namespace: by
// another than root, and by a root that may not do it otherwise.
func userNamespaces() bool {
	plainNamespaces.Do(func() {
		plainNamespaces.ok = os.Geteuid() == 0 && exec.Command("unshare", "--pid", "--fork", "--mount-proc", "--uts", "true").Run() == nil
	})
	return !plainNamespaces.ok
}

// plainNamespaces is asked once.
var plainNamespaces struct {
	sync.Once
	ok bool
}

func uptime(t *testing.T) time.Duration {
	t.Helper()
	data, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	var seconds float64
	if _, err := fmt.Sscan(string(data), &seconds); err != nil {
		t.Fatal(err)
	}
	return time.Duration(seconds * float64(time.Second))
}

// enter is what a command is prefixed with to run on the machine.
func (n *node) enter() []string {
	argv := []string{"nsenter", "--target", fmt.Sprint(n.init), "--mount", "--pid", "--uts"}
	if userNamespaces() {
		argv = append(argv, "--user", "--preserve-credentials")
	}
	if same, _ := sameNamespace(n.init, "time_for_children", "time"); !same {
		argv = append(argv, "--time")
	}
	if same, _ := sameNamespace(n.init, "net", "net"); !same {
		argv = append(argv, "--net")
	}
	return append(argv, "--")
}

func sameNamespace(pid int, other, ours string) (bool, error) {
	a, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, other))
	if err != nil {
		return true, err
	}
	b, err := os.Readlink("/proc/self/ns/" + ours)
	return a == b, err
}
