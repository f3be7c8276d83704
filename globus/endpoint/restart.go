package endpoint

import "context"

// RestartResult is an endpoint that was stopped, if it ran, and started.
type RestartResult struct {
	Stop  StopResult
	Start StartResult
}

// Restart stops an endpoint as [Manager.Stop] does and starts it again as
// [Manager.Start] does, under one lock and within one timeout. What start checks
// is checked first, so that an endpoint is not stopped that cannot start again.
func (m *Manager) Restart(ctx context.Context, name string, o StopOptions) (RestartResult, error) {
	ctx, op, err := m.begin(ctx, name, "restarting", o.Timeout)
	if err != nil {
		return RestartResult{}, err
	}
	defer op.end()
	r, err := op.restart(ctx, o)
	return r, op.wrapLostLock(err)
}

// restart does the work of Restart.
func (op *operation) restart(ctx context.Context, o StopOptions) (r RestartResult, err error) {
	starting := op.as("starting")
	if err := starting.checkFiles(); err != nil {
		return r, err
	}
	if _, _, err := starting.launchPrerequisites(ctx); err != nil {
		return r, err
	}
	if r.Stop, err = op.stop(ctx, o); err != nil {
		return r, err
	}
	r.Start, err = starting.start(ctx)
	return r, err
}
