package faults

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
)

// duel has the same faults run through globus-compute-endpoint.
var duel = flag.Bool("duel", false, "run the faults through globus-compute-endpoint too")

// contest is one fault and one thing that is done about it with either program.
type contest struct {
	fault string
	// lay makes the fault; start starts the endpoint with the program in turn.
	lay func(b *bed, start func())
	// args are the command line of globus-compute-endpoint, after -c DIR; that of
	// chiltepin is the same after "endpoint".
	args []string
	// so says what is so afterwards, whatever was said.
	so func(b *bed) string
}

func contests() []contest {
	killed := func(b *bed, start func()) { start(); b.kill(b.pid(), syscall.SIGKILL) }
	daemons := func(b *bed) string {
		if n := len(b.living()); n != 1 {
			return fmt.Sprintf("%d daemons live", n)
		}
		return "1 daemon lives"
	}
	remains := func(b *bed) string {
		_, err := os.Stat(b.path)
		registered := len(b.box.State().Endpoints) > 0
		switch {
		case err != nil && registered:
			return "**the directory is gone, and with it the id of the registration, which was not ended**"
		case registered:
			return "directory and registration are there"
		case err != nil:
			return "directory and registration are gone"
		}
		return "the directory is there, the registration is gone"
	}
	stranger := func(b *bed) string {
		for _, s := range b.strangers {
			if s.said.String() != "ready\n" {
				return "**a stranger's process was signalled**"
			}
		}
		return "the stranger's process is unharmed"
	}
	exists := func(label string, path func(*bed) string) func(*bed) string {
		return func(b *bed) string {
			if _, err := os.Stat(path(b)); err != nil {
				return "**" + label + " is gone**"
			}
			return label + " is there"
		}
	}
	return []contest{
		{"the daemon was killed just now", killed, []string{"list"}, daemons},
		{"the daemon was killed just now", killed, []string{"start", "mesa"}, daemons},
		{"the daemon was killed just now", killed, []string{"stop", "mesa"}, daemons},
		{"the daemon was killed just now", killed, []string{"delete", "--yes", "mesa"}, remains},
		{"the daemon was killed, and a stranger's process has its id", func(b *bed, start func()) {
			killed(b, start)
			b.put("daemon.pid", fmt.Sprintln(b.stranger().cmd.Process.Pid))
		}, []string{"stop", "mesa"}, stranger},
		{"a fresh daemon.pid names a stranger's process", func(b *bed, _ func()) {
			b.put("daemon.pid", fmt.Sprintln(b.stranger().cmd.Process.Pid))
			b.put("endpoint.json", `{"endpoint_id": "11111111-2222-3333-4444-555555555555"}`)
		}, []string{"list"}, daemons},
		{"daemon.pid is empty, as after a full disk", func(b *bed, _ func()) { b.put("daemon.pid", "") }, []string{"stop", "mesa"}, daemons},
		{"daemon.pid is empty, as after a full disk", func(b *bed, _ func()) { b.put("daemon.pid", "") }, []string{"start", "--timeout", "60s", "mesa"}, daemons},
		{"the daemon is suspended for a minute", func(b *bed, start func()) {
			start()
			b.kill(b.pid(), syscall.SIGSTOP)
			b.touched("daemon.pid", time.Minute)
		}, []string{"list"}, daemons},
		{"the daemon is suspended for a minute", func(b *bed, start func()) {
			start()
			b.kill(b.pid(), syscall.SIGSTOP)
			b.touched("daemon.pid", time.Minute)
		}, []string{"stop", "mesa"}, daemons},
		{"it runs on another machine that shares the directory", func(b *bed, start func()) {
			b.on = newNode(b.T, "login1", time.Hour)
			start()
			b.on = newNode(b.T, "login2", time.Hour)
		}, []string{"stop", "mesa"}, daemons},
		{"called by a task of another endpoint (its GLOBUS_COMPUTE_ENDPOINT_DIR is in the environment)", func(b *bed, _ func()) {
			if _, err := endpointfs.Open(b.dir).Configure("other", endpointfs.ConfigureOptions{Email: "me@example.org"}); err != nil {
				b.Fatal(err)
			}
			b.set("GLOBUS_COMPUTE_ENDPOINT_DIR", filepath.Join(b.dir, "other"))
		}, []string{"delete", "--yes", "mesa"}, exists("the other endpoint", func(b *bed) string { return filepath.Join(b.dir, "other") })},
		{"the name is a path: ../precious", func(b *bed, _ func()) {
			if err := os.Mkdir(filepath.Join(b.home, "precious"), 0o700); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(b.home, "precious", "config.yaml"), []byte("display_name: x\n"), 0o600); err != nil {
				b.Fatal(err)
			}
		}, []string{"delete", "--yes", "--force", "../precious"}, exists("the directory outside", func(b *bed) string { return filepath.Join(b.home, "precious") })},
		{"the service answers 403", func(b *bed, _ func()) {
			b.box.Order(sandbox.Fault{Host: sandbox.ComputeHost, Status: 403, Code: "ACCESS_FORBIDDEN", Detail: "not you"})
		}, []string{"start", "mesa"}, daemons},
		{"the service answers 500 when it is deleted", func(b *bed, start func()) {
			killed(b, start)
			b.box.Order(sandbox.Fault{Host: sandbox.ComputeHost, Method: "DELETE", Status: 500})
		}, []string{"delete", "--yes", "--force", "mesa"}, remains},
		{"config.yaml is not YAML", func(b *bed, _ func()) { b.put("config.yaml", "display_name: [\n") }, []string{"start", "mesa"}, daemons},
	}
}

// TestDuel runs every contest with both programs and prints them side by side.
func TestDuel(t *testing.T) {
	if !*duel {
		return
	}
	var page bytes.Buffer
	page.WriteString(`# The same faults, two programs

Generated by ` + "`make duel`" + `: each fault was laid twice, for globus-compute-endpoint 4.19.0 from PyPI and for chiltepin, which
launches that same daemon, with the local stand-in for Globus as the service. A cell has the exit status, the time, the
last words, and then what was so, as the test saw it for itself.

| fault | command | globus-compute-endpoint | chiltepin |
|---|---|---|---|
`)
	py := runtimetest.Env(t, runtimetest.Newest)
	rows := make([]string, len(contests()))
	pair := make(chan struct{}, 2) // on two cores the times are still fair
	t.Run("contests", func(t *testing.T) {
		for i, c := range contests() {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				pair <- struct{}{}
				defer func() { <-pair }()
				cells := [2]string{}
				for j := range 2 {
					b := newBed(t, sandboxtest.Start(t))
					b.real()
					b.set("GLOBUS_COMPUTE_USER_DIR", b.dir)
					theirs := func(args ...string) *exec.Cmd {
						argv := append([]string{py.Bin("globus-compute-endpoint"), "-c", b.dir}, args...)
						if b.on != nil {
							argv = append(b.on.enter(), argv...)
						}
						cmd := exec.Command(argv[0], argv[1:]...)
						cmd.Env, cmd.Dir = append(b.env, "COLUMNS=200"), b.home
						cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: b.as}
						return cmd
					}
					start := func() {
						if j == 1 {
							b.must("endpoint", "start", "mesa")
							return
						}
						if a := b.finish(theirs("start", "--detach", "mesa")); a.exit != 0 {
							t.Fatalf("start: %d\n%s%s", a.exit, a.stdout, a.stderr)
						}
						for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
							if log, err := os.ReadFile(b.file("endpoint.log")); err == nil && bytes.Contains(log, []byte("User-endpoint start requests are valid from")) {
								return
							}
							if time.Since(began) > 30*time.Second {
								t.Fatal("their daemon does not come up")
							}
						}
					}
					c.lay(b, start)
					var a answer
					if j == 0 {
						a = b.ended(theirs(without(c.args, "--timeout")...), c.args[0] == "start")
					} else {
						a = b.run(append([]string{"endpoint"}, c.args...)...)
					}
					if b.root == "" && b.as != nil {
						_ = os.Chmod(b.dir, 0o700)
					}
					t.Logf("%d: %s\n%s%s", j, c.args, a.stdout, a.stderr)
					cells[j] = fmt.Sprintf("exit %d, %s: %s; %s", a.exit, duration(a.took), escape(b.lastWords(a)), c.so(b))
				}
				rows[i] = fmt.Sprintf("| %s | `%s` | %s | %s |\n", c.fault, strings.Join(c.args, " "), cells[0], cells[1])
			})
		}
	})
	page.WriteString(strings.Join(rows, ""))
	fmt.Print(page.String())
	if *write && !t.Failed() {
		if err := os.WriteFile("../../../docs/duel.md", page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// without leaves an option and its value out.
func without(args []string, option string) []string {
	var all []string
	for i := 0; i < len(args); i++ {
		if args[i] == option {
			i++
			continue
		}
		all = append(all, args[i])
	}
	return all
}

// ended runs a command that may stay in the foreground, which is then a success
// after eight seconds.
func (b *bed) ended(cmd *exec.Cmd, stays bool) answer {
	if !stays {
		return b.finish(cmd)
	}
	out, err := os.CreateTemp(b.TempDir(), "out")
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	a := answer{}
	select {
	case <-done:
		a.exit, a.took = cmd.ProcessState.ExitCode(), time.Since(began)
	case <-time.After(8 * time.Second):
		a.took, a.stdout = time.Since(began), "(it stays in the foreground and serves)"
		return a
	}
	data, err := os.ReadFile(out.Name())
	if err != nil {
		b.Fatal(err)
	}
	a.stdout = string(data)
	return a
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

// lastWords are the last lines of what a program printed, without what is
// another one in every run.
func (b *bed) lastWords(a answer) string {
	text := escapes.ReplaceAllString(a.stdout+"\n"+a.stderr, "")
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.Join(strings.Fields(strings.ReplaceAll(line, b.home, "~")), " "); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return "(nothing)"
	}
	words := strings.Join(lines[max(0, len(lines)-3):], " / ")
	if len(words) > 300 {
		words = words[:300] + "…"
	}
	return "“" + words + "”"
}
