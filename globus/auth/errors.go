package auth

import "errors"

// ErrNotLoggedIn is found in every error that a login would mend; see
// [*LoginError] for the reason.
var ErrNotLoggedIn = errors.New("not logged in")

// LoginError tells why a service cannot be used without a login. It is
// [ErrNotLoggedIn].
type LoginError struct {
	// Service is what the login is for, Reason why there is none.
	Service, Reason string
	// Err is the refusal of Globus Auth, where there was one.
	Err error
}

// Error names service and reason.
func (e *LoginError) Error() string {
	s := "not logged in to Globus " + e.Service
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

// Is makes errors.Is(err, ErrNotLoggedIn) true.
func (e *LoginError) Is(target error) bool { return target == ErrNotLoggedIn }

// Unwrap is the refusal of Globus Auth, where there was one.
func (e *LoginError) Unwrap() error { return e.Err }

// Hint names the next step.
func (e *LoginError) Hint() string { return "chiltepin login" }
