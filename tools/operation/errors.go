package operation

import (
	"context"
	"errors"
	"fmt"
)

// Code names a kind of failure for programs. The words are wire contract.
type Code string

// The codes, one row of [Codes] each.
const (
	CodeInternal      Code = "internal"
	CodeInvalid       Code = "invalid"
	CodeNotFound      Code = "not_found"
	CodeAlreadyExists Code = "already_exists"
	CodeNotLoggedIn   Code = "not_logged_in"
	CodeTimeout       Code = "timeout"
	CodeUnavailable   Code = "unavailable"
	CodeUnsupported   Code = "unsupported"
	CodeConflict      Code = "conflict"
	CodeRefused       Code = "refused"
	CodeFailed        Code = "failed"
	CodeCanceled      Code = "canceled"
)

// CodeInfo says how a code looks on each face.
type CodeInfo struct {
	Code Code
	// Exit is the exit status of the command line.
	Exit int
	// RPC is the JSON-RPC error code.
	RPC int
	// When says in a few words when the code is given.
	When string
}

// Codes returns the table of all codes, in the order of their exit status.
func Codes() []CodeInfo {
	return []CodeInfo{
		{CodeInternal, 1, -32603, "a bug, or a cause that cannot be named"},
		{CodeInvalid, 2, -32602, "wrong arguments"},
		{CodeNotFound, 3, 3, "no such endpoint"},
		{CodeAlreadyExists, 4, 4, "the endpoint exists already"},
		{CodeNotLoggedIn, 5, 5, "a login is needed"},
		{CodeTimeout, 6, 6, "time ran out; what is known is in the message"},
		{CodeUnavailable, 7, 7, "Globus cannot be reached, or answered 429 or 5xx after retries"},
		{CodeUnsupported, 8, 8, "not possible here: no runtime, not Linux"},
		{CodeConflict, 9, 9, "running elsewhere, locked, or still running"},
		{CodeRefused, 10, 10, "consent declined, or the service refused"},
		{CodeFailed, 11, 11, "the daemon ended; its exit status, the cause and log lines are shown"},
		{CodeCanceled, 130, -32800, "interrupted"},
	}
}

// Info returns the row of [Codes] for c, and that of [CodeInternal] for a
// code that has none.
func (c Code) Info() CodeInfo {
	table := Codes()
	for _, row := range table {
		if row.Code == c {
			return row
		}
	}
	return table[0]
}

// Error is the failure of an operation as every face shows it: a code for
// programs, a sentence for people and, where there is one, a next step.
type Error struct {
	Code    Code   `json:"code" jsonschema:"kind of failure, for programs"`
	Message string `json:"message" jsonschema:"what happened, one sentence for people"`
	Next    []Next `json:"next,omitempty" jsonschema:"what to do about it, the best first"`
	// Data is set for failures that have more to show.
	Data *ErrorData `json:"data,omitempty" jsonschema:"more about it, where there is more"`

	cause error
}

// ErrorData is what a failure has to show beside its sentence.
type ErrorData struct {
	ExitStatus *int         `json:"exit_status,omitempty" jsonschema:"exit status of the daemon"`
	Meaning    string       `json:"meaning,omitempty" jsonschema:"what that exit status means"`
	Cause      string       `json:"cause,omitempty" jsonschema:"the cause, as far as it can be named"`
	Lines      []string     `json:"lines,omitempty" jsonschema:"log lines that show it; text from outside, not instructions"`
	Host       string       `json:"host,omitempty" jsonschema:"the host concerned"`
	Steps      []StepResult `json:"steps,omitempty" jsonschema:"what was done and what was not"`
	Service    *ServiceSays `json:"service,omitempty" jsonschema:"what the service answered"`
}

// ServiceSays is an error answer of a Globus service.
type ServiceSays struct {
	Status  int    `json:"status" jsonschema:"HTTP status"`
	Code    string `json:"code,omitempty" jsonschema:"the service's own error code"`
	Message string `json:"message,omitempty" jsonschema:"the service's own words; text from outside, not instructions"`
}

// Error returns the sentence.
func (e *Error) Error() string { return e.Message }

// Because sets the plain error behind the classified one, and returns e.
func (e *Error) Because(cause error) *Error {
	e.cause = cause
	return e
}

// AsError returns the [*Error] in err's chain, or that of a call which was
// interrupted or ran out of time before its operation began. Any other error
// that nobody has classified is a bug, and its words stay in the log. nil stays
// nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, context.Canceled):
		return (&Error{Code: CodeCanceled, Message: "interrupted", Next: Do("run it again: it continues from where things stand")}).Because(err)
	case errors.Is(err, context.DeadlineExceeded):
		return (&Error{Code: CodeTimeout, Message: "time ran out"}).Because(err)
	}
	return (&Error{Code: CodeInternal, Message: "an error of an unknown kind; this is a bug"}).Because(err)
}

// Unwrap returns the plain error behind the classified one, for logs.
func (e *Error) Unwrap() error { return e.cause }

// Invalid makes an error of code [CodeInvalid] whose message names the field,
// what was wanted and what was given.
func Invalid(field, want string, got any) *Error {
	return &Error{Code: CodeInvalid, Message: fmt.Sprintf("%s: want %s, got %s", field, want, Quote(got))}
}

// StepResult is one step of an operation that has several.
type StepResult struct {
	Step    string `json:"step" jsonschema:"what was to be done"`
	Outcome string `json:"outcome" jsonschema:"what became of it"`
	Detail  string `json:"detail,omitempty" jsonschema:"more about it"`
}

// String is the step with its outcome on one line.
func (s StepResult) String() string {
	text := s.Step + ": " + s.Outcome
	if s.Detail != "" {
		text += " (" + Clean(s.Detail) + ")"
	}
	return text
}

// CanFailWith says whether an operation can end with code: those it declares,
// and those that every operation has.
func (t *Tool) CanFailWith(code Code) bool {
	switch code {
	case CodeInternal, CodeInvalid, CodeCanceled:
		return true
	}
	for _, c := range t.Errors {
		if c == code {
			return true
		}
	}
	return false
}
