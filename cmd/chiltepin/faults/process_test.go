package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// script is how the stand-in for the daemon behaves, handed down in the variable
// FAULTS_SCRIPT. Its zero value behaves (testdata/daemon).
type script struct {
	// Exit, unless nil, is the status with which it ends At a stage: "launch"
	// (before it registers), "registered" (before its pid file), "marker".
	Exit *int   `json:",omitempty"`
	At   string `json:",omitempty"`
	// Print goes to its standard error as it loads.
	Print string `json:",omitempty"`
	// Load is how long it loads.
	Load time.Duration `json:",omitempty"`
	// Stubborn keeps SIGTERM from ending it.
	Stubborn bool `json:",omitempty"`
	// Dying is how long it takes to end.
	Dying time.Duration `json:",omitempty"`
	// User is the id of a user endpoint that it has; empty for none.
	User string `json:",omitempty"`
}

// userID is the id of a user endpoint.
const userID = "66666666-7777-8888-9999-000000000000"

func processRows() []row {
	const group = "process"
	const (
		crashed = "Disconnected | Disconnected | started | not_running | restarted | deleted | shown"
		runs    = "Running | Running | already_running | stopped | restarted | conflict | shown"
		silent  = "Stopped | Stopped | failed | not_running | failed | deleted | shown"
	)
	all := []row{
		{group: group, fault: "kill -9 of the daemon", want: crashed,
			lay: func(b *fixture) { b.kill(b.started(), syscall.SIGKILL) }},
		{group: group, fault: "kill -9 of the real daemon", by: "real", want: crashed, long: true,
			lay: func(b *fixture) { b.kill(b.started(), syscall.SIGKILL) }},
		{group: group, fault: "a cgroup's kill of the daemon and its user endpoint " + cgroupKills, want: crashed, lay: cgroupKilled},
		{group: group, fault: "a cgroup's kill of a start and the daemon that it waits for " + cgroupKills, lay: cgroupKilledStarting,
			want: "Initialized | Initialized | started | not_running | restarted | deleted | shown"},
		{group: group, fault: "kill -9 of the daemon, whose user endpoint lives on for a second", want: crashed,
			lay: func(b *fixture) {
				b.play(script{User: userID})
				pid := b.started()
				b.userUp()
				b.play(script{})
				b.kill(pid, syscall.SIGKILL)
			}},
		{group: group, fault: "kill -9 of a user endpoint", want: runs,
			lay: func(b *fixture) {
				b.play(script{User: userID})
				b.started()
				b.kill(b.userUp(), syscall.SIGKILL)
				b.users(0)
				b.play(script{})
			}, after: func(b *fixture, operation string, c cell) {
				if c.outcome == "stopped" {
					b.users(0)
				}
			}},
		{group: group, fault: "kill -9 of a user endpoint amid a task, whose workers outlive it", by: "real", want: "Running | Running | already_running | timeout | timeout | conflict | shown", long: true, lay: realUserKilled, after: userToldDead},
		{group: group, fault: "suspended (SIGSTOP)", want: runs,
			lay: func(b *fixture) { b.kill(b.started(), syscall.SIGSTOP) },
			after: func(b *fixture, operation string, _ cell) {
				if operation != "list" {
					return
				}
				if text := b.must("endpoint", "list").stdout; !strings.Contains(text, "it is suspended and does nothing until it gets SIGCONT") {
					b.Errorf("list does not tell a person that it is suspended: %s", text)
				}
			}},
		{group: group, fault: "ignores SIGTERM", want: "Running | Running | already_running | timeout | timeout | conflict | shown",
			lay: func(b *fixture) { b.timeout = "3s"; b.play(script{Stubborn: true}); b.started() }},
		{group: group, fault: "takes three seconds to end", want: runs, long: true,
			lay: func(b *fixture) { b.play(script{Dying: 3 * time.Second}); b.started() }},
		{group: group, fault: "still loading when a start was given up", want: "Starting | Starting | started | stopped | restarted | conflict | shown",
			lay: func(b *fixture) {
				b.play(script{Load: 15 * time.Second})
				if a := b.run("endpoint", "start", "--timeout", "1s", "mesa"); a.exit != 6 {
					b.Fatalf("start: exit status %d\n%s", a.exit, a.stderr)
				}
			}},
		{group: group, fault: "prints warnings and lives", want: runs,
			lay: func(b *fixture) {
				b.play(script{Print: "DeprecationWarning: this is not an error\nTraceback is only a word\n"})
				b.started()
			}},
		{group: group, fault: "a zombie, whose parent does not bury it", want: crashed,
			lay: func(b *fixture) {
				// The program's own child becomes a zombie while it waits; here the
				// parent is this test, which started the daemon by hand.
				b.byHand()
			}},
		{group: group, fault: "the shell that started it is gone", want: runs, long: true,
			lay: func(b *fixture) { b.shell("true"); b.started(); b.prefix = nil }},
		{group: group, fault: "the terminal that started it is closed", want: runs,
			lay: func(b *fixture) {
				cmd := exec.Command("script", "-qec", place.chiltepin+" endpoint start mesa", "/dev/null")
				cmd.Env, cmd.Dir = b.env, b.home
				cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
				if a := b.finish(cmd); a.exit != 0 {
					b.Fatalf("script: %d\n%s%s", a.exit, a.stdout, a.stderr)
				}
			}},
		{group: group, fault: "the process group of who started it was killed", want: runs,
			lay: func(b *fixture) {
				cmd := exec.Command("sh", "-c", `"$0" endpoint start mesa && kill -9 0`, place.chiltepin)
				cmd.Env, cmd.Dir = b.env, b.home
				cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
				if err := cmd.Run(); err == nil || !strings.Contains(err.Error(), "killed") {
					b.Fatalf("the shell: %v", err)
				}
			}},
	}
	for _, status := range []int{0, 1, 65, 69, 70, 73, 75, 77, 78} {
		all = append(all, row{group: group, fault: fmt.Sprintf("prints nothing and ends with %d before it registers", status), want: silent, long: status != 73,
			lay: func(b *fixture) { b.stopped(); b.play(script{Exit: &status, At: "launch"}) }})
	}
	seventy, none := 70, 0
	return append(all,
		row{group: group, fault: "ends right after it registered", want: silent,
			lay: func(b *fixture) { b.stopped(); b.play(script{Exit: &seventy, At: "registered"}) }},
		row{group: group, fault: "ends with 0 because nobody says who it serves", want: silent,
			lay: func(b *fixture) { b.stopped(); b.play(script{Exit: &none, At: "marker"}) }},
	)
}

// userUp waits until the user endpoint has marked its beginning, and returns its
// process id.
func (b *fixture) userUp() int {
	b.Helper()
	pid := b.users(1)[0]
	log := filepath.Join(b.dir, "uep."+b.id()+"."+userID, "endpoint.log")
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if data, err := os.ReadFile(log); err == nil && strings.Contains(string(data), "begins") {
			return pid
		}
		if time.Since(began) > patience {
			b.Fatal("the user endpoint does not come up")
		}
	}
}

// byHand starts the daemon as its owner would, without the program, kills it and
// leaves it a zombie.
func (b *fixture) byHand() {
	b.Helper()
	cmd := exec.Command(place.bin+"/globus-compute-endpoint", "-c", b.dir, "start", "mesa")
	cmd.Env, cmd.Dir = append(b.env, "GLOBUS_COMPUTE_USER_DIR="+b.dir), b.path
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Wait() })
	for range 20_000 {
		if strings.Contains(b.run("endpoint", "status", "--offline", "mesa").stdout, "Running") {
			b.must("endpoint", "start", "mesa") // which notes it
			b.kill(cmd.Process.Pid, syscall.SIGKILL)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Fatal("the daemon does not come up")
}
