package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func pidRows() []row {
	const group = "pid file"
	// left is a row of a file with that content, which nobody touches.
	left := func(fault, content, want string) row {
		return row{group: group, fault: fault, want: want, long: len(content) != 0 && content != "hello\n", lay: func(b *fixture) { b.put("daemon.pid", content); b.touched("daemon.pid", time.Minute) }}
	}
	const (
		restarts = "Disconnected | Disconnected | started | not_running | restarted | deleted | shown"
		runs     = "Running | Running | already_running | stopped | restarted | conflict | shown"
		unsure   = "Unknown | Unknown | conflict | conflict | conflict | conflict | shown"
	)
	return []row{
		left("stale, with no record of the launch", "4194000\n", restarts),
		{group: group, fault: "fresh, its daemon dead, with no record of the launch", want: restarts,
			lay: func(b *fixture) {
				b.kill(b.started(), syscall.SIGKILL)
				b.gone("chiltepin.json")
				b.touched("daemon.pid", 0)
			}},
		{group: group, fault: "of a stranger, touched a minute ago", want: restarts,
			lay: func(b *fixture) {
				b.put("daemon.pid", fmt.Sprintln(b.stranger().cmd.Process.Pid))
				b.touched("daemon.pid", time.Minute)
			}},
		{group: group, fault: "of a stranger, touched just now", want: restarts,
			lay: func(b *fixture) { b.put("daemon.pid", fmt.Sprintln(b.stranger().cmd.Process.Pid)) }},
		{group: group, fault: "of a stranger, in place of a daemon that was killed", want: restarts, long: true,
			lay: func(b *fixture) {
				b.kill(b.started(), syscall.SIGKILL)
				b.put("daemon.pid", fmt.Sprintln(b.stranger().cmd.Process.Pid))
				b.touched("daemon.pid", 20*time.Second)
			}},
		{group: group, fault: "of a stranger, and its daemon lives", want: runs,
			lay: func(b *fixture) { b.started(); b.put("daemon.pid", fmt.Sprintln(b.stranger().cmd.Process.Pid)) }},
		{group: group, fault: "of the daemon of another endpoint", want: restarts,
			lay: func(b *fixture) {
				b.put("daemon.pid", fmt.Sprintln(b.stranger("Globus Compute Endpoint *(11111111-2222-3333-4444-555555555555, other) [x]").cmd.Process.Pid))
				b.touched("daemon.pid", time.Minute)
			}},
		{group: group, fault: "of a process with this endpoint's title, at work elsewhere", want: unsure,
			lay: func(b *fixture) {
				b.kill(b.started(), syscall.SIGKILL)
				b.put("daemon.pid", fmt.Sprintln(b.stranger("Globus Compute Endpoint *("+b.id()+", mesa) [x]").cmd.Process.Pid))
			}, blind: true},
		{group: group, fault: "of the first process of the machine", want: restarts, long: true,
			lay: func(b *fixture) { b.put("daemon.pid", "1\n"); b.touched("daemon.pid", time.Minute) }},
		{group: group, fault: "a process id that came round again", want: restarts, lay: comesRound, after: stillThere},
		left("empty", "", restarts),
		left("garbage", "hello\n", restarts),
		left("huge", strings.Repeat("9", 3000)+"\n", restarts),
		left("negative", "-1\n", restarts),
		left("zero", "0\n", restarts),
		{group: group, fault: "a directory", want: unsure,
			lay: func(b *fixture) {
				if err := os.Mkdir(b.file("daemon.pid"), 0o700); err != nil {
					b.Fatal(err)
				}
			}},
		{group: group, fault: "a fifo", want: unsure, lay: func(b *fixture) { b.fifo("daemon.pid") }},
		{group: group, fault: "a fifo, and the daemon lives", want: runs,
			lay: func(b *fixture) { b.started(); b.gone("daemon.pid"); b.fifo("daemon.pid") }},
		{group: group, fault: "unreadable, and the daemon lives", want: runs,
			lay: func(b *fixture) {
				b.asUser()
				b.started()
				if err := os.Chmod(b.file("daemon.pid"), 0); err != nil {
					b.Fatal(err)
				}
			}},
		{group: group, fault: "unreadable, and its daemon dead", want: unsure,
			lay: func(b *fixture) {
				b.asUser()
				b.kill(b.started(), syscall.SIGKILL)
				if err := os.Chmod(b.file("daemon.pid"), 0); err != nil {
					b.Fatal(err)
				}
				b.touched("daemon.pid", time.Minute)
			}},
		{group: group, fault: "a link to a file outside", want: restarts,
			lay: func(b *fixture) {
				target := filepath.Join(b.home, "precious")
				if err := os.WriteFile(target, []byte("4194000\n"), 0o600); err != nil {
					b.Fatal(err)
				}
				if err := os.Symlink(target, b.file("daemon.pid")); err != nil {
					b.Fatal(err)
				}
				b.touched("daemon.pid", time.Minute)
			}, after: precious},
		{group: group, fault: "a hard link of a file outside", want: restarts, long: true,
			lay: func(b *fixture) {
				target := filepath.Join(b.home, "precious")
				if err := os.WriteFile(target, []byte("4194000\n"), 0o600); err != nil {
					b.Fatal(err)
				}
				if err := os.Link(target, b.file("daemon.pid")); err != nil {
					b.Fatal(err)
				}
				b.touched("daemon.pid", time.Minute)
			}, after: precious},
		{group: group, fault: "removed under the daemon", want: "Stopping | Stopping | started | stopped | restarted | conflict | shown",
			lay: func(b *fixture) { b.started(); b.gone("daemon.pid") }},
		{group: group, fault: "five minutes behind, and the daemon lives", want: runs, long: true,
			lay: func(b *fixture) { b.started(); b.touched("daemon.pid", 5*time.Minute) }},
		{group: group, fault: "five minutes ahead, and the daemon lives", want: runs,
			lay: func(b *fixture) { b.started(); b.touched("daemon.pid", -5*time.Minute) }},
		{group: group, fault: "five minutes behind, its daemon dead", want: restarts, long: true,
			lay: func(b *fixture) { b.kill(b.started(), syscall.SIGKILL); b.touched("daemon.pid", 5*time.Minute) }},
		{group: group, fault: "five minutes ahead, its daemon dead", want: restarts,
			lay: func(b *fixture) { b.kill(b.started(), syscall.SIGKILL); b.touched("daemon.pid", -5*time.Minute) }},
		{group: group, fault: "a year ahead, with no record of the launch", want: restarts, long: true,
			lay: func(b *fixture) { b.put("daemon.pid", "4194000\n"); b.touched("daemon.pid", -365*24*time.Hour) }},
	}
}

// precious wants the file outside as it was.
func precious(b *fixture, operation string, _ cell) {
	if data, err := os.ReadFile(filepath.Join(b.home, "precious")); err != nil || string(data) != "4194000\n" {
		b.Errorf("%s: the file outside is %q, %v", operation, data, err)
	}
}

// fifo makes a pipe that nobody reads.
func (b *fixture) fifo(name string) {
	b.Helper()
	if err := syscall.Mkfifo(b.file(name), 0o600); err != nil {
		b.Fatal(err)
	}
}

// comesRound kills the daemon on a machine of its own and has a stranger get its
// process id: the kernel is told which was the last one.
func comesRound(b *fixture) {
	b.on = newNode(b.T, "login1", 0)
	pid := b.started() // there
	b.onNode("kill", "-9", fmt.Sprint(pid))
	b.occupied(pid)
}

// occupied has a stranger on the fixture's machine get that process id.
func (b *fixture) occupied(pid int) {
	b.Helper()
	ready := filepath.Join(b.home, "ready")
	script := fmt.Sprintf(`while kill -0 %d 2>/dev/null; do sleep 0.01; done
echo %d > /proc/sys/kernel/ns_last_pid
sleep 600 >/dev/null 2>&1 & [ $! = %[1]d ] && : > %[3]s`, pid, pid-1, ready)
	for range 20 {
		b.onNode("sh", "-c", script)
		if _, err := os.Stat(ready); err == nil {
			b.victim = pid
			return
		}
		b.onNode("sh", "-c", "kill $(pidof sleep) || true")
	}
	b.Fatal("the process id does not come round")
}

// stillThere wants the stranger that has the daemon's process id to live.
func stillThere(b *fixture, operation string, _ cell) {
	b.onNode("kill", "-0", fmt.Sprint(b.victim))
}
