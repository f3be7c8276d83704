package endpoint

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs"
	"chiltepin/globus"
	"chiltepin/globus/compute"
)

func (f *fakeService) List(context.Context, string) ([]compute.Summary, error) {
	return nil, f.err
}

func (f *fakeService) Metadata(context.Context, string) (compute.Metadata, error) {
	return compute.Metadata{}, f.err
}

// registry is a service that knows registrations: by id its name, host and
// word, "name host online".
type registry struct {
	known, foreign map[string]string
	deleted        []string
}

func (r *registry) words(id string) (name, host, word string, err error) {
	text, ok := r.known[id]
	if !ok {
		text, ok = r.foreign[id]
	}
	if !ok {
		return "", "", "", &globus.Error{Service: "compute", Status: 404, Code: "ENDPOINT_NOT_FOUND"}
	}
	f := strings.Fields(text)
	return f[0], f[1], f[2], nil
}

func (r *registry) Status(_ context.Context, id string) (compute.Availability, error) {
	_, _, word, err := r.words(id)
	return compute.Availability{Word: word, Online: word == "online"}, err
}

func (r *registry) Metadata(_ context.Context, id string) (compute.Metadata, error) {
	name, host, _, err := r.words(id)
	return compute.Metadata{ID: id, Name: name, Hostname: host}, err
}

func (r *registry) List(_ context.Context, role string) ([]compute.Summary, error) {
	if role != "owner" {
		return nil, fmt.Errorf("asked for role %q", role)
	}
	var all []compute.Summary
	for _, id := range slices.Sorted(maps.Keys(r.known)) {
		name, _, _, _ := r.words(id)
		all = append(all, compute.Summary{ID: id, Name: name})
	}
	return all, nil
}

func (r *registry) Delete(_ context.Context, id string) error {
	r.deleted = append(r.deleted, id)
	delete(r.known, id)
	return nil
}

// numbered is a UUID that ends in n.
func numbered(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// surveyed is a manager on login1 with the endpoints of those names and ids.
func surveyed(t *testing.T, r *registry, local map[string]int) *Manager {
	t.Helper()
	m := &Manager{Dir: endpointfs.Open(t.TempDir()), Host: "login1", BootID: "boot", Service: func(context.Context) (Service, error) { return r, nil }}
	for name, n := range local {
		dir := filepath.Join(m.Dir.Path(), name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "config.yaml"), "display_name: null\n")
		if n > 0 {
			write(t, filepath.Join(dir, "endpoint.json"), fmt.Sprintf(`{"endpoint_id": "%s"}`, numbered(n)))
		}
	}
	return m
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSurvey wants every way in which the directory and the service disagree
// to be found as what it is, and nothing where they agree.
func TestSurvey(t *testing.T) {
	t.Parallel()
	r := &registry{
		known: map[string]string{
			numbered(1):  "fine login1 offline",
			numbered(2):  "ghost login1 online",
			numbered(5):  "orphan login1 offline",
			numbered(6):  "away login2 online",
			numbered(7):  "asleep login2 offline",
			numbered(8):  "twin login1 offline",
			numbered(9):  "twin login1.elsewhere.example offline",
			numbered(10): "hidden LOGIN1 online",
			numbered(11): "uep.a.b login1 offline",
			numbered(12): "journaled localhost offline",
			numbered(13): "nobodys localhost offline",
		},
		foreign: map[string]string{numbered(3): "theirs login1 online"},
	}
	m := surveyed(t, r, map[string]int{"fine": 1, "ghost": 2, "theirs": 3, "gone": 4, "new": 0})
	if err := m.Dir.Journal().Append(endpointfs.JournalEntry{Call: "1", Event: endpointfs.Ended, Operation: "endpoint.start", ID: numbered(12)}); err != nil {
		t.Fatal(err)
	}
	pairs, err := m.Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range pairs {
		side := "both"
		if p.Local == nil {
			side = "remote"
		} else if p.Registered == nil {
			side = "local"
		}
		got[p.Name+" "+p.ID[max(0, len(p.ID)-2):]] = strings.TrimSpace(side + " " + fmt.Sprint(p.Findings))
		if p.Name != "nobodys" && (len(p.Findings) > 0) != (p.Why != "") {
			t.Errorf("%s: findings %v, why %q", p.Name, p.Findings, p.Why)
		}
	}
	want := map[string]string{
		"fine 01":      "both []",
		"ghost 02":     "both [ghost]",
		"theirs 03":    "both [foreign ghost]",
		"gone 04":      "local [gone]",
		"new ":         "local []",
		"orphan 05":    "remote [orphaned]",
		"away 06":      "remote [elsewhere]",
		"asleep 07":    "remote [elsewhere]",
		"twin 08":      "remote [orphaned same_name]",
		"twin 09":      "remote [elsewhere same_name]",
		"hidden 10":    "remote [ghost]",
		"journaled 12": "remote [orphaned]",
		"nobodys 13":   "remote []",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNoOrphanOfADirectory: a directory that has the UUID, or whose UUID cannot
// be read, keeps the registration from being anybody's orphan.
func TestNoOrphanOfADirectory(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(dir string) error{
		"lost its configuration": func(dir string) error { return os.Remove(filepath.Join(dir, "config.yaml")) },
		"half of endpoint.json": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "endpoint.json"), []byte(`{"endpo`), 0o600)
		},
		"no UUID yet": func(dir string) error { return os.Remove(filepath.Join(dir, "endpoint.json")) },
		"another id, and its own in our note": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "chiltepin.json"), []byte(`{"version":1,"host":"login1","pid":7,"id":"`+numbered(1)+`"}`), 0o600)
		},
	} {
		r := &registry{known: map[string]string{numbered(1): "mesa login1 offline"}}
		m := surveyed(t, r, map[string]int{"mesa": 1})
		if name == "another id, and its own in our note" {
			write(t, filepath.Join(m.Dir.Path(), "mesa", "endpoint.json"), fmt.Sprintf(`{"endpoint_id": "%s"}`, numbered(2)))
		}
		if err := spoil(filepath.Join(m.Dir.Path(), "mesa")); err != nil {
			t.Fatal(err)
		}
		plan, err := m.PlanPruning(t.Context(), PruneOptions{})
		if err != nil || !plan.Empty() {
			t.Errorf("%s: %+v, %v", name, plan, err)
		}
		if len(plan.Kept) == 0 || !strings.Contains(plan.Kept[0].Detail, `"mesa"`) {
			t.Errorf("%s: kept %+v", name, plan.Kept)
		}
	}
}

// TestPrune wants the plan to hold what this machine has orphaned and nothing
// else, and to be carried out except for what has changed since.
func TestPrune(t *testing.T) {
	t.Parallel()
	r := &registry{known: map[string]string{
		numbered(1): "fine login1 offline",
		numbered(5): "orphan login1 offline",
		numbered(6): "orphan login1 offline",
		numbered(7): "away login2 offline",
		numbered(8): "hidden login1 online",
		numbered(9): "claimed login1 offline",
	}}
	m := surveyed(t, r, map[string]int{"fine": 1})
	left := func(parent, own int, files ...string) string {
		dir := filepath.Join(m.Dir.Path(), "uep."+numbered(parent)+"."+numbered(own))
		if err := os.MkdirAll(filepath.Join(dir, "unacked_results"), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			write(t, filepath.Join(dir, f), "x")
		}
		return dir
	}
	owned, stray, precious := left(1, 31), left(20, 32, "endpoint.log"), left(20, 33, "unacked_results/result")
	plan, err := m.PlanPruning(t.Context(), PruneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, p := range plan.Registrations {
		ids = append(ids, p.ID)
	}
	if diff := cmp.Diff([]string{numbered(9), numbered(5), numbered(6)}, ids); diff != "" {
		t.Errorf("registrations in the plan: %s", diff)
	}
	if len(plan.Leftovers) != 1 || plan.Leftovers[0].Path() != stray {
		t.Errorf("leftovers in the plan: %v", plan.Leftovers)
	}
	if len(plan.Kept) != 3 || plan.Kept[0].Name != "directory "+precious || plan.Kept[0].Detail != "it holds 1 results that were never sent" {
		t.Errorf("kept: %+v", plan.Kept)
	}

	// Meanwhile one comes online, and one gets a directory.
	r.known[numbered(5)] = "orphan login1 online"
	claimed := filepath.Join(m.Dir.Path(), "claimed")
	if err := os.Mkdir(claimed, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(claimed, "config.yaml"), "debug: true\n")
	write(t, filepath.Join(claimed, "endpoint.json"), fmt.Sprintf(`{"endpoint_id": "%s"}`, numbered(9)))
	steps, err := m.Prune(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	var outcomes []string
	for _, s := range steps {
		outcomes = append(outcomes, s.Outcome)
	}
	if diff := cmp.Diff([]string{"stays", "stays", "removed", "removed"}, outcomes); diff != "" {
		t.Errorf("%s\n%+v", diff, steps)
	}
	if diff := cmp.Diff([]string{numbered(6)}, r.deleted); diff != "" {
		t.Errorf("ended registrations: %s", diff)
	}
	for dir, there := range map[string]bool{owned: true, precious: true, stray: false} {
		if _, err := os.Stat(dir); (err == nil) != there {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// TestPruneOnly: what is named may belong to another machine, but is never
// online and never has a directory; and an agreement is to one plan.
func TestPruneOnly(t *testing.T) {
	t.Parallel()
	r := &registry{known: map[string]string{numbered(1): "fine login1 offline", numbered(7): "away login2 offline", numbered(8): "on login2 online"}}
	m := surveyed(t, r, map[string]int{"fine": 1})
	for id, want := range map[string]string{
		numbered(1): "it has a directory here; deleting that endpoint ends the registration too",
		numbered(8): "it runs on login2",
		numbered(9): "no registration of the identity that is logged in has this UUID",
	} {
		_, err := m.PlanPruning(t.Context(), PruneOptions{Only: []string{id}})
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", id, err, want)
		}
	}
	all, err := m.PlanPruning(t.Context(), PruneOptions{})
	if err != nil || !all.Empty() {
		t.Errorf("without a name: %+v, %v", all, err)
	}
	plan, err := m.PlanPruning(t.Context(), PruneOptions{Only: []string{strings.ToUpper(numbered(7))}})
	if err != nil || len(plan.Registrations) != 1 || plan.Digest() == all.Digest() {
		t.Errorf("%+v, %v", plan, err)
	}
}
