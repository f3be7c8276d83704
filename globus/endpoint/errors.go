package endpoint

import (
	"errors"
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
	// Cause is what the log says was the cause, and Remedy what to do about
	// it; empty when the log shows no cause that is known.
	Cause, Remedy string
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

// Hint is the remedy, or where to read more.
func (e *DaemonError) Hint() string {
	if e.Remedy != "" {
		return e.Remedy
	}
	return "chiltepin endpoint logs " + shell(e.Name)
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

// Hint says how to stop it.
func (e *RunningError) Hint() string {
	return "chiltepin endpoint stop " + shell(e.Name) + ", or repeat the command with --force"
}

// ElsewhereError says that an endpoint runs on another machine, which only that
// machine can change.
type ElsewhereError struct {
	Name, Operation string
	// Host is empty when it is not known.
	Host string
	// Dir is the configuration directory.
	Dir string
	// Reason says what speaks for it.
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

// Hint is the command to run on that machine.
func (e *ElsewhereError) Hint() string {
	return there(e.Host, e.Dir, "stop", e.Name)
}

// there is the command that does something to an endpoint on the machine where
// it runs.
func there(host, dir, verb, name string) string {
	command := fmt.Sprintf("chiltepin endpoint -c %s %s %s", shell(dir), verb, shell(name))
	if host == "" {
		return "on the machine where it runs: " + command
	}
	return "ssh " + shell(host) + " " + shell(command)
}

// DoubtError says that it cannot be decided whether an endpoint runs, so that
// nothing was done.
type DoubtError struct {
	Name, Operation string
	// PID is the process in question; 0 when there is none.
	PID    int
	Reason string
	// Remedy says how to settle it.
	Remedy string
}

// Error names the endpoint and the doubt.
func (e *DoubtError) Error() string {
	return fmt.Sprintf("%s endpoint %q: whether it runs cannot be decided: %s", e.Operation, e.Name, e.Reason)
}

// Hint says how to settle it.
func (e *DoubtError) Hint() string { return e.Remedy }

// BusyError says that another operation of chiltepin is under way on the
// endpoint and did not end in time.
type BusyError struct {
	Name string
	endpointfs.Holder
}

// Error names the endpoint and the operation.
func (e *BusyError) Error() string {
	return (&endpointfs.LockedError{Name: e.Name, Holder: e.Holder}).Error()
}

// Hint says how to go on.
func (e *BusyError) Hint() string {
	return (&endpointfs.LockedError{Name: e.Name, Holder: e.Holder}).Hint()
}

// TimeoutError says that time ran out, and what is known. Nothing was undone.
type TimeoutError struct {
	Name, Operation string
	After           time.Duration
	// Known says what was seen and what was not.
	Known string
	// Next says how to go on.
	Next string
	// Outstanding is the number of tasks that stop waited for.
	Outstanding int
}

// Error tells how long was waited and what is known.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("%s endpoint %q: not done after %s: %s", e.Operation, e.Name, e.After.Round(100*time.Millisecond), e.Known)
}

// Hint says how to go on.
func (e *TimeoutError) Hint() string { return e.Next }

// Timeout is true.
func (e *TimeoutError) Timeout() bool { return true }

// InterruptedError says that the caller gave up in the middle, and what was
// left behind.
type InterruptedError struct {
	Name, Operation string
	Known           string
	Next            string
	Err             error
}

// Error tells what was left behind.
func (e *InterruptedError) Error() string {
	return fmt.Sprintf("%s endpoint %q: interrupted: %s", e.Operation, e.Name, e.Known)
}

// Hint says how to go on.
func (e *InterruptedError) Hint() string { return e.Next }

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

// Hint is the remedy of the first problem that has one.
func (e *CheckError) Hint() string {
	for _, p := range e.Problems {
		if h, ok := p.(interface{ Hint() string }); ok && h.Hint() != "" {
			return h.Hint()
		}
	}
	return "mend the file and start again"
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

// Hint says where to put it.
func (e *EmailError) Hint() string {
	return "add a line such as \"email: you@example.org\" to " + e.File
}

// OwnerError says that root was about to launch the daemon of an endpoint that
// is another user's: it would run as root, on files that are his.
type OwnerError struct {
	Name string
	// Owner is the user's name, or his number where he has none.
	Owner string
	// Dir is the configuration directory.
	Dir string
}

// Error names the endpoint and the user.
func (e *OwnerError) Error() string {
	return fmt.Sprintf("starting endpoint %q: nothing was launched: it is user %s's, and its daemon would run as root", e.Name, e.Owner)
}

// Hint is the command that starts it as that user.
func (e *OwnerError) Hint() string {
	return fmt.Sprintf("sudo -u %s chiltepin endpoint -c %s start %s; if it is to be root's, chown its directory", e.Owner, shell(e.Dir), shell(e.Name))
}

// Is makes the error match [fs.ErrPermission].
func (e *OwnerError) Is(target error) bool { return target == fs.ErrPermission }

// DeleteError says how far a deletion came.
type DeleteError struct {
	Name  string
	Steps []Step
	Err   error
}

// Error tells what stopped it.
func (e *DeleteError) Error() string { return fmt.Sprintf("deleting endpoint %q: %v", e.Name, e.Err) }

// Hint is that of the cause, or how to do without the service.
func (e *DeleteError) Hint() string {
	var h interface{ Hint() string }
	if errors.As(e.Err, &h) && !globus.IsUnavailable(e.Err) && h.Hint() != "" {
		return h.Hint()
	}
	if len(next.Of(e.Err)) > 0 && !globus.IsUnavailable(e.Err) {
		return "" // the cause is classified
	}
	return "try again, or remove only the files: chiltepin endpoint delete --local-only " + shell(e.Name)
}

// Unwrap is the cause.
func (e *DeleteError) Unwrap() error { return e.Err }

// UserEndpointError says that an endpoint has no user endpoint of that id.
type UserEndpointError struct{ Name, ID string }

// Error names both.
func (e *UserEndpointError) Error() string {
	return fmt.Sprintf("endpoint %q has no user endpoint %q", e.Name, e.ID)
}

// Hint says how to see which there are.
func (e *UserEndpointError) Hint() string { return "chiltepin endpoint status " + shell(e.Name) }

// Is makes the error match [fs.ErrNotExist].
func (e *UserEndpointError) Is(target error) bool { return target == fs.ErrNotExist }

// shell quotes a word for a shell where it must be.
func shell(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.+:@%,/=", r)
	}
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
