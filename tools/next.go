package tools

import (
	"strings"

	"chiltepin/globus/next"
	"chiltepin/tools/operation"
)

// nextSteps are the steps of the floors below in the words of the wire. What
// they say may come from outside.
func nextSteps(steps []next.Step) []operation.Next {
	var out []operation.Next
	for _, s := range steps {
		if s.IsZero() {
			continue
		}
		n := operation.Next{Operation: string(s.Operation), Args: map[string]any{}, Why: operation.Clean(s.Why), Host: operation.Clean(s.Host), User: operation.Clean(s.User)}
		for name, value := range s.Args {
			n.Args[name] = value
		}
		out = append(out, n)
	}
	return out
}

// callOf is the step that calls an operation.
func callOf(op next.Operation, args next.Args, why string) []operation.Next {
	return operation.Call(string(op), args, why)
}

// sayNext is what to do as text for a person, a line a step.
func sayNext(steps []operation.Next) string {
	lines := make([]string, len(steps))
	for i, n := range steps {
		lines[i] = n.String()
	}
	return strings.Join(lines, "\n")
}
