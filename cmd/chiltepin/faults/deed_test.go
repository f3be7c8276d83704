package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// deed is an operation that is disturbed at every step.
type deed struct {
	name string
	// lay makes what it works on.
	lay  func(*fixture)
	args []string
	// exits are the exit statuses that running it again may have.
	exits []int
	// living is how many daemons there are in the end.
	living int
	// registered is how many registrations of this endpoint there are in the end.
	registered int
	// files are in the endpoint's directory in the end; none when it is gone.
	files string
}

func deeds() []deed {
	const (
		configured = "config.yaml user_config_schema.json user_config_template.yaml.j2 user_environment.yaml"
		running    = "chiltepin.json chiltepin.out config.yaml daemon.pid endpoint.json endpoint.log user_config_schema.json user_config_template.yaml.j2 user_environment.yaml"
		stopped    = "chiltepin.out config.yaml endpoint.json endpoint.log user_config_schema.json user_config_template.yaml.j2 user_environment.yaml"
	)
	crashed := func(b *fixture) { b.kill(b.started(), syscall.SIGKILL) }
	return []deed{
		{"configure", func(b *fixture) {
			if err := os.RemoveAll(b.dir); err != nil {
				b.Fatal(err)
			}
		}, []string{"configure", "--email", "me@example.org", "mesa"}, []int{0, 4}, 0, 0, configured},
		{"start", func(*fixture) {}, []string{"start", "mesa"}, []int{0}, 1, 1, running},
		{"start after a crash", crashed, []string{"start", "mesa"}, []int{0}, 1, 1, running},
		{"stop", func(b *fixture) { b.started() }, []string{"stop", "mesa"}, []int{0}, 0, 1, stopped},
		{"stop after a crash", crashed, []string{"stop", "mesa"}, []int{0}, 0, 1, stopped},
		{"restart", func(b *fixture) { b.started() }, []string{"restart", "mesa"}, []int{0}, 1, 1, running},
		{"delete", func(b *fixture) { b.stopped() }, []string{"delete", "--yes", "mesa"}, []int{0, 3}, 0, 0, ""},
		{"delete --force", func(b *fixture) { b.started() }, []string{"delete", "--yes", "--force", "mesa"}, []int{0, 3}, 0, 0, ""},
	}
}

// everyStep disturbs each operation at each of its steps, or at every stride-th
// unless the whole matrix is run, until disturb says that there was no step of
// that number.
func everyStep(t *testing.T, stride int, disturb func(t *testing.T, d deed, box *sandboxtest.Box, n int) (reached bool)) {
	runtimetest.Long(t)
	if !isolated(t) {
		return
	}
	if *whole {
		stride = 1
	}
	for _, d := range deeds() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			box := sandboxtest.Start(t)
			steps := 0
			for n := 1; n < 200; n += stride {
				reached := false
				t.Run("", func(t *testing.T) { reached = disturb(t, d, box, n) })
				if !reached {
					break
				}
				steps = n
			}
			t.Logf("%s has %d steps at most", d.name, steps+stride-1)
			if steps < 1 || *whole && steps < 8 {
				t.Errorf("only %d steps were seen", steps)
			}
		})
	}
}

// converges runs the operation under a tracer that disturbs it, and then again
// undisturbed: it must come to the end that it would have come to, with nothing
// left behind. It returns what befell the first run, for messages.
func (d deed) converges(b *fixture, box *sandboxtest.Box, tr tracer) (tracer, string) {
	b.Helper()
	d.lay(b)
	before := len(box.State().Endpoints)
	if b.id() != "" {
		before--
	}
	args := append([]string{"endpoint"}, d.args...)
	tr, killed := b.traced(tr, args...)
	at := "undisturbed"
	if n := max(tr.kill, tr.full); n <= len(tr.steps) {
		at = fmt.Sprintf("full before step %d (%s)", n, tr.steps[n-1])
		if killed {
			at = fmt.Sprintf("killed before step %d (%s)", n, tr.steps[n-1])
		}
	}
	b.truth(at)
	a := b.run(args...)
	at += ", and run again"
	if !slices.Contains(d.exits, a.exit) {
		b.Errorf("%s: exit status %d\n%s", at, a.exit, a.stderr)
	}
	b.truth(at)
	if got := len(b.living()); got != d.living {
		b.Errorf("%s: %d daemons live, want %d", at, got, d.living)
	}
	if got := len(box.State().Endpoints) - before; got != d.registered {
		b.Errorf("%s: %d registrations, want %d", at, got, d.registered)
	}
	if got := b.names(b.path); got != d.files {
		b.Errorf("%s: files\n%s, want\n%s", at, got, d.files)
	}
	return tr, at
}

// names are those of the entries of a directory, sorted, without rotated logs.
func (b *fixture) names(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

// truth holds the word of list against what lives, giving a daemon that comes up
// or goes the time to do so.
func (b *fixture) truth(at string) {
	b.Helper()
	var word string
	var living int
	for began := time.Now(); time.Since(began) < patience; time.Sleep(20 * time.Millisecond) {
		var v struct {
			Endpoints []struct{ Name, Status string }
		}
		if err := json.Unmarshal([]byte(b.must("endpoint", "list", "--json").stdout), &v); err != nil {
			b.Fatal(err)
		}
		word, living = "", len(b.living())
		for _, e := range v.Endpoints {
			if e.Name == "mesa" {
				word = e.Status
			}
		}
		switch word {
		case "Running":
			if living == 1 {
				return
			}
		case "Starting", "Stopping":
			if living == 1 {
				return
			}
		default:
			if living == 0 {
				return
			}
		}
	}
	b.Errorf("%s: list says %q, and %d daemons live", at, word, living)
}
