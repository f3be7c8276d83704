package daemon

import (
	"regexp"
	"strconv"
	"strings"
)

// UserEndpointStart is a line of the daemon's log that says that it starts a
// user endpoint (cmd_start_endpoint in core_endpoint.py).
type UserEndpointStart struct {
	PID int
	// ID is its UUID, Directory the name of its directory.
	ID, Directory string
}

// ParseUserEndpointStart reads a line of the daemon's log.
func ParseUserEndpointStart(line string) (UserEndpointStart, bool) {
	if !strings.Contains(line, "Creating new user endpoint") {
		return UserEndpointStart{}, false // without compiling an expression
	}
	m := regexp.MustCompile(`Creating new user endpoint \(pid: (\d+)\) \[\([^)]*, (uep\.[0-9a-f-]{36}\.([0-9a-f-]{36}))\)`).FindStringSubmatch(line)
	if m == nil {
		return UserEndpointStart{}, false
	}
	pid, err := strconv.Atoi(m[1])
	return UserEndpointStart{PID: pid, ID: m[3], Directory: m[2]}, err == nil
}

// UserEndpointEnd is a line of the daemon's log that says how a user endpoint
// has ended (wait_for_children in core_endpoint.py).
type UserEndpointEnd struct {
	PID int
	// How is what the daemon says, such as "return code: 83".
	How string
	// ExitStatus is -1 when it did not end with one.
	ExitStatus int
}

// ParseUserEndpointEnd reads a line of the daemon's log.
func ParseUserEndpointEnd(line string) (UserEndpointEnd, bool) {
	if !strings.Contains(line, "Command ") {
		return UserEndpointEnd{}, false // without compiling an expression
	}
	m := regexp.MustCompile(`Command (stopped normally|return code: \d+|unknown return code:|terminated by signal: \d+) \((\d+)\)`).FindStringSubmatch(line)
	if m == nil {
		return UserEndpointEnd{}, false
	}
	pid, err := strconv.Atoi(m[2])
	end := UserEndpointEnd{PID: pid, How: strings.TrimSuffix(m[1], ":"), ExitStatus: -1}
	if code, ok := strings.CutPrefix(end.How, "return code: "); ok {
		if status, err := strconv.Atoi(code); err == nil {
			end.ExitStatus = status
		}
	}
	return end, err == nil
}

// ParseBootstrapExit returns the status with which the child that was to become
// a user endpoint ends, as it reports it to the service before it does
// (cmd_start_endpoint in core_endpoint.py).
func ParseBootstrapExit(message string) (status int, ok bool) {
	m := regexp.MustCompile(`Unable to start user endpoint process .*\[exit code: (\d+)`).FindStringSubmatch(message)
	if m == nil {
		return 0, false
	}
	status, err := strconv.Atoi(m[1])
	return status, err == nil
}

// TakesTasks says whether a line of a user endpoint's log shows that it takes
// tasks.
func TakesTasks(line string) bool {
	return strings.Contains(line, "entered running state") || strings.Contains(line, awaitingMessages)
}

// ParseBlockLaunch returns the job of a block that a line of a user endpoint's
// log says was launched (parsl/executors/status_handling.py), which is written
// where the template sets debug.
func ParseBlockLaunch(line string) (job string, ok bool) {
	if !strings.Contains(line, "Launched block ") {
		return "", false // without compiling an expression
	}
	m := regexp.MustCompile(`Launched block (\S+) with job ID (\S+)`).FindStringSubmatch(line)
	if m == nil {
		return "", false
	}
	return m[2], true
}

// ParseBlockScript returns when parsl wrote the script of a block, in the form
// that the script's name has it, and false for a file that is none:
// NAME.block-N.TIME or NAME.block-N.TIME.submit for a scheduler, by its
// provider, NAME.block-N.TIME.sh on the host itself.
func ParseBlockScript(name string) (stamp string, ok bool) {
	m := regexp.MustCompile(`\.block-[^.]+\.(\d+\.\d+)(\.sh|\.submit)?$`).FindStringSubmatch(name)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// HasRegisteredManager says whether a piece of an interchange.log shows that a
// manager of workers has connected.
func HasRegisteredManager(data []byte) bool {
	return strings.Contains(string(data), "Registered manager")
}
