package endpoint

import (
	"slices"

	"chiltepin/globus/process"
)

// holdUserEndpoints takes hold of the processes of this endpoint's user
// endpoints and, with sessions, of everything in their sessions: a session bears the
// process id of its leader, which cannot come round again while it has members,
// and they are taken hold of while the leader is alive.
func (op *operation) holdUserEndpoints(e Evidence, sessions bool) process.HeldList {
	var all process.HeldList
	for _, p := range op.m.findUserProcesses(op.ep, e) {
		if !p.Ours {
			continue
		}
		leader, err := process.Hold(op.m.processTable(), p.Process)
		if err != nil {
			continue
		}
		if sessions && leader.Session == leader.PID {
			all = append(all, op.holdSession(leader)...)
		}
		all = append(all, leader)
	}
	return all
}

// holdSession takes hold of the other processes in the leader's session.
func (op *operation) holdSession(leader process.Held) process.HeldList {
	members, err := op.m.processTable().Session(leader.PID)
	if err != nil {
		return nil
	}
	var all process.HeldList
	for _, p := range members {
		if p.PID == leader.PID {
			continue
		}
		member, err := process.Hold(op.m.processTable(), p)
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
