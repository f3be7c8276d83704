package endpoint

import "context"

// Tidy removes the daemon.pid of a daemon that is gone beyond doubt, and says
// whether there was one. It signals nothing: where a process may be the daemon
// nothing is done.
func (m *Manager) Tidy(ctx context.Context, name string) (bool, error) {
	ctx, op, err := m.begin(ctx, name, "tidying", lockPoll)
	if err != nil {
		return false, err
	}
	defer op.end()
	removed, err := op.removeStalePIDFile(ctx)
	return removed, op.wrapLostLock(err)
}

// removeStalePIDFile does the work of Tidy.
func (op *operation) removeStalePIDFile(ctx context.Context) (bool, error) {
	e, v, err := op.settle(ctx)
	if err != nil {
		return false, err
	}
	if !e.PIDFile.Exists || e.Process != nil && (e.Process.Proven || e.Process.Host != "") {
		return false, nil
	}
	if !v.Settled {
		return false, op.doubt(e, v)
	}
	if err := op.removePIDFile(e); err != nil {
		return false, err
	}
	return true, nil
}
