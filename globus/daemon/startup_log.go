package daemon

import (
	"bytes"
	"regexp"
	"strings"

	"chiltepin/endpointfs/log"
)

// Startup is how far a daemon has come according to what it has logged since
// its launch (core_endpoint.py start and _event_loop).
type Startup struct {
	// Marked is true when its last marker is that of its beginning.
	Marked bool
	// IdentityAsked is true when it has asked Globus Auth which identities it
	// serves, which is logged at DEBUG only.
	IdentityAsked bool
	// IdentityKnown is true when it has got an answer that names identities,
	// IdentityRefused when it has got none that does.
	IdentityKnown, IdentityRefused bool
}

// ParseStartup reads what the daemon of the endpoint with that UUID has logged
// since its launch.
func ParseStartup(data []byte, id string) Startup {
	var s Startup
	for _, mark := range log.Markers(data) {
		s.Marked = mark.Kind == log.Begins && mark.ID == id
	}
	if i := max(bytes.LastIndex(data, []byte(" begins: "+id)), 0); s.Marked {
		data = data[i:]
	}
	has := func(text string) bool { return bytes.Contains(data, []byte(text)) }
	const known = "User-endpoint start requests are valid from identities: "
	s.IdentityAsked = has("Ascertaining user identity set")
	s.IdentityRefused = has("Failed to determine identity set") || has(known+"set()")
	s.IdentityKnown = has(known) && !s.IdentityRefused
	return s
}

// IsTornIdentity says whether a daemon ended because endpoint.json was no JSON
// (get_endpoint_id of endpoint.py), which it was before the launch: each daemon
// writes it anew as it comes up, and not in one step.
func IsTornIdentity(printed []string) bool {
	text := strings.Join(printed, "\n")
	return strings.Contains(text, "in get_endpoint_id") && strings.Contains(text, "JSONDecodeError")
}

// SubmissionPattern matches the lines with which the daemon notes a submission
// to the user endpoint in the directory of that name (cmd_start_endpoint in
// core_endpoint.py).
func SubmissionPattern(dir string) string {
	return `(Creating new user endpoint \(pid|User endpoint ).*` + regexp.QuoteMeta(dir)
}
