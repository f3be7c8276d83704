package daemon

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadWorkerLogs(t *testing.T) {
	t.Parallel()
	// A configuration directory may have any name.
	dir := filepath.Join(t.TempDir(), "my [gc]*")
	write := func(path, text string, at time.Time) {
		path = filepath.Join(dir, "uep.a.b", path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	const (
		begun    = "1795477557.500000 2026-11-23 23:45:57 HTEX-Worker-0-25740 MainThread-1 parsl:775 worker INFO: Received executor task 7\n"
		finished = "1795477558.250000 2026-11-23 23:45:58 HTEX-Worker-0-25740 MainThread-1 parsl:809 worker INFO: Completed executor task 7\n" +
			"1795477558.750000 2026-11-23 23:45:58 HTEX-Worker-0-25740 MainThread-1 parsl:821 worker INFO: All processing finished for executor task 7\n"
		noise = "Traceback: Received executor task of a kind\n1795477599.1 INFO: Worker 0 started\n"
	)
	start := time.Unix(1795477500, 0)
	write("htex/block-0/m1/worker_0.log", begun+finished, start.Add(time.Minute))
	write("htex/block-0/m1/worker_1.log", noise+begun+noise, start.Add(time.Minute))
	write("htex/block-0/m1/worker_2.log", noise, start.Add(time.Minute))
	write("htex/block-0/m1/manager.log", begun, start.Add(time.Minute))
	write("htex/block-1/m2/worker_0.log", begun, start.Add(-time.Minute)) // of an earlier life
	want := WorkerLogs{Running: 1, Began: time.UnixMicro(1795477557500000), Finished: time.UnixMicro(1795477558750000)}
	if diff := cmp.Diff(want, ReadWorkerLogs(dir, "uep.a.b", start)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
