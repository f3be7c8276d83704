package endpoint

import (
	"slices"
	"syscall"

	"chiltepin/globus/process"
)

func killAll(all process.HeldList) {
	for _, p := range all {
		_ = p.Handle.Signal(syscall.SIGKILL) // a dead one is what is wanted
	}
}

// holdUserEndpoints takes hold of the processes of this endpoint's user
// endpoints and, with Now, of everything in their sessions: a session bears the
// process id of its leader, which cannot come round again while it has members,
// and they are taken hold of while the leader is alive.
func (s *stopper) holdUserEndpoints(e Evidence) process.HeldList {
	var all process.HeldList
	for _, p := range s.m.findUserProcesses(s.ep, e) {
		if !p.Ours {
			continue
		}
		leader, err := process.Hold(s.m.processTable(), p.Process)
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
func (s *stopper) holdSession(leader process.Held) process.HeldList {
	members, err := s.m.processTable().Session(leader.PID)
	if err != nil {
		return nil
	}
	var all process.HeldList
	for _, p := range members {
		if p.PID == leader.PID {
			continue
		}
		member, err := process.Hold(s.m.processTable(), p)
		if err != nil {
			continue
		}
		if member.Session != leader.PID || leader.Handle.Dead() {
			member.Handle.Close()
			continue
		}
		all = append(all, member)
	}
	slices.Reverse(all) // children before their parents
	return all
}
