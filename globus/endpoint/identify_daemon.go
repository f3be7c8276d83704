package endpoint

import (
	"fmt"
	"slices"

	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
	"chiltepin/globus/process"
)

// endpointIdentity is what a process is held against.
type endpointIdentity struct {
	Name   string
	ID     string // of endpoint.json; may be empty
	Dir    string
	PID    int // in daemon.pid; 0 when there is none
	Record *endpointfs.LaunchRecord
	Here   process.Machine
}

// isRecorded says whether p is the very process that the record names: same
// numbering of processes, same id, same start.
func (s endpointIdentity) isRecorded(p process.Process) bool {
	r := s.Record
	return r != nil && r.BootID == s.Here.BootID && r.PID == p.PID && r.StartTime == p.StartTime
}

// weighProcess weighs what is known about one process. place is asked only when the
// rest speaks for it.
func weighProcess(p process.Process, s endpointIdentity, place func() process.Presence) ProcessEvidence {
	ev := ProcessEvidence{PID: p.PID, StartTime: p.StartTime, Suspended: p.Suspended, Title: p.Title()}
	t, titled := daemon.ParseTitle(ev.Title)
	recorded := s.isRecorded(p)
	sameID := titled && (s.ID == "" || t.ID == s.ID)
	switch {
	case titled && !sameID && !recorded:
		ev.Why = "its title names endpoint " + t.ID
		return ev
	case titled && !t.Names(s.Name) && (s.ID == "" || !sameID) && !recorded:
		ev.Why = "its title names another endpoint"
		return ev
	case !titled && !daemon.IsLaunching(p) && !recorded:
		ev.Why = "it is another program"
		return ev
	}
	at := place()
	switch {
	case at == process.Outside && titled && t.Names(s.Name) && sameID && (p.PID == s.PID || recorded):
		ev.Doubtful, ev.Why = true, "title and process id are right, but it works in another directory"
	case at == process.Outside:
		ev.Why = "it works in another directory"
	case titled && !sameID:
		ev.Doubtful, ev.Why = true, fmt.Sprintf("it was launched for this endpoint, but its title names %s", t.ID)
	case at == process.Unseen && !recorded && titled:
		ev.Doubtful, ev.Why = true, "its title is right, but its working directory cannot be seen from here"
	case at == process.Unseen && !recorded:
		ev.Why = "its working directory cannot be seen from here"
	case titled && !t.Core && at == process.Inside && !t.Names(s.Name):
		ev.Why = "it is a user endpoint"
	default:
		ev.Proven, ev.Phase = true, Up
		ev.Why = "title and directory are right"
		if recorded {
			ev.Why = "it was launched here, and its title is right"
		}
		if len(p.Command) == 0 {
			// The kernel takes the arguments away some time before the process
			// is dead.
			ev.Phase, ev.Why = Ending, "it was launched here, and it is about to be gone"
		} else if !titled {
			ev.Phase, ev.Why = Launching, "it runs "+daemon.Program+" in this directory and has no title yet"
			if recorded {
				ev.Why = "it was launched here, and it has no title yet"
			}
		} else if t.Ending {
			ev.Phase = Ending
		}
		if recorded && s.Record.Host != s.Here.Host {
			ev.Proven, ev.Phase, ev.Host = false, "", s.Record.Host
		}
	}
	return ev
}

// chooseProcess returns the evidence that says most: a proven daemon before a doubtful
// one before none, and among equals the one that daemon.pid names, then the
// recorded one, then the oldest (a user endpoint bears its parent's title for
// an instant after it was forked).
func chooseProcess(all []ProcessEvidence, s endpointIdentity) *ProcessEvidence {
	if len(all) == 0 {
		return nil
	}
	rank := func(ev ProcessEvidence) (n int) {
		switch {
		case ev.Proven:
			n = 40
		case ev.Host != "":
			n = 30
		case ev.Doubtful:
			n = 20
		}
		if ev.PID == s.PID {
			n += 2
		}
		if s.Record != nil && s.Record.PID == ev.PID && s.Record.StartTime == ev.StartTime {
			n++
		}
		return n
	}
	best := slices.MinFunc(all, func(a, b ProcessEvidence) int {
		if d := rank(b) - rank(a); d != 0 {
			return d
		}
		if a.StartTime < b.StartTime {
			return -1
		}
		return 1
	})
	return &best
}
