package endpoint

import (
	"bytes"
	"path"
	"strings"

	"chiltepin/globus/process"
)

// program is the name of the daemon's program. It has an alias.
const (
	program      = "globus-compute-endpoint"
	programAlias = "gce"
)

// mayBeDaemon says whether an argument list may be that of a daemon or a user
// endpoint: it has the program's name, or a title of its kind.
func mayBeDaemon(arguments []byte) bool {
	return bytes.Contains(arguments, []byte(program)) || bytes.Contains(arguments, []byte("Globus Compute Endpoint")) || bytes.Contains(arguments, []byte("/"+programAlias))
}

// launching says whether p is a daemon that has not set its title yet: Python,
// or the kernel on its behalf, running globus-compute-endpoint start. A
// program that runs another one (timeout, srun) is not the daemon.
func launching(p process.Process) bool {
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
