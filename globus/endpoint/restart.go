package endpoint

import (
	"context"
	"time"

	"chiltepin/endpointfs"
)

// RestartResult is an endpoint that was stopped, if it ran, and started.
type RestartResult struct {
	Stop  StopResult
	Start StartResult
}

// Restart stops an endpoint as [Manager.Stop] does and starts it again as
// [Manager.Start] does, under one lock and within one timeout. What start checks
// is checked first, so that an endpoint is not stopped that cannot start again.
func (m *Manager) Restart(ctx context.Context, name string, o StopOptions) (RestartResult, error) {
	began, deadline := deadlineAfter(o.Timeout)
	ctx, t, err := m.lock(ctx, name, "restarting", deadline)
	if err != nil {
		return RestartResult{}, err
	}
	defer t.release()
	r, err := m.restart(ctx, t.ep, o, began, deadline)
	return r, t.told(err)
}

// restart does the work of Restart under the lock.
func (m *Manager) restart(ctx context.Context, ep *endpointfs.Endpoint, o StopOptions, began, deadline time.Time) (r RestartResult, err error) {
	if err := m.checkFiles(ep); err != nil {
		return r, err
	}
	if _, _, err := m.launchPrerequisites(ctx, ep); err != nil {
		return r, err
	}
	if r.Stop, err = m.stop(ctx, ep, "restarting", o, began, deadline); err != nil {
		return r, err
	}
	r.Start, err = m.start(ctx, ep, began, deadline)
	return r, err
}
