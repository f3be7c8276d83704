package endpoint

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/daemon"
)

func TestJudgeTasks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for _, row := range []struct {
		name string
		in   taskEvidence
		want taskCount
	}{
		{"the service knows of some", taskEvidence{Reported: 3, Submitted: ago(time.Minute)},
			taskCount{count: 3, why: "its last heartbeat"}},
		{"the service knows of none", taskEvidence{Reported: 0},
			taskCount{done: true, why: "its last heartbeat"}},
		{"the service is behind", taskEvidence{Reported: 0, Submitted: ago(10 * time.Second)},
			taskCount{count: -1, why: "tasks were submitted 10s ago, and its next heartbeat will tell"}},
		{"the service has caught up", taskEvidence{Reported: 0, Submitted: ago(40 * time.Second)},
			taskCount{done: true, why: "its last heartbeat"}},
		{"a worker is at work", taskEvidence{Reported: 0, Workers: daemon.WorkerLogs{Running: 1, Began: ago(5 * time.Second)}},
			taskCount{count: 1, why: "the logs of its workers"}},
		{"more workers than the service knows", taskEvidence{Reported: 1, Workers: daemon.WorkerLogs{Running: 4, Began: ago(5 * time.Second)}},
			taskCount{count: 4, why: "the logs of its workers"}},
		{"more tasks than workers", taskEvidence{Reported: 9, Workers: daemon.WorkerLogs{Running: 4, Began: ago(5 * time.Second)}},
			taskCount{count: 9, why: "its last heartbeat"}},
		{"a worker was lost", taskEvidence{Reported: 0, Workers: daemon.WorkerLogs{Running: 1, Began: ago(time.Hour)}},
			taskCount{done: true, why: "its last heartbeat"}},
		{"a worker without a service", taskEvidence{Reported: -1, Workers: daemon.WorkerLogs{Running: 1, Began: ago(time.Hour)}},
			taskCount{count: 1, why: "the logs of its workers"}},
		{"a worker has just finished", taskEvidence{Reported: 0, Submitted: ago(10 * time.Second), Workers: daemon.WorkerLogs{Finished: ago(time.Second)}},
			taskCount{count: -1, why: "tasks were submitted 10s ago, and its next heartbeat will tell"}},
		{"a worker found nothing else", taskEvidence{Reported: 0, Submitted: ago(10 * time.Second), Workers: daemon.WorkerLogs{Finished: ago(3 * time.Second)}},
			taskCount{done: true, why: "its workers have finished and found nothing else to do"}},
		{"a worker finished before", taskEvidence{Reported: 0, Submitted: ago(10 * time.Second), Workers: daemon.WorkerLogs{Finished: ago(20 * time.Second)}},
			taskCount{count: -1, why: "tasks were submitted 10s ago, and its next heartbeat will tell"}},
		{"its report is older than its end of work", taskEvidence{Reported: 2, Submitted: ago(10 * time.Second), Workers: daemon.WorkerLogs{Finished: ago(3 * time.Second)}},
			taskCount{count: 2, why: "its last heartbeat"}},
		{"idle by its title", taskEvidence{Reported: -1, Idle: true},
			taskCount{done: true, why: "its title says that it is idle"}},
		{"idle by its title, before the last submission", taskEvidence{Reported: -1, Idle: true, Submitted: ago(10 * time.Second)},
			taskCount{count: -1, why: "tasks were submitted 10s ago, and its next heartbeat will tell"}},
		{"nothing is known", taskEvidence{Reported: -1},
			taskCount{count: -1, why: "neither the service nor its title says that it is idle"}},
		{"young", taskEvidence{Reported: -1, Young: true},
			taskCount{count: -1, why: "it is starting up"}},
	} {
		row.in.Now = now
		if diff := cmp.Diff(row.want, judgeTasks(row.in), cmp.AllowUnexported(taskCount{})); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", row.name, diff)
		}
	}
}
