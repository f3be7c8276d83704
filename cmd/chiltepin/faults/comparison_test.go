package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/sandbox"
)

// contest is one fault and one thing that is done about it with either program.
type contest struct {
	fault string
	// lay makes the fault; start starts the endpoint with the program in turn.
	lay func(b *fixture, start func())
	// args are the command line of globus-compute-endpoint, after -c DIR; that of
	// chiltepin is the same after "endpoint".
	args []string
	// so says what is so afterwards, whatever was said.
	so func(b *fixture) string
}

func contests() []contest {
	killed := func(b *fixture, start func()) { start(); b.kill(b.pid(), syscall.SIGKILL) }
	daemons := func(b *fixture) string {
		if n := len(b.living()); n != 1 {
			return fmt.Sprintf("%d daemons live", n)
		}
		return "1 daemon lives"
	}
	remains := func(b *fixture) string {
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
	stranger := func(b *fixture) string {
		for _, s := range b.strangers {
			if s.said.String() != "ready\n" {
				return "**a stranger's process was signalled**"
			}
		}
		return "the stranger's process is unharmed"
	}
	exists := func(label string, path func(*fixture) string) func(*fixture) string {
		return func(b *fixture) string {
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
		{"the daemon was killed, and a stranger's process has its id", func(b *fixture, start func()) {
			killed(b, start)
			b.put("daemon.pid", fmt.Sprintln(b.stranger().cmd.Process.Pid))
		}, []string{"stop", "mesa"}, stranger},
		{"a fresh daemon.pid names a stranger's process", func(b *fixture, _ func()) {
			b.put("daemon.pid", fmt.Sprintln(b.stranger().cmd.Process.Pid))
			b.put("endpoint.json", `{"endpoint_id": "11111111-2222-3333-4444-555555555555"}`)
		}, []string{"list"}, daemons},
		{"daemon.pid is empty, as after a full disk", func(b *fixture, _ func()) { b.put("daemon.pid", "") }, []string{"stop", "mesa"}, daemons},
		{"daemon.pid is empty, as after a full disk", func(b *fixture, _ func()) { b.put("daemon.pid", "") }, []string{"start", "--timeout", "60s", "mesa"}, daemons},
		{"the daemon is suspended for a minute", func(b *fixture, start func()) {
			start()
			b.kill(b.pid(), syscall.SIGSTOP)
			b.touched("daemon.pid", time.Minute)
		}, []string{"list"}, daemons},
		{"the daemon is suspended for a minute", func(b *fixture, start func()) {
			start()
			b.kill(b.pid(), syscall.SIGSTOP)
			b.touched("daemon.pid", time.Minute)
		}, []string{"stop", "mesa"}, daemons},
		{"it runs on another machine that shares the directory", func(b *fixture, start func()) {
			b.on = newNode(b.T, "login1", time.Hour)
			start()
			b.on = newNode(b.T, "login2", time.Hour)
		}, []string{"stop", "mesa"}, daemons},
		{"called by a task of another endpoint (its GLOBUS_COMPUTE_ENDPOINT_DIR is in the environment)", func(b *fixture, _ func()) {
			if _, err := endpointfs.Open(b.dir).Configure("other", endpointfs.NewEndpoint{Email: "me@example.org"}); err != nil {
				b.Fatal(err)
			}
			b.set("GLOBUS_COMPUTE_ENDPOINT_DIR", filepath.Join(b.dir, "other"))
		}, []string{"delete", "--yes", "mesa"}, exists("the other endpoint", func(b *fixture) string { return filepath.Join(b.dir, "other") })},
		{"the name is a path: ../precious", func(b *fixture, _ func()) {
			if err := os.Mkdir(filepath.Join(b.home, "precious"), 0o700); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(b.home, "precious", "config.yaml"), []byte("display_name: x\n"), 0o600); err != nil {
				b.Fatal(err)
			}
		}, []string{"delete", "--yes", "--force", "../precious"}, exists("the directory outside", func(b *fixture) string { return filepath.Join(b.home, "precious") })},
		{"the service answers 403", func(b *fixture, _ func()) {
			b.box.Order(sandbox.Fault{Host: sandbox.ComputeHost, Status: 403, Code: "ACCESS_FORBIDDEN", Detail: "not you"})
		}, []string{"start", "mesa"}, daemons},
		{"the service answers 500 when it is deleted", func(b *fixture, start func()) {
			killed(b, start)
			b.box.Order(sandbox.Fault{Host: sandbox.ComputeHost, Method: "DELETE", Status: 500})
		}, []string{"delete", "--yes", "--force", "mesa"}, remains},
		{"config.yaml is not YAML", func(b *fixture, _ func()) { b.put("config.yaml", "display_name: [\n") }, []string{"start", "mesa"}, daemons},
	}
}
