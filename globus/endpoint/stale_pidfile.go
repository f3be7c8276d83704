package endpoint

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
)

// Tidy removes the daemon.pid of a daemon that is gone beyond doubt, and says
// whether there was one. It signals nothing: where a process may be the daemon
// nothing is done.
func (m *Manager) Tidy(ctx context.Context, name string) (bool, error) {
	ctx, t, err := m.lock(ctx, name, "tidying", time.Now().Add(lockPoll))
	if err != nil {
		return false, err
	}
	defer t.release()
	removed, err := m.tidy(ctx, t.ep)
	return removed, t.told(err)
}

// tidy does the work of Tidy under the lock.
func (m *Manager) tidy(ctx context.Context, ep *endpointfs.Endpoint) (bool, error) {
	e, v, err := m.settle(ctx, ep)
	if err != nil {
		return false, err
	}
	if !e.PIDFile.Exists || e.Process != nil && (e.Process.Proven || e.Process.Host != "") {
		return false, nil
	}
	if !v.Settled {
		return false, m.doubt("tidying", ep, e, v)
	}
	if err := stillOurs(ctx); err != nil {
		return false, err
	}
	if err := removePIDFile(ep, e); err != nil {
		return false, fmt.Errorf("tidying endpoint %q: %w", ep.Name(), err)
	}
	return true, nil
}

// LeadsTo says whether a directory of the PATH has the daemon's program, and
// returns where.
func LeadsTo(path string) (string, bool) {
	for _, dir := range filepath.SplitList(path) {
		if leadsTo(dir, daemon.Program) {
			return filepath.Join(dir, daemon.Program), true
		}
	}
	return "", false
}
