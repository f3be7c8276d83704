package faults

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// cgroupKills says in a row's name by what it is done.
const cgroupKills = "(cgroup.kill; SIGKILL to each at once where no cgroup can be made)"

// cgroup is a control group of processes, which the kernel kills at once. Where
// none can be made it is its processes by number.
type cgroup struct {
	b *fixture
	// dir is empty where none can be made.
	dir string
}

// newCgroup makes one, and has commands run in it from now on.
func (b *fixture) newCgroup() *cgroup {
	b.Helper()
	g := &cgroup{b: b}
	for _, mount := range cgroupMounts() {
		dir, err := os.MkdirTemp(mount, "faults-")
		if err != nil {
			continue
		}
		if f, err := os.OpenFile(filepath.Join(dir, "cgroup.kill"), os.O_WRONLY, 0); err == nil && moves(dir) {
			f.Close()
			g.dir = dir
			b.Cleanup(func() {
				if g.processes() != "\n" {
					g.kill() // the test has failed before
				}
				if err := os.Remove(dir); err != nil {
					b.Error(err)
				}
			})
			b.shell("echo $$ > '" + dir + "/cgroup.procs'")
			return g
		}
		if err := os.Remove(dir); err != nil {
			b.Fatal(err)
		}
	}
	b.Log("no cgroup can be made here: each process is killed by its number")
	return g
}

// moves says whether a process can be moved into a cgroup: a delegated one may
// be made and not be entered.
func moves(dir string) bool {
	p, err := os.StartProcess("/bin/sh", []string{"sh", "-c", `echo $$ > "$0/cgroup.procs"`, dir}, &os.ProcAttr{})
	if err != nil {
		return false
	}
	state, err := p.Wait()
	return err == nil && state.Success()
}

// cgroupMounts are where the second version of control groups is mounted.
var cgroupMounts = sync.OnceValue(func() (mounts []string) {
	data, _ := os.ReadFile("/proc/self/mounts") // none, where it cannot be read
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			mounts = append(mounts, f[1])
		}
	}
	return mounts
})

// kill kills all that is in it, and waits until it is gone. Processes are those
// that it has, which are taken one by one where there is no cgroup.
func (g *cgroup) kill(processes ...int) {
	b := g.b
	b.Helper()
	b.prefix = nil
	if g.dir == "" {
		for _, pid := range processes {
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				b.Fatal(err)
			}
		}
		for _, pid := range processes {
			b.kill(pid, syscall.SIGKILL)
		}
		return
	}
	in := g.processes()
	for _, pid := range processes {
		if !strings.Contains(in, "\n"+strconv.Itoa(pid)+"\n") {
			b.Fatalf("the cgroup has the processes %q, and not %d", in, pid)
		}
	}
	if err := os.WriteFile(filepath.Join(g.dir, "cgroup.kill"), []byte("1"), 0); err != nil {
		b.Fatal(err)
	}
	for began := time.Now(); g.processes() != "\n"; time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			b.Fatalf("the cgroup still has %q", g.processes())
		}
	}
}

// processes lists what is in it, each between line feeds.
func (g *cgroup) processes() string {
	g.b.Helper()
	data, err := os.ReadFile(filepath.Join(g.dir, "cgroup.procs"))
	if err != nil {
		g.b.Fatal(err)
	}
	return "\n" + string(data)
}

// cgroupKilled has a cgroup killed with the daemon and its user endpoint in it.
func cgroupKilled(b *fixture) {
	g := b.newCgroup()
	b.play(script{User: userID})
	daemon := b.started()
	user := b.userUp()
	b.play(script{})
	g.kill(daemon, user)
	b.users(0)
}

// cgroupKilledStarting has a cgroup killed with a start in it that waits for the
// daemon, and the daemon, which is loading.
func cgroupKilledStarting(b *fixture) {
	g := b.newCgroup()
	b.play(script{Load: time.Minute})
	cmd := b.command("endpoint", "start", "mesa")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	for began := time.Now(); len(b.living()) == 0; time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			b.Fatal("the daemon does not come up")
		}
	}
	b.play(script{})
	g.kill(cmd.Process.Pid, b.living()[0])
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		b.Fatalf("start: %v", err)
	}
}
