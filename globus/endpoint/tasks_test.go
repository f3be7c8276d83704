package endpoint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestJudgeTasks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for _, row := range []struct {
		name string
		in   taskEvidence
		want tasks
	}{
		{"the service knows of some", taskEvidence{Reported: 3, Submitted: ago(time.Minute)},
			tasks{count: 3, why: "its last heartbeat"}},
		{"the service knows of none", taskEvidence{Reported: 0},
			tasks{done: true, why: "its last heartbeat"}},
		{"the service is behind", taskEvidence{Reported: 0, Submitted: ago(10 * time.Second)},
			tasks{count: -1, why: "tasks were submitted 10s ago, and its next heartbeat will tell"}},
		{"the service has caught up", taskEvidence{Reported: 0, Submitted: ago(40 * time.Second)},
			tasks{done: true, why: "its last heartbeat"}},
		{"a worker is at work", taskEvidence{Reported: 0, Workers: workerLogs{Running: 1, Began: ago(5 * time.Second)}},
			tasks{count: 1, why: "the logs of its workers"}},
		{"more workers than the service knows", taskEvidence{Reported: 1, Workers: workerLogs{Running: 4, Began: ago(5 * time.Second)}},
			tasks{count: 4, why: "the logs of its workers"}},
		{"more tasks than workers", taskEvidence{Reported: 9, Workers: workerLogs{Running: 4, Began: ago(5 * time.Second)}},
			tasks{count: 9, why: "its last heartbeat"}},
		{"a worker was lost", taskEvidence{Reported: 0, Workers: workerLogs{Running: 1, Began: ago(time.Hour)}},
			tasks{done: true, why: "its last heartbeat"}},
		{"a worker without a service", taskEvidence{Reported: -1, Workers: workerLogs{Running: 1, Began: ago(time.Hour)}},
			tasks{count: 1, why: "the logs of its workers"}},
		{"a worker has just finished", taskEvidence{Reported: 0, Submitted: ago(10 * time.Second), Workers: workerLogs{Finished: ago(time.Second)}},
			tasks{count: -1, why: "tasks were submitted 10s ago, and its next heartbeat will tell"}},
		{"a worker found nothing else", taskEvidence{Reported: 0, Submitted: ago(10 * time.Second), Workers: workerLogs{Finished: ago(3 * time.Second)}},
			tasks{done: true, why: "its workers have finished and found nothing else to do"}},
		{"a worker finished before", taskEvidence{Reported: 0, Submitted: ago(10 * time.Second), Workers: workerLogs{Finished: ago(20 * time.Second)}},
			tasks{count: -1, why: "tasks were submitted 10s ago, and its next heartbeat will tell"}},
		{"its report is older than its end of work", taskEvidence{Reported: 2, Submitted: ago(10 * time.Second), Workers: workerLogs{Finished: ago(3 * time.Second)}},
			tasks{count: 2, why: "its last heartbeat"}},
		{"idle by its title", taskEvidence{Reported: -1, Idle: true},
			tasks{done: true, why: "its title says that it is idle"}},
		{"idle by its title, before the last submission", taskEvidence{Reported: -1, Idle: true, Submitted: ago(10 * time.Second)},
			tasks{count: -1, why: "tasks were submitted 10s ago, and its next heartbeat will tell"}},
		{"nothing is known", taskEvidence{Reported: -1},
			tasks{count: -1, why: "neither the service nor its title says that it is idle"}},
		{"young", taskEvidence{Reported: -1, Young: true},
			tasks{count: -1, why: "it is starting up"}},
	} {
		row.in.Now = now
		if diff := cmp.Diff(row.want, judgeTasks(row.in), cmp.AllowUnexported(tasks{})); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", row.name, diff)
		}
	}
}

func TestOutstanding(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"":                             -1,
		"{}":                           -1,
		"null":                         -1,
		"[]":                           -1,
		`{"outstanding_tasks": null}`:  -1,
		`{"outstanding_tasks": 0}`:     0,
		`{"outstanding_tasks": 12}`:    12,
		`{"outstanding_tasks": -2}`:    -1,
		`{"outstanding_tasks": "two"}`: -1,
	} {
		if got := outstanding(json.RawMessage(text)); got != want {
			t.Errorf("outstanding(%s) = %d, want %d", text, got, want)
		}
	}
}

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
	want := workerLogs{Running: 1, Began: time.UnixMicro(1795477557500000), Finished: time.UnixMicro(1795477558750000)}
	if diff := cmp.Diff(want, readWorkerLogs(dir, "uep.a.b", start)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
