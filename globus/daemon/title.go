package daemon

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// titleText begins every title, after the marks in brackets.
const titleText = "Globus Compute Endpoint"

// Title is a process title as the daemon sets it: core_endpoint.py for itself
// (with the asterisk), endpoint.py for a user endpoint.
type Title struct {
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

// ParseTitle reads the title of a process, and says whether it has one of the
// daemon's kind.
func ParseTitle(text string) (Title, bool) {
	var t Title
	for strings.HasPrefix(text, "[") {
		mark, after, ok := strings.Cut(text[1:], "] ")
		if !ok {
			return Title{}, false
		}
		t.Ending = t.Ending || mark == "shutdown in progress"
		t.Idle = t.Idle || strings.HasPrefix(mark, "idle;") || strings.HasPrefix(mark, "possibly idle;")
		text = after
	}
	text, ok := strings.CutPrefix(text, titleText+" ")
	if !ok {
		return Title{}, false
	}
	text, t.Core = strings.CutPrefix(text, "*")
	text, ok = strings.CutPrefix(text, "(")
	if !ok {
		return Title{}, false
	}
	t.ID, t.rest, ok = strings.Cut(text, ", ")
	if !ok || len(t.ID) != 36 {
		return Title{}, false
	}
	return t, true
}

// Names says whether the title names an endpoint of that name. A name holds no
// white space, so what follows it cannot be part of another one.
func (t Title) Names(name string) bool {
	rest, ok := strings.CutPrefix(t.rest, name+")")
	return ok && (rest == "" || rest[0] == ' ')
}

// Directory returns the name of a user endpoint's directory, which its title
// has in the place of a name.
func (t Title) Directory() string {
	dir, _, _ := strings.Cut(t.rest, ")")
	return dir
}

// parseShutdownDelay returns in how long an idle user endpoint shuts down
// according to its title, 0 when it does not say.
func parseShutdownDelay(title string) time.Duration {
	m := regexp.MustCompile(`^\[(?:possibly )?idle; shut down in ([0-9,]+)(?:\.[0-9]+)?s\] `).FindStringSubmatch(title)
	if m == nil {
		return 0
	}
	seconds, err := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
