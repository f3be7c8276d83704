package auth

import (
	"errors"
	"fmt"
	"strings"

	"chiltepin/globus/next"
)

// ErrNotLoggedIn is in the chain of every error that a login would resolve;
// see [LoginError] for the reason.
var ErrNotLoggedIn = errors.New("not logged in")

// LoginError tells why a service cannot be used without a login. It is
// [ErrNotLoggedIn].
type LoginError struct {
	// Service is what the login is for. Reason is why the stored tokens cannot
	// be used, empty when there are none.
	Service, Reason string
	// Err is the cause, such as the error that Globus Auth returned.
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

// Next is a login.
func (e *LoginError) Next() []next.Step { return []next.Step{next.Call(next.Login, nil, "")} }

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

// Next is another login, with the code of its own page.
func (e *CodeError) Next() []next.Step {
	return []next.Step{next.Call(next.Login, nil, "get a new page, and paste the code that it shows")}
}

// IdentityError is a login as another identity than the one whose tokens are
// stored. The Python programs refuse a store with tokens of two identities.
type IdentityError struct {
	// Store is the file, Stored the identity whose tokens it holds, New the one
	// that logged in.
	Store, Stored, New string
	// StoredName and NewName are their user names, where they are known.
	StoredName, NewName string
}

// Error names both identities.
func (e *IdentityError) Error() string {
	return fmt.Sprintf("you logged in as %s, but %q holds the tokens of %s", describeIdentity(e.New, e.NewName), e.Store, describeIdentity(e.Stored, e.StoredName))
}

// describeIdentity is how an identity is told to a person.
func describeIdentity(id, name string) string {
	if name == "" {
		return id
	}
	return name + " (" + id + ")"
}

// Next ends the other login. Replacing it by force is left to a person.
func (e *IdentityError) Next() []next.Step {
	return []next.Step{
		next.Call(next.Logout, nil, "end the login of "+describeIdentity(e.Stored, e.StoredName)+" first"),
		next.Do("log in as the identity whose tokens are stored, or in a terminal, which asks whether to replace them"),
	}
}

// ScopeError is a login that was granted fewer scopes than it asked for.
type ScopeError struct {
	// Service is the one that needs them, Missing the scopes that it lacks.
	Service string
	Missing []string
}

// Error names the missing scopes.
func (e *ScopeError) Error() string {
	return fmt.Sprintf("the login was not granted every scope that Globus %s needs; missing: %s", e.Service, strings.Join(e.Missing, ", "))
}

// Next is another login, in which everything is allowed.
func (e *ScopeError) Next() []next.Step { return loginAndAllowAll() }

func loginAndAllowAll() []next.Step {
	return []next.Step{next.Call(next.Login, nil, "try again, and allow everything that the page lists")}
}

// ErrNotShown is in the chain of an error of a caller that could not show an
// address to a person.
var ErrNotShown = errors.New("the address could not be shown")

// ErrNoFlow is an answer to a login that is not under way here: it has ended,
// or its handle is wrong.
var ErrNoFlow error = noFlowError{}

type noFlowError struct{}

func (noFlowError) Error() string { return "no login with that handle is waiting here" }

// Next begins another login.
func (noFlowError) Next() []next.Step {
	return []next.Step{next.Call(next.Login, nil, "begin another login")}
}

// DeniedError is a login in which the person declined consent.
type DeniedError struct {
	// Reason is the error code of Globus Auth, such as "access_denied".
	Reason string
}

// Error gives the code, if it looks like one.
func (e *DeniedError) Error() string {
	for _, r := range e.Reason {
		if r != '_' && (r < 'a' || r > 'z') {
			return "access was declined on the page of Globus"
		}
	}
	return "access was declined on the page of Globus (" + e.Reason + ")"
}

// Next is another login, in which everything is allowed.
func (e *DeniedError) Next() []next.Step { return loginAndAllowAll() }

// ExpiredError is a login that no person finished in time.
type ExpiredError struct{ Services []string }

// Error says how long the login waited.
func (e *ExpiredError) Error() string {
	return fmt.Sprintf("logging in to Globus %s: it was not finished within %s", strings.Join(e.Services, " and "), flowLife)
}

// Next is another login.
func (e *ExpiredError) Next() []next.Step { return []next.Step{next.Call(next.Login, nil, "")} }

// ReplacedError is a login that ended because another one was begun.
type ReplacedError struct{}

// Error says so.
func (*ReplacedError) Error() string { return "another login was begun, which replaced this one" }

// Next looks at what the other login came to.
func (*ReplacedError) Next() []next.Step {
	return []next.Step{next.Call(next.Whoami, nil, "see who is logged in")}
}

// IntrusionError is a login whose address two browsers opened.
type IntrusionError struct{}

// Error says so.
func (*IntrusionError) Error() string {
	return "a second browser opened the address of this login, so somebody else on this machine has probably read it; the login was ended before anything was stored"
}

// Next is a login without a page on this machine.
func (*IntrusionError) Next() []next.Step { return []next.Step{loginByCode()} }

// loginByCode is a login that needs no page on this machine.
func loginByCode() next.Step {
	return next.Call(next.Login, next.Args{"method": Paste}, "log in by a code that Globus shows")
}

// PortError is a port of this machine that the callback page cannot use.
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

// Next is a login without that port.
func (e *PortError) Next() []next.Step {
	return []next.Step{loginByCode(), next.Do("choose another port")}
}
