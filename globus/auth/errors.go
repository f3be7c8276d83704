package auth

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNotLoggedIn is found in every error that a login would mend; see
// [LoginError] for the reason.
var ErrNotLoggedIn = errors.New("not logged in")

// LoginError tells why a service cannot be used without a login. It is
// [ErrNotLoggedIn].
type LoginError struct {
	// Service is what the login is for. Reason is why the tokens there are do
	// not serve, empty when there are none.
	Service, Reason string
	// Err is the cause, such as the refusal of Globus Auth.
	Err error
}

// Error names service and reason.
func (e *LoginError) Error() string {
	s := "not logged in to Globus " + e.Service
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is makes errors.Is(err, ErrNotLoggedIn) true.
func (e *LoginError) Is(target error) bool { return target == ErrNotLoggedIn }

// Unwrap is the cause.
func (e *LoginError) Unwrap() error { return e.Err }

// Hint names the next step.
func (e *LoginError) Hint() string { return "chiltepin login" }

// CodeError is an authorization code that does not give tokens: mistyped, used
// before, too old, or of another login.
type CodeError struct {
	// Err is the reason.
	Err error
}

// Error gives the reason.
func (e *CodeError) Error() string { return "the code was not accepted: " + e.Err.Error() }

// Unwrap is the reason.
func (e *CodeError) Unwrap() error { return e.Err }

// Hint names the next step.
func (e *CodeError) Hint() string {
	return "run chiltepin login again and paste the code of the new page"
}

// IdentityError is a login as somebody else than the one whose tokens are in
// the store. The Python programs refuse a store with tokens of two identities.
type IdentityError struct {
	// Store is the file, Stored whose tokens it holds, New who logged in.
	Store, Stored, New string
	// StoredName and NewName are their user names, where they are known.
	StoredName, NewName string
}

// Error names both identities.
func (e *IdentityError) Error() string {
	return fmt.Sprintf("the identity that logged in is %s, but %q holds the tokens of %s", called(e.New, e.NewName), e.Store, called(e.Stored, e.StoredName))
}

// called is how an identity is told to a person.
func called(id, name string) string {
	if name == "" {
		return id
	}
	return name + " (" + id + ")"
}

// Hint names the next step.
func (e *IdentityError) Hint() string {
	return "run chiltepin logout first, or chiltepin login --force to take the place of the other"
}

// ScopeError is a login that was granted less than it asked for.
type ScopeError struct {
	// Service is what lacks them, Missing what is not allowed.
	Service string
	Missing []string
}

// Error names what is missing.
func (e *ScopeError) Error() string {
	return fmt.Sprintf("the login was not granted all that Globus %s needs: %s", e.Service, strings.Join(e.Missing, ", "))
}

// Hint names the next step.
func (e *ScopeError) Hint() string {
	return "run chiltepin login again and allow all that the page lists"
}

// ErrNotShown is found in the error of a caller that could not put an address
// before a person.
var ErrNotShown = errors.New("the address could not be shown")

// ErrNoFlow is an answer to a login that is not under way here: it has ended,
// or its handle is wrong.
var ErrNoFlow = errors.New("no login with that handle is under way here")

// DeniedError is a person who did not allow what was asked.
type DeniedError struct {
	// Reason is the word of Globus Auth, such as "access_denied".
	Reason string
}

// Error gives the word, if it is one.
func (e *DeniedError) Error() string {
	for _, r := range e.Reason {
		if r != '_' && (r < 'a' || r > 'z') {
			return "it was not allowed on the page of Globus"
		}
	}
	return "it was not allowed on the page of Globus (" + e.Reason + ")"
}

// Hint names the next step.
func (e *DeniedError) Hint() string {
	return "run chiltepin login again and allow all that the page lists"
}

// ExpiredError is a login to which nobody came in time.
type ExpiredError struct{ Services []string }

// Error says how long was waited.
func (e *ExpiredError) Error() string {
	return fmt.Sprintf("logging in to Globus %s: nobody finished it within %s", strings.Join(e.Services, " and "), flowLife)
}

// Hint names the next step.
func (e *ExpiredError) Hint() string { return "chiltepin login" }

// ReplacedError is a login that ended because another one was begun.
type ReplacedError struct{}

// Error says so.
func (*ReplacedError) Error() string { return "another login was begun in its place" }

// Hint names the next step.
func (*ReplacedError) Hint() string { return "chiltepin whoami" }

// IntrusionError is a login whose address two browsers came to.
type IntrusionError struct{}

// Error says so.
func (*IntrusionError) Error() string {
	return "a second browser came to the address of this login, which somebody else on this machine must have read; it was ended before anything was stored"
}

// Hint names the next step.
func (*IntrusionError) Hint() string { return "chiltepin login --method paste" }

// PortError is a port of this machine that the page cannot be at.
type PortError struct {
	// Port is the one that was asked for, 0 for any.
	Port int
	Err  error
}

// Error names the port.
func (e *PortError) Error() string {
	return fmt.Sprintf("opening port %d of this machine for the login: %v", e.Port, e.Err)
}

// Unwrap is the cause.
func (e *PortError) Unwrap() error { return e.Err }

// Hint names the next step.
func (e *PortError) Hint() string {
	return "choose another port with --port, or log in with --method paste"
}
