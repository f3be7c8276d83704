package endpointfs

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// thousand makes a configuration directory of a thousand endpoints, half of
// which have a pid file.
func thousand(b *testing.B) *Dir {
	b.Helper()
	dir := Open(b.TempDir())
	for i := range 1000 {
		path := filepath.Join(dir.Path(), fmt.Sprintf("endpoint-%04d", i))
		if err := os.Mkdir(path, 0o700); err != nil {
			b.Fatal(err)
		}
		contents := map[string]string{
			configYAML:   fmt.Sprintf("display_name: endpoint-%04d\ndebug: true\n", i),
			endpointJSON: fmt.Sprintf(`{"endpoint_id": "6a1f0e3c-9c2d-4b6e-8a50-%012d"}`, i),
		}
		if i%2 == 0 {
			contents[pidFile] = fmt.Sprintf("%d\n", 10000+i)
		}
		for name, content := range contents {
			if err := os.WriteFile(filepath.Join(path, name), []byte(content), 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	return dir
}

// BenchmarkScan1000 reads what a list of a thousand endpoints needs, and
// reports how many times as long it takes as reading the directory and the
// same files, and doing nothing with them.
func BenchmarkScan1000(b *testing.B) {
	dir := thousand(b)
	var ours, floor time.Duration
	for b.Loop() {
		for range 10 {
			start := time.Now()
			scan(b, dir)
			ours += time.Since(start)
			start = time.Now()
			bare(b, dir.Path())
			floor += time.Since(start)
		}
	}
	b.ReportMetric(float64(ours)/float64(floor), "x-floor")
	b.ReportMetric(float64(ours.Microseconds())/float64(10*b.N), "µs/scan")
}

func scan(b *testing.B, dir *Dir) {
	all, err := dir.Endpoints()
	if err != nil || len(all) != 1000 {
		b.Fatal(len(all), err)
	}
	for _, ep := range all {
		id, err := ep.ID()
		if err != nil || id == "" {
			b.Fatal(ep.Name(), err)
		}
		if _, err := ep.PIDFile(); err != nil {
			b.Fatal(err)
		}
	}
}

func bare(b *testing.B, path string) {
	entries, err := os.ReadDir(path)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range entries {
		if _, err := os.ReadFile(filepath.Join(path, e.Name(), endpointJSON)); err != nil {
			b.Fatal(err)
		}
		if _, err := os.ReadFile(filepath.Join(path, e.Name(), pidFile)); err != nil && !os.IsNotExist(err) {
			b.Fatal(err)
		}
	}
}
