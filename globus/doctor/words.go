package doctor

import (
	"errors"
	"fmt"

	"chiltepin/globus"
	"chiltepin/globus/next"
)

// stepsOf is what an error says to do, or otherwise, unless that is nothing.
func stepsOf(err error, otherwise next.Step) []next.Step {
	steps := next.Of(err)
	if len(steps) == 0 && !otherwise.IsZero() {
		steps = []next.Step{otherwise}
	}
	return steps
}

// doOnly is one sentence as what to do.
func doOnly(what string) []next.Step { return []next.Step{next.Do(what)} }

// errorText is what an error says without how Go's HTTP client introduces it.
func errorText(err error) string {
	if e, ok := errors.AsType[*globus.NetworkError](err); ok {
		return e.Error()
	}
	return err.Error()
}

// ofEachEndpoint says something of all endpoints, however many there are.
func ofEachEndpoint(n int, what string) string {
	switch n {
	case 0:
		return "no endpoint is configured"
	case 1:
		return "the one endpoint " + what
	}
	return fmt.Sprintf("each of %d endpoints %s", n, what)
}

// countInWords says a number of things in words.
func countInWords(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}
