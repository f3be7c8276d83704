package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// operations are the columns of the matrix, in their order.
var operations = []string{"list", "status", "start", "stop", "restart", "delete", "logs"}

// reads says whether an operation may change nothing.
func reads(operation string) bool {
	return slices.Contains([]string{"list", "status", "logs"}, operation)
}

// row is one fault.
type row struct {
	// group and fault name it on the page.
	group, fault string
	// lay makes the fault, before each operation anew, except for those that
	// change nothing, which share one.
	lay func(*fixture)
	// want is the outcome of each operation, in the order of the columns.
	want string
	// by says what the fault was laid on when it is not the stand-in: "real" for
	// the real daemon.
	by string
	// root is true where it takes root: two users, or two networks.
	root bool
	// own gives each fixture a sandbox of its own, for faults of the service.
	own bool
	// online has status ask the service.
	online bool
	// long is run by make faults only, for it takes long or much.
	long bool
	// after, unless nil, looks for what must be so after each operation besides
	// what must be so always.
	after func(b *fixture, operation string, c cell)
	// blind is true where the truth cannot be known, so that no word can be
	// held against it.
	blind bool
}

// cell is what happened.
type cell struct {
	// outcome is a word: what the operation says it did or saw, or the code of
	// its error.
	outcome string
	// evidence is the reason that was given.
	evidence string
	took     time.Duration
}

// rows are all faults, in the order of the page.
func rows() []row {
	return slices.Concat(processRows(), pidRows(), machineRows(), fileRows(), ownerRows(), nameRows(), serviceRows(), environmentRows())
}

// TestMatrix runs each operation under each fault, and writes the page.
func TestMatrix(t *testing.T) {
	t.Parallel()
	runtimetest.Long(t)
	shared := sandboxtest.Start(t)
	var mu sync.Mutex
	page := map[string][]cell{}
	t.Run("rows", func(t *testing.T) {
		for _, r := range rows() {
			if r.long && !*whole {
				continue
			}
			t.Run(strings.TrimSpace(r.group+"/"+r.fault+" "+r.by), func(t *testing.T) {
				t.Parallel()
				if r.root && os.Geteuid() != 0 {
					unprivileged(t)
				}
				cells := r.run(t, shared)
				mu.Lock()
				defer mu.Unlock()
				page[r.key()] = cells
			})
		}
	})
	if *write && *whole && !t.Failed() {
		writePage(t, page)
	}
}

// unprivileged ends a test that takes root, which CI has.
func unprivileged(t *testing.T) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal("this takes root")
	}
	t.Skip("this takes root")
}

func (r row) key() string { return strings.TrimSpace(r.group + ": " + r.fault + " " + r.by) }

// wants returns the outcome that each operation is to have.
func (r row) wants(t testing.TB) []string {
	words := strings.Split(r.want, " | ")
	if len(words) != len(operations) {
		t.Fatalf("%s: %d outcomes, want %d", r.key(), len(words), len(operations))
	}
	return words
}

// atWork is held by the beds of the real daemon, which takes a processor for
// seconds to load: more of them at once would only keep each other from being
// up in time.
var atWork = make(chan struct{}, 6)

// run runs every operation and returns the cells.
func (r row) run(t *testing.T, shared *sandboxtest.Box) []cell {
	want := r.wants(t)
	cells := make([]cell, len(operations))
	one := func(columns ...int) {
		name := operations[columns[0]]
		if len(columns) > 1 {
			name = "those that change nothing"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r.by == "real" {
				atWork <- struct{}{}
				defer func() { <-atWork }()
			}
			box := shared
			if r.own {
				box = sandboxtest.Start(t)
			}
			b := newFixture(t, box)
			if r.by == "real" {
				b.real()
			}
			r.lay(b)
			for _, i := range columns {
				operation := operations[i]
				cells[i] = b.operate(r, operation)
				if cells[i].outcome != want[i] {
					t.Errorf("%s: %q, want %q\nevidence: %s\nhere: %v", operation, cells[i].outcome, want[i], cells[i].evidence, b.living())
				}
			}
		})
	}
	t.Run("run", func(t *testing.T) {
		if steady(want) {
			one(0, 1, 6, 2, 3, 4, 5)
			return
		}
		one(0, 1, 6)
		for _, i := range []int{2, 3, 4, 5} {
			one(i)
		}
	})
	return cells
}

// steady says whether start, stop and restart change nothing under a fault, so
// that they can be run one after the other on the same fixture, and delete last.
func steady(want []string) bool {
	nothing := []string{"invalid", "not_found", "conflict", "refused", "unsupported", "failed"}
	return slices.Contains(nothing, want[2]) && slices.Contains(append(nothing, "not_running"), want[3]) && slices.Contains(nothing, want[4])
}

// operate runs one operation and holds what it says against what is so.
func (b *fixture) operate(r row, operation string) cell {
	b.Helper()
	before, id := b.snapshot(), b.id()
	a := b.run(b.arguments(r, operation)...)
	c := b.read(operation, a)
	b.unharmed()
	if c.outcome != "timeout" && strings.Contains(c.evidence, "shut down and logged its end") {
		b.settled(0) // what is left of it is the interpreter's own end
	}
	living := len(b.living()) - b.others
	if reads(operation) && before != b.snapshot() {
		b.Errorf("%s changed the files:\n%s\nwere\n%s", operation, b.snapshot(), before)
	}
	if living > 1 {
		b.Errorf("%s: %d daemons live", operation, living)
	}
	if r.after != nil {
		r.after(b, operation, c)
	}
	if r.blind {
		return c
	}
	switch c.outcome {
	case "Running", "started", "already_running", "restarted":
		if living != 1 {
			b.Errorf("%s says %q, and %d daemons live", operation, c.outcome, living)
		}
	case "Stopped", "Disconnected", "Initialized", "stopped", "not_running", "deleted":
		if living != 0 {
			b.Errorf("%s says %q, and %d daemons live", operation, c.outcome, living)
		}
		if !reads(operation) {
			b.users(0)
		}
	}
	if c.outcome == "deleted" {
		if _, err := os.Lstat(b.root + b.path); !os.IsNotExist(err) {
			b.Errorf("delete says that it is done, and the directory is there")
		}
		if id != "" && b.registered(id) && !strings.Contains(c.evidence, "still registered") && !strings.Contains(c.evidence, "already gone") {
			b.Errorf("delete says that it is done, and the registration %s is there", id)
		}
	}
	return c
}

// arguments are the command line of an operation.
func (b *fixture) arguments(r row, operation string) []string {
	args := []string{"endpoint", operation, "--json"}
	switch operation {
	case "list":
		return args
	case "status":
		if !r.online {
			args = append(args, "--offline")
		}
	case "start", "stop", "restart":
		args = append(args, "--timeout", b.timeout)
	case "delete":
		args = append(args, "--yes")
	}
	return append(args, "--", b.name)
}

// read makes a cell of what an operation printed.
func (b *fixture) read(operation string, a answer) (c cell) {
	b.Helper()
	c = cell{took: a.took}
	defer func() { c.evidence = strings.ReplaceAll(c.evidence, b.home, "~") }()
	var v struct {
		Name, Status, Reason, Outcome string
		Service                       *struct{ Status, Problem string }
		Next                          []struct{ Command, Host string }
		Endpoints                     []struct{ Name, Status, Reason string }
		Steps                         []struct{ Step, Outcome, Detail string }
		Lines                         []struct{ Text string }
		Error                         struct {
			Code, Message string
			Next          []json.RawMessage
		}
	}
	text := a.stdout
	if a.exit != 0 {
		// Progress is told before the error.
		lines := strings.Split(strings.TrimSpace(a.stderr), "\n")
		text = lines[len(lines)-1]
	}
	if b.mute && (a.exit == 0 || a.stderr == "") {
		c.outcome = fmt.Sprintf("exit status %d", a.exit)
		return c
	}
	if first, _, _ := strings.Cut(a.stderr, "\n"); b.aborts && a.exit == 2 && strings.HasPrefix(first, "runtime: ") {
		c.outcome, c.evidence = "exit status 2", first
		return c
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		b.Errorf("%s: exit status %d, and no JSON: %v\n%s%s", operation, a.exit, err, a.stdout, a.stderr)
		c.outcome = fmt.Sprintf("exit status %d", a.exit)
		return c
	}
	if a.exit != 0 {
		c.outcome, c.evidence = v.Error.Code, v.Error.Message
		if v.Error.Code == "" || v.Error.Message == "" {
			b.Errorf("%s: exit status %d, and no reason: %s", operation, a.exit, text)
		}
		if a.stdout != "" {
			b.Errorf("%s failed, and printed a result: %s", operation, a.stdout)
		}
		return c
	}
	switch operation {
	case "list":
		c.outcome = "not listed"
		for _, e := range v.Endpoints {
			if e.Name == filepath.Base(b.path) {
				c.outcome, c.evidence = e.Status, e.Reason
			}
		}
	case "status":
		c.outcome, c.evidence = v.Status, v.Reason
		if s := v.Service; s != nil {
			c.evidence += "; the service: " + s.Status + s.Problem
		}
		for _, n := range v.Next {
			c.evidence += "; next: on " + n.Host + ": " + n.Command
		}
	case "delete":
		c.outcome = "deleted"
		for i, s := range v.Steps {
			if i > 0 {
				c.evidence += "; "
			}
			c.evidence += s.Step + " " + s.Outcome
			if s.Step == "deregister" && s.Outcome == "not done" {
				c.evidence += ": " + s.Detail
			}
		}
	case "logs":
		c.outcome, c.evidence = "shown", fmt.Sprintf("%d records", len(v.Lines))
	default:
		c.outcome, c.evidence = v.Outcome, v.Reason
	}
	return c
}

// numberText is a process id in a reason.
var numberText = regexp.MustCompile(`(process(?: id)?|pid) \d+`)

// tidy leaves out of a reason what is another one in every run.
func tidy(text string) string {
	return numberText.ReplaceAllString(text, "$1 N")
}
