package endpoint

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs"
)

func TestList(t *testing.T) {
	t.Parallel()
	b := newBed(t, script{})
	b.start()
	const other = "22222222-2222-2222-2222-222222222222"
	for _, e := range []struct{ name, json, pid string }{{"fresh", "", ""}, {"stopped", other, ""}, {"crashed", other, "4194000"}} {
		ep, err := b.Dir.Configure(e.name, endpointfs.NewEndpoint{})
		if err != nil {
			t.Fatal(err)
		}
		if e.json != "" {
			if err := os.WriteFile(filepath.Join(ep.Path(), "endpoint.json"), fmt.Appendf(nil, `{"endpoint_id": %q}`, e.json), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if e.pid != "" {
			path := filepath.Join(ep.Path(), "daemon.pid")
			if err := os.WriteFile(path, []byte(e.pid), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
	}
	all, err := b.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range all {
		got = append(got, fmt.Sprintf("%s %s %s", s.Name, s.ID, s.State))
	}
	want := []string{"crashed " + other + " Disconnected", "fresh  Initialized", "mesa " + testID + " Running", "stopped " + other + " Stopped"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	empty := &Manager{Dir: endpointfs.Open(filepath.Join(t.TempDir(), "missing"))}
	if all, err := empty.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("List of nothing = %v, %v", all, err)
	}
}

// BenchmarkList reads a thousand endpoints, against reading the same files
// bare.
func BenchmarkList(b *testing.B) {
	dir := endpointfs.Open(filepath.Join(b.TempDir(), "gc"))
	for i := range 1000 {
		ep, err := dir.Configure(fmt.Sprintf("e%04d", i), endpointfs.NewEndpoint{})
		if err != nil {
			b.Fatal(err)
		}
		for name, text := range map[string]string{"endpoint.json": `{"endpoint_id": "` + testID + `"}`, "daemon.pid": "4194000\n"} {
			if err := os.WriteFile(filepath.Join(ep.Path(), name), []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	m := &Manager{Dir: dir}
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			if all, err := m.List(context.Background()); err != nil || len(all) != 1000 {
				b.Fatal(len(all), err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			entries, err := os.ReadDir(dir.Path())
			if err != nil {
				b.Fatal(err)
			}
			for _, e := range entries {
				for _, name := range []string{"config.yaml", "endpoint.json", "daemon.pid"} {
					_, _ = os.ReadFile(filepath.Join(dir.Path(), e.Name(), name))
				}
			}
		}
	})
}
