package endpoint

import (
	"context"
	"fmt"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/progress"
)

// watchPIDFile looks at daemon.pid until somebody touches it or a touch would have
// been due, and judges anew. The file's clock need not be ours, so only a
// change counts, except on a disk of this machine, where the file's age does.
func (m *Manager) watchPIDFile(ctx context.Context, ep *endpointfs.Endpoint, e Evidence) (Evidence, verdict, error) {
	began, first := time.Now(), e.PIDFile
	if !first.Exists || first.ModTime.IsZero() {
		return e, judgeEvidence(e), nil
	}
	end := began.Add(touchDue)
	if due := first.ModTime.Add(touchDue); e.ownDisk && due.Before(end) {
		end = due
	}
	progress.Report(ctx, progress.Event{Stage: "watching", Text: fmt.Sprintf("watching daemon.pid for up to %s: a daemon on another machine would touch it", time.Until(end).Round(time.Second))})
	w := Watch{}
	for time.Now().Before(end) {
		if err := progress.Pause(ctx, min(250*time.Millisecond, time.Until(end))); err != nil {
			return e, verdict{}, err
		}
		f, _ := ep.PIDFile()
		if !f.Exists {
			break
		}
		if !f.ModTime.Equal(first.ModTime) || f.PID != first.PID {
			w.Touched = true
			break
		}
	}
	w.For = time.Since(began)
	e, err := m.gatherEvidence(ep, lookOptions{Mine: true, Watch: &w})
	if err != nil {
		return e, verdict{}, err
	}
	return e, judgeEvidence(e), nil
}
