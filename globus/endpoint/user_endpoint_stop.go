package endpoint

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"chiltepin/globus/process"
)

// StopUserEndpoint ends one user endpoint of an endpoint of this machine, whose
// tasks are then lost, and removes its directory. It gets SIGTERM, by which it
// gives back its blocks, and after the grace SIGKILL, with all of its session.
// Only a process proven to be that user endpoint of this endpoint is signalled.
// pid, where it is known, is for one that has not set its title yet: a child of
// the proven daemon. One that does not run is a success. What is left is an
// error.
func (m *Manager) StopUserEndpoint(ctx context.Context, name, id string, pid int, grace time.Duration) error {
	ep, err := m.Dir.Endpoint(name)
	if err != nil {
		return err
	}
	e, err := m.gatherEvidence(ep, lookOptions{Mine: true})
	if err != nil {
		return err
	}
	s := stopper{m: m, ep: ep, operation: "stopping a user endpoint of", o: StopOptions{Now: true}}
	held, pid := s.holdUser(e, id, pid)
	defer held.Close()
	if pid != 0 {
		if err := endHeld(ctx, held, grace); err != nil {
			return fmt.Errorf("stopping user endpoint %s, process %d: %w", id, pid, err)
		}
	}
	all, err := ep.UserEndpoints()
	if err != nil {
		return err
	}
	for _, u := range all {
		if u.ID == id {
			return m.Dir.RemoveUserEndpoint(u)
		}
	}
	return nil
}

// holdUser takes hold of one user endpoint and of its session, the leader last.
func (s *stopper) holdUser(e Evidence, id string, young int) (all process.HeldList, pid int) {
	for _, p := range s.m.findUserProcesses(s.ep, e) {
		if !p.Ours || p.ID != id && (p.ID != "" || p.PID != young) {
			continue
		}
		leader, err := process.Hold(s.m.processTable(), p.Process)
		if err != nil {
			continue // it is gone
		}
		if leader.Session == leader.PID {
			all = append(all, s.holdSession(leader)...)
		}
		return append(all, leader), p.PID
	}
	return nil, 0
}

// endHeld ends the last one in an orderly way, the others with it if they stay.
func endHeld(ctx context.Context, all process.HeldList, grace time.Duration) error {
	leader := all[len(all)-1]
	if err := leader.Handle.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
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
		killAll(all)
		last, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := all[i].Handle.Wait(last)
		cancel()
		if err != nil {
			return errors.New("it got SIGKILL and has not ended")
		}
	}
	return nil
}
