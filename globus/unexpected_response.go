package globus

import (
	"fmt"

	"chiltepin/globus/next"
)

// ForeignResponseError says that what answered, with success, did not speak as the
// service does: most often a proxy, or a network's login page, in its place.
// Whether the request took effect is not known.
type ForeignResponseError struct {
	// Request is its method and path.
	Request string
	// Err says what is wrong with the answer.
	Err error
}

// Error names the request and what is wrong.
func (e *ForeignResponseError) Error() string {
	return fmt.Sprintf("the answer to %s did not come from the service: %v", e.Request, e.Err)
}

// Next says who may have answered.
func (e *ForeignResponseError) Next() []next.Step {
	return []next.Step{next.Do("make sure that no proxy and no login page of the network answers in place of Globus, and try again")}
}

// Unwrap is the cause.
func (e *ForeignResponseError) Unwrap() error { return e.Err }
