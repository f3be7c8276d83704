package faults

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

func machineRows() []row {
	const group = "machine"
	return []row{
		{group: group, fault: "rebooted under the daemon", want: "Disconnected | Disconnected | started | not_running | restarted | deleted | shown",
			lay: func(b *fixture) {
				before := newNode(b.T, "login1", time.Hour)
				b.on = before
				b.started()
				before.off(b.T)
				time.Sleep(3 * time.Second) // the clock since boot is set in whole seconds
				b.on = newNode(b.T, "login1", time.Second)
			}},
		{group: group, fault: "runs on another machine that shares the directory",
			want: "Running | Running | conflict | stopped | conflict | conflict | shown",
			lay: func(b *fixture) {
				b.on = newNode(b.T, "login1", time.Hour)
				b.started()
				b.on = newNode(b.T, "login2", time.Hour)
			}, after: func(b *fixture, operation string, c cell) {
				if reach := "ssh login1 'chiltepin endpoint status mesa'"; operation == "status" && !strings.Contains(c.evidence, reach) {
					b.Errorf("status does not give the step %q: %s", reach, c.evidence)
				}
			}},
		{group: group, fault: "runs on another machine, and nothing but the directory is shared: no network, no other file, and its process id is a stranger's here",
			want: "Running | Running | conflict | stopped | conflict | conflict | shown", root: true,
			lay: func(b *fixture) {
				b.alone("login1")
				b.served()
				pid := b.started()
				b.daemons = b.living()
				b.alone("login2")
				b.occupied(pid)
				b.onlyShared()
			}, after: func(b *fixture, operation string, c cell) {
				stillThere(b, operation, c)
				if operation != "stop" {
					livesOn(b, operation, c)
				}
				if reach := "ssh login1 'chiltepin endpoint status mesa'"; operation == "status" && !strings.Contains(c.evidence, reach) {
					b.Errorf("status does not give the step %q: %s", reach, c.evidence)
				}
			}},
		{group: group, fault: "runs on another machine, with no record of the launch",
			want: "Unknown | Unknown | conflict | stopped | conflict | conflict | shown",
			lay: func(b *fixture) {
				b.on = newNode(b.T, "login1", time.Hour)
				b.started()
				b.gone("chiltepin.json")
				b.on = newNode(b.T, "login2", time.Hour)
			}},
		{group: group, fault: "crashed on another machine",
			want: "Running | Running | started | not_running | restarted | deleted | shown",
			lay: func(b *fixture) {
				b.on = newNode(b.T, "login1", time.Hour)
				b.onNode("kill", "-9", fmt.Sprint(b.started()))
				b.on = newNode(b.T, "login2", time.Hour)
			}, blind: true},
		{group: group, fault: "crashed on another machine a minute ago",
			want: "Disconnected | Disconnected | started | not_running | restarted | deleted | shown",
			lay: func(b *fixture) {
				b.on = newNode(b.T, "login1", time.Hour)
				b.onNode("kill", "-9", fmt.Sprint(b.started()))
				b.touched("daemon.pid", time.Minute)
				b.on = newNode(b.T, "login2", time.Hour)
			}},
	}
}

// off ends the machine with all its processes.
func (n *node) off(t interface{ Fatal(...any) }) {
	if err := syscall.Kill(n.init, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for range 40_000 {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d/ns/pid", n.init)); err != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("the machine does not end")
}

// onNode runs a program on the fixture's machine.
func (b *fixture) onNode(argv ...string) {
	b.Helper()
	argv = append(b.on.enter(), argv...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Dir = append(b.env, "FAULTS=1"), b.home
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if a := b.finish(cmd); a.exit != 0 {
		b.Fatalf("%q: exit status %d\n%s", argv, a.exit, a.stderr)
	}
}
