package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"chiltepin/globus"
)

// hintOf is the next step that an error offers, or another.
func hintOf(err error, otherwise string) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) && h.Hint() != "" {
		return h.Hint()
	}
	return otherwise
}

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

// sortedKeys returns the keys in order.
func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}
