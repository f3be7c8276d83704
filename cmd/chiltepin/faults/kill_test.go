package faults

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// deed is an operation that is killed at every step.
type deed struct {
	name string
	// lay makes what it works on.
	lay  func(*bed)
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
	crashed := func(b *bed) { b.kill(b.started(), syscall.SIGKILL) }
	return []deed{
		{"configure", func(b *bed) {
			if err := os.RemoveAll(b.dir); err != nil {
				b.Fatal(err)
			}
		}, []string{"configure", "--email", "me@example.org", "mesa"}, []int{0, 4}, 0, 0, configured},
		{"start", func(*bed) {}, []string{"start", "mesa"}, []int{0}, 1, 1, running},
		{"start after a crash", crashed, []string{"start", "mesa"}, []int{0}, 1, 1, running},
		{"stop", func(b *bed) { b.started() }, []string{"stop", "mesa"}, []int{0}, 0, 1, stopped},
		{"stop after a crash", crashed, []string{"stop", "mesa"}, []int{0}, 0, 1, stopped},
		{"restart", func(b *bed) { b.started() }, []string{"restart", "mesa"}, []int{0}, 1, 1, running},
		{"delete", func(b *bed) { b.stopped() }, []string{"delete", "--yes", "mesa"}, []int{0, 3}, 0, 0, ""},
		{"delete --force", func(b *bed) { b.started() }, []string{"delete", "--yes", "--force", "mesa"}, []int{0, 3}, 0, 0, ""},
	}
}

// TestKilledAtEveryStep kills each operation before each of its steps and runs
// it again: it must come to the end that it would have come to, with nothing
// left behind.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	runtimetest.Long(t)
	if !isolated(t) {
		return
	}
	for _, d := range deeds() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			box := sandboxtest.Start(t)
			stride := 11
			if *whole {
				stride = 1
			}
			steps, killed := 0, true
			for n := 1; killed && n < 200; n += stride {
				killed = false
				t.Run("", func(t *testing.T) { killed = d.killedAt(t, box, n) })
				steps = n
			}
			t.Logf("%s has %d steps at most", d.name, steps)
			if steps < 8 {
				t.Errorf("only %d steps were seen", steps)
			}
		})
	}
}

// killedAt says whether there was a step of that number.
func (d deed) killedAt(t *testing.T, box *sandboxtest.Box, n int) bool {
	b := newBed(t, box)
	d.lay(b)
	before := len(box.State().Endpoints)
	if b.id() != "" {
		before--
	}
	tr, killed := b.traced(tracer{kill: n}, append([]string{"endpoint"}, d.args...)...)
	at := "its end"
	if killed {
		at = tr.steps[n-1]
	}
	b.truth(at)
	a := b.run(append([]string{"endpoint"}, d.args...)...)
	if !slices.Contains(d.exits, a.exit) {
		t.Errorf("killed before step %d (%s), and run again: exit status %d\n%s", n, at, a.exit, a.stderr)
	}
	b.truth(at)
	if got := len(b.living()); got != d.living {
		t.Errorf("killed before step %d (%s), and run again: %d daemons live, want %d", n, at, got, d.living)
	}
	if got := len(box.State().Endpoints) - before; got != d.registered {
		t.Errorf("killed before step %d (%s), and run again: %d registrations, want %d", n, at, got, d.registered)
	}
	if got := b.names(b.path); got != d.files {
		t.Errorf("killed before step %d (%s), and run again: files\n%s, want\n%s", n, at, got, d.files)
	}
	// The next one to come removes what was on its way out.
	b.must("endpoint", "configure", "next")
	own := filepath.Join(b.dir, ".chiltepin")
	for _, e := range strings.Fields(b.names(own)) {
		fresh := strings.HasPrefix(e, "new-") && d.name == "configure" && killed // removed an hour later
		if !slices.Contains([]string{"locks", "clients.json", "tokens.flock", "journal.jsonl", "journal.lock"}, e) && !fresh {
			t.Errorf("killed before step %d (%s), and run again: %s was left in %s", n, at, e, own)
		}
	}
	return killed
}

// names are those of the entries of a directory, sorted, without rotated logs.
func (b *bed) names(dir string) string {
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
func (b *bed) truth(at string) {
	b.Helper()
	var word string
	var living int
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(20 * time.Millisecond) {
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
	b.Errorf("killed before %s: list says %q, and %d daemons live", at, word, living)
}
