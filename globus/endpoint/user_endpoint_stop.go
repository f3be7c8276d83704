package endpoint

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/process"
)

// StopUserEndpoint ends one user endpoint of an endpoint of this machine, whose
// tasks are then lost, and removes its directory. It gets SIGTERM, by which it
// gives back its blocks, and after the grace SIGKILL, with all of its session.
// Only a process proven to be that user endpoint of this endpoint is signalled.
// pid, where it is known, is for one that has not set its title yet: a child of
// the proven daemon. One that does not run is a success. What is left is an
// error.
//
// It takes the lock of the endpoint: another operation is waited for as long as
// the grace, and after that the error is a *[BusyError] and nothing was done.
func (m *Manager) StopUserEndpoint(ctx context.Context, name, id string, pid int, grace time.Duration) error {
	ctx, op, err := m.begin(ctx, name, "stopping a user endpoint of", grace)
	if err != nil {
		return err
	}
	defer op.end()
	return op.wrapLostLock(op.stopUserEndpoint(ctx, id, pid, grace))
}

// stopUserEndpoint does the work of StopUserEndpoint.
func (op *operation) stopUserEndpoint(ctx context.Context, id string, pid int, grace time.Duration) error {
	e, err := op.m.gatherEvidence(op.ep, lookOptions{Mine: true})
	if err != nil {
		return op.wrap(err)
	}
	held, pid := op.holdUserEndpoint(e, id, pid)
	defer held.Close()
	if pid != 0 {
		if err := op.endSession(ctx, held, grace); err != nil {
			return fmt.Errorf("stopping user endpoint %s, process %d: %w", id, pid, err)
		}
	}
	all, err := op.ep.UserEndpoints()
	if err != nil {
		return err
	}
	for _, u := range all {
		if u.ID == id {
			return op.removeUserEndpointDir(u)
		}
	}
	return nil
}

// removeUserEndpointDir removes the directory of a user endpoint that does not
// run.
func (op *operation) removeUserEndpointDir(u endpointfs.UserEndpointDir) error {
	if err := op.checkLockHeld(); err != nil {
		return err
	}
	return op.m.Dir.RemoveUserEndpoint(u)
}

// holdUserEndpoint takes hold of one user endpoint and of its session, the
// leader last.
func (op *operation) holdUserEndpoint(e Evidence, id string, young int) (all process.HeldList, pid int) {
	for _, p := range op.m.findUserProcesses(op.ep, e) {
		if !p.Ours || p.ID != id && (p.ID != "" || p.PID != young) {
			continue
		}
		leader, err := process.Hold(op.m.processTable(), p.Process)
		if err != nil {
			continue // it is gone
		}
		if leader.Session == leader.PID {
			all = append(all, op.holdSession(leader)...)
		}
		return append(all, leader), p.PID
	}
	return nil, 0
}

// endSession ends the last one, the leader, in an orderly way, the others with
// it if they stay.
func (op *operation) endSession(ctx context.Context, all process.HeldList, grace time.Duration) error {
	leader := all[len(all)-1]
	if err := op.signal(leader.PID, leader.Handle, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	patient, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Handle.Wait(patient) == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := op.killAll(all); err != nil {
			return err
		}
		last, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := all[i].Handle.Wait(last)
		cancel()
		if err != nil {
			return errors.New("it got SIGKILL and has not ended")
		}
	}
	return nil
}
