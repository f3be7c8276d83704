package endpoint

import (
	"fmt"
	"time"

	"chiltepin/globus/daemon"
)

// The daemon touches daemon.pid every 15 seconds (_touch_pid in cli.py).
const (
	// touchDue is after how long without a touch one was due.
	touchDue = daemon.TouchPeriod + 2*time.Second
	// staleAfter is three touches: no daemon that lives is this late, unless
	// clocks differ or it is suspended.
	staleAfter = 3 * daemon.TouchPeriod
)

// verdict is what evidence amounts to.
type verdict struct {
	State  State
	Reason string
	// Host is the other machine that it runs on, where its name is known.
	Host string
	// Elsewhere is true when it runs, and not here.
	Elsewhere bool
	// Settled is true when a daemon may be started on this verdict, and its
	// pid file removed. When it is not, watching the pid file may settle it.
	Settled bool
}

// judgeEvidence turns evidence into a verdict. It is pure: the same evidence gives the
// same verdict.
func judgeEvidence(e Evidence) verdict {
	v := judgeAtRest(e)
	h := e.Holder
	if h == nil {
		return v
	}
	by := fmt.Sprintf("process %d on %s has been %s it since %s", h.PID, h.Host, h.Purpose, h.Since.Format(time.TimeOnly))
	if h.PID == 0 {
		by = "another operation is under way"
	}
	switch h.Purpose {
	case "starting":
		v.State, v.Reason = Starting, by
	case "stopping":
		v.State, v.Reason = Stopping, by
	case "restarting":
		v.State, v.Reason = Stopping, by
		if p := e.Process; p == nil || p.Proven && p.Phase == Launching {
			v.State = Starting
		}
	default:
		v.Reason += "; " + by
	}
	v.Settled = false
	return v
}

// judgeAtRest judges without regard to operations of ours.
func judgeAtRest(e Evidence) verdict {
	switch p := e.Process; {
	case p != nil && p.Host != "":
		return verdict{State: Running, Host: p.Host, Elsewhere: true, Reason: fmt.Sprintf("process %d was launched on %s", p.PID, p.Host)}
	case p != nil && p.Proven:
		return judgeAlive(e, p)
	case p != nil && p.Doubtful:
		return verdict{State: Unknown, Reason: fmt.Sprintf("process %d may or may not be its daemon: %s", p.PID, p.Why)}
	case e.PIDFile.Exists:
		return judgeLeftover(e)
	case e.ID == "" && e.IDProblem == nil:
		return verdict{State: Initialized, Reason: "it was never registered", Settled: true}
	case e.IDProblem != nil:
		return verdict{State: Stopped, Reason: "there is no daemon.pid and no process; " + e.IDProblem.Error(), Settled: true}
	}
	return verdict{State: Stopped, Reason: "there is no daemon.pid and no process", Settled: true}
}

// judgeAlive judges a daemon that is proven and alive here.
func judgeAlive(e Evidence, p *ProcessEvidence) verdict {
	v := verdict{State: Running, Reason: fmt.Sprintf("process %d is its daemon: %s", p.PID, p.Why)}
	switch {
	case p.Phase == Launching:
		v.State, v.Reason = Starting, fmt.Sprintf("process %d is starting up: %s", p.PID, p.Why)
	case p.Phase == Ending:
		v.State, v.Reason = Stopping, fmt.Sprintf("process %d is shutting down", p.PID)
	case p.Suspended:
	case e.isLeaving():
		v.State, v.Reason = Stopping, fmt.Sprintf("process %d is its daemon, but daemon.pid is gone, so it ends by itself within 15 seconds", p.PID)
	case e.PIDFile.Problem != nil:
		v.Reason += "; " + e.PIDFile.Problem.Error()
	case e.PIDFile.PID != p.PID:
		v.Reason += fmt.Sprintf("; daemon.pid names process %d", e.PIDFile.PID)
	}
	if p.Suspended {
		v.Reason += "; it is suspended and does nothing until it gets SIGCONT"
	}
	return v
}

// judgeLeftover judges a daemon.pid whose process is not here.
func judgeLeftover(e Evidence) verdict {
	f, r := e.PIDFile, e.Record
	if f.PID == 0 && f.ModTime.IsZero() {
		return verdict{State: Unknown, Reason: pidFileProblem(f)}
	}
	who := "its daemon"
	if f.PID != 0 {
		who = fmt.Sprintf("process %d", f.PID)
	}
	// A record says nothing about a daemon that somebody started later.
	recorded := r != nil && r.PID == f.PID
	if recorded && r.Host == e.Here.Host && r.BootID == e.Here.BootID {
		return verdict{State: Disconnected, Settled: true, Reason: who + ", which was launched here, is gone: it crashed or was killed"}
	}
	if recorded && r.Host == e.Here.Host && f.ModTime.Before(e.Here.Booted) {
		return verdict{State: Disconnected, Settled: true, Reason: who + " is gone: this machine was booted after it last touched daemon.pid"}
	}
	elsewhere := recorded && r.Host != e.Here.Host
	if e.Watch != nil {
		return judgeWatched(e, *e.Watch, elsewhere)
	}
	age := e.At.Sub(f.ModTime).Round(time.Second)
	const alive = "a live daemon touches it every 15 seconds"
	switch {
	case elsewhere && isFresh(age):
		return verdict{State: Running, Host: r.Host, Elsewhere: true,
			Reason: fmt.Sprintf("it was launched on %s, and daemon.pid was touched %s ago", r.Host, age)}
	case elsewhere && age > 0:
		return verdict{State: Disconnected, Host: r.Host,
			Reason: fmt.Sprintf("it was launched on %s, and daemon.pid was last touched %s ago; %s", r.Host, age, alive)}
	case !elsewhere && e.ownDisk:
		return verdict{State: Disconnected, Settled: age > touchDue, Reason: who + " is gone or is another program, and the directory is on a disk of this machine"}
	case age < -staleAfter:
		return verdict{State: Unknown, Reason: fmt.Sprintf("daemon.pid was touched %s in the future: clocks differ, so its age says nothing", -age)}
	case isFresh(age):
		return verdict{State: Unknown, Reason: fmt.Sprintf("%s is not here, but daemon.pid was touched %s ago: it may run on another machine that shares the directory", who, age)}
	}
	return verdict{State: Disconnected, Settled: age > daemon.PIDFileValid,
		Reason: fmt.Sprintf("%s is not here, and daemon.pid was last touched %s ago; %s", who, age, alive)}
}

// judgeWatched judges by what watching the pid file has shown.
func judgeWatched(e Evidence, w Watch, elsewhere bool) verdict {
	if !w.Touched {
		return verdict{State: Disconnected, Settled: true,
			Reason: fmt.Sprintf("its process is not here, and nobody touched daemon.pid while it was watched for %s", w.For.Round(time.Second))}
	}
	v := verdict{State: Running, Elsewhere: true, Reason: "daemon.pid is being touched, and not by a process that can be seen here: it runs on another machine or as another user"}
	if elsewhere {
		v.Host = e.Record.Host
		v.Reason = "it was launched on " + v.Host + ", and daemon.pid is being touched"
	}
	return v
}

func isFresh(age time.Duration) bool { return age <= staleAfter && age >= -staleAfter }

func pidFileProblem(f PIDFileEvidence) string {
	if f.Problem != nil {
		return f.Problem.Error()
	}
	return "daemon.pid names no process"
}
