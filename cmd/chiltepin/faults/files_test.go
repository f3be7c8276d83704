package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func fileRows() []row {
	const group = "files"
	const (
		// refused: nothing is launched, and what runs is left alone.
		unusable = "Initialized | Initialized | failed | not_running | failed | deleted | shown"
		ends     = "Stopped | Stopped | started | not_running | restarted | deleted | shown"
		runs     = "Running | Running | already_running | stopped | restarted | conflict | shown"
	)
	write := func(name, content string) func(*fixture) {
		return func(b *fixture) { b.put(name, content) }
	}
	return []row{
		{group: group, fault: "endpoint.json missing, and the daemon lives", want: runs,
			lay: func(b *fixture) { b.started(); b.gone("endpoint.json") }},
		{group: group, fault: "endpoint.json empty", want: "Stopped | Stopped | invalid | not_running | invalid | invalid | shown",
			lay: write("endpoint.json", "")},
		{group: group, fault: "endpoint.json cut off, and the daemon lives", want: "Running | Running | already_running | stopped | invalid | conflict | shown",
			lay: func(b *fixture) { b.started(); b.put("endpoint.json", `{"endpoint_id": "11`) }},
		{group: group, fault: "endpoint.json of another endpoint, and the daemon lives", want: "Unknown | Unknown | conflict | conflict | conflict | conflict | shown",
			lay: func(b *fixture) {
				b.started()
				b.put("endpoint.json", `{"endpoint_id": "11111111-2222-3333-4444-555555555555"}`)
			}, blind: true},
		{group: group, fault: "endpoint.json of ten megabytes", want: "Stopped | Stopped | invalid | not_running | invalid | invalid | shown",
			lay: write("endpoint.json", strings.Repeat("x", 10<<20))},
		{group: group, fault: "config.yaml missing", want: "not listed | Stopped | invalid | not_running | invalid | deleted | shown",
			lay: func(b *fixture) { b.stopped(); b.gone("config.yaml") }},
		{group: group, fault: "config.yaml is not YAML", want: "Initialized | Initialized | invalid | not_running | invalid | deleted | shown",
			lay: write("config.yaml", "display_name: [\n")},
		{group: group, fault: "config.yaml has an unknown key", want: "Initialized | Initialized | invalid | not_running | invalid | deleted | shown",
			lay: write("config.yaml", "display_name: x\ncolour: red\n")},
		{group: group, fault: "config.yaml has an engine", want: "Initialized | Initialized | invalid | not_running | invalid | deleted | shown",
			lay: write("config.yaml", "display_name: x\nengine:\n  type: GlobusComputeEngine\n")},
		{group: group, fault: "config.py beside config.yaml", want: "Initialized | Initialized | started | not_running | restarted | deleted | shown",
			lay: write("config.py", "config = None\n")},
		{group: group, fault: "template missing", want: "Initialized | Initialized | invalid | not_running | invalid | deleted | shown",
			lay: func(b *fixture) { b.gone("user_config_template.yaml.j2") }},
		{group: group, fault: "template cut off", want: "Initialized | Initialized | invalid | not_running | invalid | deleted | shown",
			lay: write("user_config_template.yaml.j2", "engine: {{ x")},
		{group: group, fault: "schema is not JSON", want: "Initialized | Initialized | invalid | not_running | invalid | deleted | shown",
			lay: write("user_config_schema.json", "{")},
		{group: group, fault: "our record cut off, and the daemon lives", want: runs,
			lay: func(b *fixture) { b.started(); b.put("chiltepin.json", `{"version": 1, "ho`) }},
		{group: group, fault: "our record left half written by a killed process", want: ends,
			lay: func(b *fixture) { b.stopped(); b.put("chiltepin.json.new", `{"version": 1, "ho`) }},
		{group: group, fault: "our record names a stranger, and daemon.pid too", want: "Disconnected | Disconnected | started | not_running | restarted | deleted | shown",
			lay: func(b *fixture) {
				b.kill(b.started(), syscall.SIGKILL)
				s := b.stranger()
				was := fmt.Sprint(b.pid())
				b.put("chiltepin.json", strings.Replace(b.text("chiltepin.json"), was, fmt.Sprint(s.cmd.Process.Pid), 1))
				b.put("daemon.pid", fmt.Sprintln(s.cmd.Process.Pid))
			}},
		{group: group, fault: "the endpoint's directory is a link out of the directory", want: runs,
			lay: func(b *fixture) {
				outside := filepath.Join(b.home, "outside")
				if err := os.Rename(b.path, outside); err != nil {
					b.Fatal(err)
				}
				if err := os.Symlink(outside, b.path); err != nil {
					b.Fatal(err)
				}
				b.started()
			}},
		{group: group, fault: "the log is a link to a file outside", want: ends,
			lay: func(b *fixture) {
				b.stopped()
				target := filepath.Join(b.home, "precious")
				if err := os.Rename(b.file("endpoint.log"), target); err != nil {
					b.Fatal(err)
				}
				if err := os.Symlink(target, b.file("endpoint.log")); err != nil {
					b.Fatal(err)
				}
			}},
		{group: group, fault: "the log is a fifo", want: "Initialized | Initialized | invalid | not_running | invalid | deleted | invalid",
			lay: func(b *fixture) { b.fifo("endpoint.log") }},
		{group: group, fault: "our record's place is a link to a file outside", want: "Initialized | Initialized | started | not_running | restarted | deleted | shown",
			lay: func(b *fixture) {
				target := filepath.Join(b.home, "precious")
				if err := os.WriteFile(target, []byte("4194000\n"), 0o600); err != nil {
					b.Fatal(err)
				}
				for _, name := range []string{"chiltepin.json", "chiltepin.out"} {
					if err := os.Symlink(target, b.file(name)); err != nil {
						b.Fatal(err)
					}
				}
			}, after: precious},
		{group: group, fault: "everything open to the world", want: runs,
			lay: func(b *fixture) {
				b.started()
				for _, name := range []string{"", "config.yaml", "endpoint.json", "daemon.pid", "chiltepin.json"} {
					if err := os.Chmod(b.file(name), 0o777); err != nil {
						b.Fatal(err)
					}
				}
			}},
		{group: group, fault: "the endpoint's directory may not be entered", want: "Unknown | Unknown | conflict | conflict | invalid | conflict | refused",
			lay: func(b *fixture) {
				b.asUser()
				b.stopped()
				b.mode(b.path, 0)
			}},
		{group: group, fault: "the configuration directory may not be read", want: "refused | Unknown | refused | refused | refused | refused | refused",
			lay: func(b *fixture) {
				b.asUser()
				b.stopped()
				b.mode(b.dir, 0)
			}},
		{group: group, fault: "read-only directory, stopped", want: "Stopped | Stopped | refused | not_running | refused | refused | shown",
			lay: func(b *fixture) {
				b.on = newNode(b.T, "login1", 0)
				b.stopped()
				b.readOnly()
			}, after: stillRegistered},
		{group: group, fault: "read-only directory, and the daemon lives", want: "Running | Running | already_running | stopped | refused | conflict | shown",
			lay: func(b *fixture) {
				b.on = newNode(b.T, "login1", 0)
				b.started()
				b.readOnly()
			}, after: stillRegistered},
		{group: group, fault: "the configuration directory may not be written to", want: "Stopped | Stopped | started | not_running | restarted | refused | shown",
			lay: func(b *fixture) {
				b.asUser()
				b.stopped()
				b.mode(b.dir, 0o500)
			}, after: stillRegistered},
		{group: group, fault: "full disk, stopped", want: "Stopped | Stopped | failed | not_running | failed | deleted | shown",
			lay: func(b *fixture) { b.fullDisk(func() { b.stopped() }) },
			after: func(b *fixture, operation string, c cell) {
				if c.outcome == "failed" && !strings.Contains(c.evidence, "the disk is full") {
					b.Errorf("%s does not name the cause: %s", operation, c.evidence)
				}
			}},
		{group: group, fault: "full disk, and the daemon lives", want: runs,
			lay: func(b *fixture) { b.fullDisk(func() { b.started() }) }},
		{group: group, fault: "a file system that has no locks, and the daemon lives", want: runs,
			lay: func(b *fixture) { b.started(); b.unlocked = true }},
		{group: group, fault: "a file system that has no locks, and an operation was killed", want: "Stopped | Stopped | started | not_running | restarted | deleted | shown",
			lay: func(b *fixture) { b.stopped(); b.unlocked = true; b.killedHolding() }},
		{group: group, fault: "directory removed under the daemon", want: "not listed | not_found | not_found | not_found | not_found | not_found | not_found",
			lay: func(b *fixture) {
				b.started()
				if err := os.RemoveAll(b.path); err != nil {
					b.Fatal(err)
				}
			}, blind: true},
		{group: group, fault: "directory renamed under the daemon, asked under the new name", want: runs,
			lay: func(b *fixture) {
				b.started()
				b.renamed("mesa2")
			}},
		{group: group, fault: "5,000 endpoints beside it", want: runs, long: true,
			lay: func(b *fixture) {
				for i := range 5000 {
					dir := filepath.Join(b.dir, fmt.Sprintf("e%04d", i))
					if err := os.Mkdir(dir, 0o700); err != nil {
						b.Fatal(err)
					}
					if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte("display_name: x\n"), 0o600); err != nil {
						b.Fatal(err)
					}
				}
				b.started()
			}},
	}
}

// stillRegistered wants a registration that was not ended where the directory
// is there still.
func stillRegistered(b *fixture, operation string, c cell) {
	if id := b.id(); operation == "delete" && c.outcome != "deleted" && !b.registered(id) {
		b.Errorf("delete failed, and ended the registration %s", id)
	}
}

// stopped starts the endpoint and stops it, so that it has all its files.
func (b *fixture) stopped() {
	b.Helper()
	b.started()
	b.must("endpoint", "stop", "mesa")
}

// killedHolding kills a stop that has just taken its lease.
func (b *fixture) killedHolding() {
	b.Helper()
	lease := filepath.Join(b.dir, ".chiltepin", "locks", "mesa.lease")
	whole, _ := b.traced(tracer{unlocked: true}, "endpoint", "stop", "mesa")
	taken := slices.Index(whole.steps, "linkat")
	if taken < 0 {
		b.Fatalf("it takes no lease: %q", whole.steps)
	}
	if _, err := os.Stat(lease); err == nil {
		b.Fatal("it does not give its lease back")
	}
	// Steps count from one, and that of the kill is not taken. A step more or
	// less before is no matter.
	for kill := taken + 1; kill < taken+6; kill++ {
		b.traced(tracer{unlocked: true, kill: kill}, "endpoint", "stop", "mesa")
		if _, err := os.Stat(lease); err == nil {
			return
		}
	}
	b.Fatal("no kill has left a lease")
}

func (b *fixture) text(name string) string {
	b.Helper()
	data, err := os.ReadFile(b.file(name))
	if err != nil {
		b.Fatal(err)
	}
	return string(data)
}

// mode sets the mode of a directory until the test ends.
func (b *fixture) mode(path string, mode os.FileMode) {
	b.Helper()
	if err := os.Chmod(path, mode); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.Chmod(path, 0o700) })
}

// readOnly makes the configuration directory a read-only file system on the
// fixture's machine.
func (b *fixture) readOnly() {
	b.Helper()
	b.onNode("mount", "--bind", b.dir, b.dir)
	b.onNode("mount", "-o", "remount,bind,ro", b.dir)
}

// fullDisk puts the configuration directory on a small file system of the fixture's
// machine, does what comes before, and fills it.
func (b *fixture) fullDisk(before func()) {
	b.Helper()
	b.on = newNode(b.T, "login1", 0)
	b.onNode("sh", "-c", `cp -a "$0" "$0.was" && mount -t tmpfs -o size=1m,mode=700 none "$0" && cp -a "$0.was/." "$0" && rm -r "$0.was"`, b.dir)
	b.root = fmt.Sprintf("/proc/%d/root", b.on.init)
	before()
	b.onNode("sh", "-c", `dd if=/dev/zero of="$0/.chiltepin/fill" bs=4k 2>/dev/null; : > "$0/.chiltepin/fill2"; true`, b.dir)
}

// renamed gives the endpoint's directory another name.
func (b *fixture) renamed(name string) {
	b.Helper()
	to := filepath.Join(b.dir, name)
	if err := os.Rename(b.path, to); err != nil {
		b.Fatal(err)
	}
	b.path, b.name = to, name
}
