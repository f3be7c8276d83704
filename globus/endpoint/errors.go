package endpoint

import (
	"fmt"
	"io/fs"
	"strings"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus"
	"chiltepin/globus/next"
)

// DaemonError says that the daemon ended instead of running.
type DaemonError struct {
	Name string
	// ExitStatus is the daemon's, -1 when it is not known: it was killed, or it
	// was launched by somebody else.
	ExitStatus int
	// Signal is the name of the signal that killed it, if one did.
	Signal string
	// Meaning is what the exit status means.
	Meaning string
	// Cause is what the log says was the cause, and NextSteps what to do about
	// it; empty when the log shows no cause that is known.
	Cause     string
	NextSteps []next.Step
	// Lines are the log lines since the launch, the last ones, and then what the
	// daemon wrote to its standard output and error.
	Lines []string
}

// Error tells the status, its meaning and the cause.
func (e *DaemonError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "starting endpoint %q: the daemon ended", e.Name)
	switch {
	case e.Signal != "":
		fmt.Fprintf(&b, ", killed by %s", e.Signal)
	case e.ExitStatus >= 0:
		fmt.Fprintf(&b, " with exit status %d", e.ExitStatus)
	}
	if e.Meaning != "" {
		b.WriteString(" (" + e.Meaning + ")")
	}
	if e.Cause != "" {
		b.WriteString(": " + e.Cause)
	}
	return b.String()
}

// Next is what helps against the cause, or where to read more.
func (e *DaemonError) Next() []next.Step {
	if len(e.NextSteps) > 0 {
		return e.NextSteps
	}
	return []next.Step{next.Endpoint(next.EndpointLogs, e.Name, "see what it logged")}
}

// RunningError says that an endpoint runs and must not for what was asked.
type RunningError struct {
	Name, Operation string
	// PID is its process; State is Running, or Starting or Stopping.
	PID   int
	State State
}

// Error names the endpoint and its process.
func (e *RunningError) Error() string {
	return fmt.Sprintf("%s endpoint %q: it is %s (process %d)", e.Operation, e.Name, strings.ToLower(string(e.State)), e.PID)
}

// Next is to stop it.
func (e *RunningError) Next() []next.Step {
	return []next.Step{next.Endpoint(next.EndpointStop, e.Name, "stop it first")}
}

// ElsewhereError says that an endpoint runs on another machine, which only that
// machine can change.
type ElsewhereError struct {
	Name, Operation string
	// Host is empty when it is not known.
	Host string
	// Reason says what shows that it does.
	Reason string
}

// Error names the endpoint and the machine.
func (e *ElsewhereError) Error() string {
	where := "another machine"
	if e.Host != "" {
		where = e.Host
	}
	return fmt.Sprintf("%s endpoint %q: it runs on %s: %s", e.Operation, e.Name, where, e.Reason)
}

// Next is to stop it on that machine.
func (e *ElsewhereError) Next() []next.Step {
	if e.Host == "" {
		return []next.Step{next.Do("stop it on the machine where it runs")}
	}
	return []next.Step{{Operation: next.EndpointStop, Args: next.Args{"name": e.Name}, Host: e.Host}}
}

// DoubtError says that it cannot be decided whether an endpoint runs, so that
// nothing was done.
type DoubtError struct {
	Name, Operation string
	// PID is the process in question; 0 when there is none.
	PID    int
	Reason string
	// NextSteps are how to settle it.
	NextSteps []next.Step
}

// Error names the endpoint and the doubt.
func (e *DoubtError) Error() string {
	return fmt.Sprintf("%s endpoint %q: whether it runs cannot be decided: %s", e.Operation, e.Name, e.Reason)
}

// Next is how to settle it.
func (e *DoubtError) Next() []next.Step { return e.NextSteps }

// BusyError says that another operation of chiltepin is under way on the
// endpoint, or on the whole directory, and did not end in time.
type BusyError struct {
	Name string // empty for the directory
	endpointfs.Holder
}

// Error names the endpoint and the operation.
func (e *BusyError) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("the configuration directory is locked: %s by process %d on %s since %s", e.Purpose, e.PID, e.Host, e.Since.Format(time.DateTime))
	}
	return (&endpointfs.LockedError{Name: e.Name, Holder: e.Holder}).Error()
}

// Next is to wait for the other operation.
func (e *BusyError) Next() []next.Step {
	if e.Name == "" {
		return []next.Step{next.Do("wait until the other operation is done, and then try again")}
	}
	return []next.Step{next.Endpoint(next.EndpointStatus, e.Name, "see when the other operation is done, and then try again")}
}

// TimeoutError says that time ran out, and what is known. Nothing was undone.
type TimeoutError struct {
	Name, Operation string
	After           time.Duration
	// Known says what was seen and what was not.
	Known string
	// NextSteps are how to go on.
	NextSteps []next.Step
	// Outstanding is the number of tasks that stop waited for.
	Outstanding int
}

// Error tells how long was waited and what is known.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("%s endpoint %q: not done after %s: %s", e.Operation, e.Name, e.After.Round(100*time.Millisecond), e.Known)
}

// Next is how to go on.
func (e *TimeoutError) Next() []next.Step { return e.NextSteps }

// Timeout is true.
func (e *TimeoutError) Timeout() bool { return true }

// InterruptedError says that the caller gave up in the middle, and what was
// left behind.
type InterruptedError struct {
	Name, Operation string
	Known           string
	NextSteps       []next.Step
	Err             error
}

// Error tells what was left behind.
func (e *InterruptedError) Error() string {
	return fmt.Sprintf("%s endpoint %q: interrupted: %s", e.Operation, e.Name, e.Known)
}

// Next is how to go on.
func (e *InterruptedError) Next() []next.Step { return e.NextSteps }

// Unwrap is the error of the context.
func (e *InterruptedError) Unwrap() error { return e.Err }

// CheckError says that the files of an endpoint are not what the daemon wants.
type CheckError struct {
	Name     string
	Problems []error
}

// Error tells every problem.
func (e *CheckError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = p.Error()
	}
	return fmt.Sprintf("starting endpoint %q: nothing was launched: %s", e.Name, strings.Join(texts, "; "))
}

// Next is what helps against the first problem for which that is known.
func (e *CheckError) Next() []next.Step {
	for _, p := range e.Problems {
		if steps := next.Of(p); len(steps) > 0 {
			return steps
		}
	}
	return []next.Step{next.Do("correct the file and start again")}
}

// Unwrap returns the problems.
func (e *CheckError) Unwrap() []error { return e.Problems }

// EmailError says that the daemon demands a contact address, because it would
// run with privileges.
type EmailError struct {
	Name string
	// File is where the address belongs.
	File string
}

// Error names the endpoint.
func (e *EmailError) Error() string {
	return fmt.Sprintf("starting endpoint %q: as root the daemon demands a contact address, and config.yaml has none", e.Name)
}

// Next is to put it there.
func (e *EmailError) Next() []next.Step {
	return []next.Step{next.Do("add a line such as \"email: you@example.org\" to " + e.File)}
}

// OwnerError says that root was about to launch the daemon of an endpoint that
// is another user's: it would run as root, on files that are his.
type OwnerError struct {
	Name string
	// Owner is the user's name, or his number where he has none.
	Owner string
}

// Error names the endpoint and the user.
func (e *OwnerError) Error() string {
	return fmt.Sprintf("starting endpoint %q: nothing was launched: it belongs to user %s, and its daemon would run as root", e.Name, e.Owner)
}

// Next is to start it as that user.
func (e *OwnerError) Next() []next.Step {
	return []next.Step{
		{Operation: next.EndpointStart, Args: next.Args{"name": e.Name}, User: e.Owner},
		next.Do("if the endpoint is to be root's, change the owner of its directory"),
	}
}

// Is makes the error match [fs.ErrPermission].
func (e *OwnerError) Is(target error) bool { return target == fs.ErrPermission }

// DeleteError says how far a deletion came.
type DeleteError struct {
	Name  string
	Steps []StepOutcome
	Err   error
}

// Error tells what stopped it.
func (e *DeleteError) Error() string { return fmt.Sprintf("deleting endpoint %q: %v", e.Name, e.Err) }

// Next is what helps against the cause, or how to do without the service.
func (e *DeleteError) Next() []next.Step {
	if steps := next.Of(e.Err); len(steps) > 0 && !globus.IsUnavailable(e.Err) {
		return steps
	}
	return []next.Step{next.Do("try again later; removing only the files is possible too, and leaves the registration at the service")}
}

// Unwrap is the cause.
func (e *DeleteError) Unwrap() error { return e.Err }

// UserEndpointError says that an endpoint has no user endpoint of that id.
type UserEndpointError struct{ Name, ID string }

// Error names both.
func (e *UserEndpointError) Error() string {
	return fmt.Sprintf("endpoint %q has no user endpoint %q", e.Name, e.ID)
}

// Next is to see which there are.
func (e *UserEndpointError) Next() []next.Step {
	return []next.Step{next.Endpoint(next.EndpointStatus, e.Name, "see which user endpoints it has")}
}

// Is makes the error match [fs.ErrNotExist].
func (e *UserEndpointError) Is(target error) bool { return target == fs.ErrNotExist }
