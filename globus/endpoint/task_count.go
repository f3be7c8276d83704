package endpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus/daemon"
)

// How many tasks a user endpoint has accepted and not finished is known from
// three sides, none of which is always there:
//
//   - the service repeats what the user endpoint reports with each heartbeat,
//     which may be 30 seconds old;
//   - the title of the user endpoint says that it is idle, as of its last
//     heartbeat, when its template sets idle_heartbeats_soft;
//   - the logs of parsl's workers tell at once which task each has begun and
//     finished, but nothing of tasks that wait for a worker.
//
// The daemon's log names a user endpoint at each submission of tasks to it, and
// the user endpoint's own log marks its beginning; before that it takes no task.
// A report of no tasks that may be older than the last of these is not believed, unless a worker has finished a task since and found no other one:
// a task that waited would have been given to it.

// userHeartbeat is how often a user endpoint reports (heartbeat_period in its
// template, 30 seconds unless given), with time for the report to arrive.
const userHeartbeat = daemon.HeartbeatPeriod + 5*time.Second

// taskCount is what is known about the tasks of one user endpoint.
type taskCount struct {
	// count is -1 when it is not known.
	count int
	// done is true when there is none that would be lost.
	done bool
	why  string
	// details are what the user endpoint last reported to the service, nil when
	// that was not asked or has not heard from it.
	details json.RawMessage
}

// taskEvidence is what tasks are judged by.
type taskEvidence struct {
	// Reported is the number in the service's last report, -1 for none.
	Reported int
	// Idle is true when the title says so.
	Idle bool
	// Workers are the logs of its workers.
	Workers daemon.WorkerLogs
	// Submitted is when it last may have got tasks that its report does not
	// tell of: at a submission, or when it began. Zero when that is long ago.
	Submitted time.Time
	// Young is true for a user endpoint that has not begun yet.
	Young bool
	Now   time.Time
}

// judgeTasks turns evidence into a count. It is pure.
func judgeTasks(e taskEvidence) taskCount {
	recent := !e.Submitted.IsZero() && e.Now.Sub(e.Submitted) < userHeartbeat
	// A worker whose node was taken away never says that it finished; a report
	// that is newer than its task's beginning knows better.
	begun := e.Workers.Running
	if e.Reported == 0 && e.Now.Sub(e.Workers.Began) > userHeartbeat {
		begun = 0
	}
	switch n := max(e.Reported, begun); {
	case n > 0 && n == begun && n > e.Reported:
		return taskCount{count: n, why: "the logs of its workers"}
	case n > 0:
		return taskCount{count: n, why: "its last heartbeat"}
	case e.Young:
		return taskCount{count: -1, why: "it is starting up"}
	case recent && e.Workers.Finished.After(e.Submitted) && e.Now.Sub(e.Workers.Finished) > 2*time.Second:
		return taskCount{done: true, why: "its workers have finished and found nothing else to do"}
	case recent:
		return taskCount{count: -1, why: fmt.Sprintf("tasks were submitted %s ago, and its next heartbeat will tell", e.Now.Sub(e.Submitted).Round(time.Second))}
	case e.Reported == 0:
		return taskCount{done: true, why: "its last heartbeat"}
	case e.Idle:
		return taskCount{done: true, why: "its title says that it is idle"}
	}
	return taskCount{count: -1, why: "neither the service nor its title says that it is idle"}
}

// countTasks gathers the evidence about one user endpoint and judges it.
func (m *Manager) countTasks(ctx context.Context, ep *endpointfs.Endpoint, e Evidence, service Service, u userProcess) taskCount {
	var details json.RawMessage
	ev := taskEvidence{Reported: -1, Idle: u.Idle, Young: u.ID == "", Now: time.Now()}
	if service != nil && u.ID != "" {
		asking, cancel := context.WithTimeout(ctx, serviceTimeout)
		if s, err := service.Status(asking, u.ID); err == nil && s.Online {
			ev.Reported, details = daemon.ReportedTasks(s.Details), s.Details
		}
		cancel()
	}
	if u.Dir != "" {
		began := e.Here.ClockTime(u.StartTime)
		ev.Workers = daemon.ReadWorkerLogs(m.Dir.Path(), u.Dir, began)
		ev.Submitted = lastSubmission(ctx, ep, u.Dir, ev.Now)
		if at, ok := m.startOf(ep, u, began); !ok {
			ev.Young = true
		} else if at.After(ev.Submitted) && ev.Now.Sub(at) < userHeartbeat {
			ev.Submitted = at
		}
	}
	t := judgeTasks(ev)
	t.details = details
	return t
}

// startOf returns when a user endpoint marked its beginning in its log, and false
// when it has not yet. Where its log is not found, that is when its process
// began.
func (m *Manager) startOf(ep *endpointfs.Endpoint, u userProcess, process time.Time) (time.Time, bool) {
	all, err := ep.UserEndpoints()
	if err != nil {
		return process, true
	}
	for _, d := range all {
		if d.ID != u.ID {
			continue
		}
		mark, ok, err := d.Log().LastMarker()
		if err != nil {
			return process, true
		}
		// Clocks in /proc are coarse.
		return mark.Time, ok && mark.Kind == log.Begins && mark.Time.After(process.Add(-time.Second))
	}
	return process, true
}

// lastSubmission returns when the daemon last noted a submission to a user
// endpoint (cmd_start_endpoint in core_endpoint.py), if that was lately.
func lastSubmission(ctx context.Context, ep *endpointfs.Endpoint, dir string, now time.Time) time.Time {
	page, err := ep.Log().Query(ctx, log.Query{
		Tail: 1, Since: now.Add(-2 * userHeartbeat), MaxBytes: 64 << 10,
		Grep: daemon.SubmissionPattern(dir),
	})
	if err != nil || len(page.Records) == 0 {
		return time.Time{}
	}
	return page.Records[0].Time
}
