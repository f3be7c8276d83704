package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"chiltepin/globus/runtime/runtimetest"
)

// localTemplate makes user endpoints with one worker on this machine.
const localTemplate = `
engine:
  type: GlobusComputeEngine
  max_workers_per_node: 1
  address: 127.0.0.1
  provider:
    type: LocalProvider
    init_blocks: 1
    min_blocks: 0
    max_blocks: 1
`

// submission submits one task that does not end, and marks its beginning.
const submission = `
import sys
from globus_compute_sdk import Executor
def endless(begun):
    import time
    open(begun, "w").close()
    time.sleep(3600)
Executor(endpoint_id=sys.argv[1]).submit(endless, sys.argv[2]).result()
`

// realUserKilled kills a real user endpoint in the midst of a task.
func realUserKilled(b *fixture) {
	b.Helper()
	py := runtimetest.Env(b, runtimetest.Newest)
	b.timeout = "5s"
	b.put("user_config_template.yaml.j2", localTemplate)
	b.put("user_config_schema.json", "{}")
	b.put("user_environment.yaml", "PATH: "+py.Path()+"\nHOME: "+b.home+"\nGLOBUS_COMPUTE_USER_DIR: "+b.dir+"\n")
	b.started()
	b.daemons = b.living()
	begun := filepath.Join(b.home, "begun")
	cmd := exec.Command(py.Bin("python"), "-c", submission, b.id(), begun)
	cmd.Env, cmd.Dir = append(b.env, "GLOBUS_COMPUTE_USER_DIR="+b.dir), b.home
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	said := &syncBuffer{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(begun); err == nil {
			break
		}
		if time.Since(began) > patience {
			b.Fatalf("the task does not begin: %s", said.String())
		}
	}
	users := b.realUsers()
	if len(users) != 1 {
		b.Fatalf("user endpoints %v live, want one", users)
	}
	b.buryChildren(users[0])
	b.kill(users[0], syscall.SIGKILL)
}

// buryChildren kills the children of a process when the test ends: parsl's
// interchange outlives the user endpoint.
func (b *fixture) buryChildren(pid int) {
	b.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, list := range lists {
		data, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, text := range strings.Fields(string(data)) {
			child, err := strconv.Atoi(text)
			if err != nil {
				b.Fatal(err)
			}
			fd, err := unix.PidfdOpen(child, 0)
			if err != nil {
				continue // it has ended
			}
			b.children = append(b.children, child)
			b.Cleanup(func() {
				_ = unix.PidfdSendSignal(fd, syscall.SIGKILL, nil, 0)
				unix.Close(fd)
			})
		}
	}
}

// realUsers returns the real user endpoints of the fixture's endpoint: their title
// has its id. They hide the environment that [fixture.users] goes by.
func (b *fixture) realUsers() (all []int) {
	b.Helper()
	titles, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range titles {
		title, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(title, []byte("Globus Compute Endpoint (")) || !bytes.Contains(title, []byte("uep."+b.id()+".")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, pid)
	}
	return all
}

// userToldDead wants the manager to live on, and its user endpoint not to be
// shown as running. What that one has left running is told, and is not ended in
// the midst of its task unless asked to; then nothing of it is left.
func userToldDead(b *fixture, operation string, c cell) {
	livesOn(b, operation, c)
	if users := b.realUsers(); len(users) > 0 {
		b.Errorf("%s: user endpoints %v live", operation, users)
	}
	switch operation {
	case "status":
	case "stop", "restart":
		if !strings.Contains(c.evidence, "of leftover workers, whose user endpoint was killed") {
			b.Errorf("%s does not say what it waits for: %s", operation, c.evidence)
		}
		b.must("endpoint", "stop", "--now", "--yes", "mesa")
		for _, pid := range append(b.processes(isWorker), b.children...) {
			if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && !bytes.Contains(stat, []byte(") Z ")) {
				b.Errorf("%s --now leaves a process behind: %s", operation, stat)
			}
		}
		return
	default:
		return
	}
	var v struct {
		Users   []struct{ ID, Status string } `json:"user_endpoints"`
		Trouble struct{ Problem string }
	}
	text := b.must("endpoint", "status", "--offline", "--json", "mesa").stdout
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		b.Fatal(err)
	}
	if !strings.Contains(v.Trouble.Problem, "left behind") {
		b.Errorf("status does not tell of the workers: %s", text)
	}
	for _, u := range v.Users {
		if u.Status == "Running" {
			b.Errorf("status shows the dead user endpoint as running: %s", text)
		}
	}
}

// isWorker says whether a command line is that of parsl's keeper of workers.
func isWorker(command []byte) bool {
	return bytes.Contains(command, []byte("parsl.executors.high_throughput.process_worker_pool"))
}
