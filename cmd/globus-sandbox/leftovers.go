package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is one that has our sandbox in its environment.
type process struct {
	pid   int
	title string
}

// endLeftovers names the processes that the command left behind, such as an
// endpoint that was never stopped, whose services are about to end. With stop it
// ends them: they are of this very sandbox, whose id is random.
func (w world) endLeftovers(b *startedSandbox, stop bool) {
	mark := sandboxMark(b.Env())
	left := markedProcesses(mark)
	for _, p := range left {
		fmt.Fprintf(w.stderr, "globus-sandbox: still running: %d %s\n", p.pid, p.title)
	}
	if !stop || len(left) == 0 {
		return
	}
	signalAll(left, syscall.SIGTERM)
	for wait := 0; wait < 100 && len(left) > 0; wait++ {
		time.Sleep(100 * time.Millisecond)
		left = markedProcesses(mark)
	}
	signalAll(left, syscall.SIGKILL)
}

func sandboxMark(env []string) string {
	i := slices.IndexFunc(env, func(kv string) bool { return strings.HasPrefix(kv, "GLOBUS_SANDBOX_ID=") })
	return env[i]
}

func signalAll(list []process, s syscall.Signal) {
	for _, p := range list {
		_ = syscall.Kill(p.pid, s) // one that ended already is no error
	}
}

// markedProcesses lists the processes, other than this one, whose environment holds
// mark. One whose environment cannot be read is not ours.
func markedProcesses(mark string) []process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile("/proc/" + e.Name() + "/environ")
		if err != nil || !slices.ContainsFunc(bytes.Split(env, []byte{0}), func(kv []byte) bool { return string(kv) == mark }) {
			continue
		}
		title, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		found = append(found, process{pid, strings.TrimSpace(string(bytes.ReplaceAll(title, []byte{0}, []byte(" "))))})
	}
	return found
}
