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

// PersonError is a login that needs a person where none can be asked.
type PersonError struct {
	// Services are those that have to be logged in to.
	Services []string
}

// Error names the services.
func (e *PersonError) Error() string {
	return fmt.Sprintf("a person with a browser is needed for Globus %s, and none can be asked here", strings.Join(e.Services, " and "))
}

// Hint names the next step.
func (e *PersonError) Hint() string {
	return "run chiltepin login in a terminal, or set GLOBUS_COMPUTE_CLIENT_ID and GLOBUS_COMPUTE_CLIENT_SECRET"
}

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
}

// Error names both identities.
func (e *IdentityError) Error() string {
	return fmt.Sprintf("the identity that logged in is %s, but %q holds the tokens of %s", e.New, e.Store, e.Stored)
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
