package endpoint

import (
	"context"
	"path"
	"strings"
	"syscall"
)

// Process is what the kernel says about one process at one instant.
type Process struct {
	PID     int
	Parent  int
	Session int
	// UID is the effective user.
	UID int
	// StartTime is field 22 of /proc/PID/stat, clock ticks since boot. With
	// host and boot id it tells a process from every other that had its id.
	StartTime uint64
	// Suspended is true for a process that was stopped by a signal.
	Suspended bool
	// Command is the argument list. A process that has set a title has it as
	// the only element.
	Command []string
}

// Title returns the command line as one text.
func (p Process) Title() string { return strings.Join(p.Command, " ") }

// Place says whether a process is at home in a directory.
type Place int

// The places.
const (
	// Unseen means that it could not be seen, as with another user's process.
	Unseen Place = iota
	// Inside means that its working directory or an open log of it is there.
	Inside
	// Outside means that it could be seen and is not there.
	Outside
)

// Processes is how a [Manager] sees and reaches processes. Zombies do not
// count as processes: what they were is dead.
type Processes interface {
	// Candidates returns the processes of this user that run the daemon's
	// program or have a title of its kind; for root, those of all users.
	Candidates() ([]Process, error)
	// Lookup returns the process of that id, and whether there is one.
	Lookup(pid int) (Process, bool, error)
	// Place says whether p is at home in dir.
	Place(p Process, dir string) Place
	// Writes says whether p has a file below dir open for writing whose name
	// matches one of the patterns.
	Writes(p Process, dir string, patterns ...string) bool
	// Session returns the processes of a session, which is named by the
	// process id of its leader.
	Session(id int) ([]Process, error)
	// Hold returns a handle that names the process which has that id now, and
	// never another. It fails with [syscall.ESRCH] when there is none.
	Hold(pid int) (Held, error)
}

// Held is a handle on one process, alive or dead. It is safe for concurrent
// use until Close.
type Held interface {
	// Signal sends a signal to the process, and fails with [syscall.ESRCH]
	// when it is dead.
	Signal(syscall.Signal) error
	// Dead says whether the process has ended; a zombie has.
	Dead() bool
	// Wait waits until the process has ended or ctx is done, and then returns
	// the error of ctx.
	Wait(ctx context.Context) error
	// Close gives the handle back.
	Close() error
}

// program is the name of the daemon's program. It has an alias.
const (
	program      = "globus-compute-endpoint"
	programAlias = "gce"
)

// launching says whether p is a daemon that has not set its title yet: Python,
// or the kernel on its behalf, running globus-compute-endpoint start. A
// program that runs another one (timeout, srun) is not the daemon.
func launching(p Process) bool {
	rest := p.Command
	if len(rest) > 1 && strings.HasPrefix(path.Base(rest[0]), "python") {
		rest = rest[1:]
	}
	if len(rest) == 0 || path.Base(rest[0]) != program && path.Base(rest[0]) != programAlias {
		return false
	}
	for _, arg := range rest[1:] {
		switch arg {
		case "start", "restart":
			return true
		case "stop", "list", "delete", "configure", "login", "logout", "whoami", "version", "_start-user-endpoint", "python-exec":
			return false
		}
	}
	return false
}

// title is a process title as the daemon sets it: core_endpoint.py for itself
// (with the asterisk), endpoint.py for a user endpoint.
type title struct {
	ID string
	// rest begins with the endpoint's name and a closing parenthesis.
	rest string
	// Core is false for a user endpoint, and for the single kind of endpoint
	// that releases before 4.10 also had.
	Core bool
	// Ending is true while the daemon shuts down.
	Ending bool
	// Idle is true for a user endpoint that has nothing to do.
	Idle bool
}

// parseTitle reads the title of a process, and says whether it has one of the
// daemon's kind.
func parseTitle(text string) (title, bool) {
	var t title
	for strings.HasPrefix(text, "[") {
		mark, after, ok := strings.Cut(text[1:], "] ")
		if !ok {
			return title{}, false
		}
		t.Ending = t.Ending || mark == "shutdown in progress"
		t.Idle = t.Idle || strings.HasPrefix(mark, "idle;") || strings.HasPrefix(mark, "possibly idle;")
		text = after
	}
	text, ok := strings.CutPrefix(text, "Globus Compute Endpoint ")
	if !ok {
		return title{}, false
	}
	text, t.Core = strings.CutPrefix(text, "*")
	text, ok = strings.CutPrefix(text, "(")
	if !ok {
		return title{}, false
	}
	t.ID, t.rest, ok = strings.Cut(text, ", ")
	if !ok || len(t.ID) != 36 {
		return title{}, false
	}
	return t, true
}

// names says whether the title names an endpoint of that name. A name holds no
// white space, so what follows it cannot be part of another one.
func (t title) names(name string) bool {
	rest, ok := strings.CutPrefix(t.rest, name+")")
	return ok && (rest == "" || rest[0] == ' ')
}
