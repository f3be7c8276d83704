package endpoint

import (
	"slices"
	"syscall"
)

// heldProcess is a process with a handle on it that was proven while held.
type heldProcess struct {
	Process
	held Held
}

type heldProcesses []heldProcess

func (all heldProcesses) close() {
	for _, p := range all {
		p.held.Close()
	}
}

func (all heldProcesses) kill() {
	for _, p := range all {
		_ = p.held.Signal(syscall.SIGKILL) // a dead one is what is wanted
	}
}

// holdSame takes hold of the process that p was seen to be. When it is gone, or
// another one has its number, the error is [syscall.ESRCH].
func (m *Manager) holdSame(p Process) (heldProcess, error) {
	held, err := m.procs().Hold(p.PID)
	if err != nil {
		return heldProcess{}, err
	}
	again, ok, err := m.procs().Lookup(p.PID)
	if err != nil || !ok || again.StartTime != p.StartTime || held.Dead() {
		held.Close()
		return heldProcess{}, syscall.ESRCH
	}
	return heldProcess{again, held}, nil
}

// holdUserEndpoints takes hold of the processes of this endpoint's user
// endpoints and, with Now, of everything in their sessions: a session bears the
// process id of its leader, which cannot come round again while it has members,
// and they are taken hold of while the leader is alive.
func (s *stopper) holdUserEndpoints(e Evidence) heldProcesses {
	var all heldProcesses
	for _, p := range s.m.userProcesses(s.ep, e) {
		if !p.Ours {
			continue
		}
		leader, err := s.m.holdSame(p.Process)
		if err != nil {
			continue
		}
		if s.o.Now && leader.Session == leader.PID {
			all = append(all, s.holdSession(leader)...)
		}
		all = append(all, leader)
	}
	return all
}

// holdSession takes hold of the other processes in the leader's session.
func (s *stopper) holdSession(leader heldProcess) heldProcesses {
	members, err := s.m.procs().Session(leader.PID)
	if err != nil {
		return nil
	}
	var all heldProcesses
	for _, p := range members {
		if p.PID == leader.PID {
			continue
		}
		member, err := s.m.holdSame(p)
		if err != nil {
			continue
		}
		if member.Session != leader.PID || leader.held.Dead() {
			member.held.Close()
			continue
		}
		all = append(all, member)
	}
	slices.Reverse(all) // children before their parents
	return all
}
