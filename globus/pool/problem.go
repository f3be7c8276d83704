package pool

import (
	"cmp"
	"slices"

	"chiltepin/globus/next"
)

// Severity says how much a problem matters.
type Severity string

const (
	// Error: tasks will not run, or not with what is written.
	Error Severity = "error"
	// Warning: it runs, and something that is written does nothing or is
	// likely not what was meant.
	Warning Severity = "warning"
	// Note: worth knowing, and nothing to fix.
	Note Severity = "note"
)

// Problem is one thing that was found in a file.
type Problem struct {
	// Line and Column count from 1; they are those of the key or the value that
	// is to blame, and 0 where a whole file is.
	Line, Column int
	// Pool and Option name the entry and its option; either may be empty.
	Pool, Option string
	Severity     Severity
	// Message is a sentence, in lower case where it begins with no name, without
	// a full stop.
	Message string
	// Next is what to do about it, the best first.
	Next []next.Step
}

// doOnly is one sentence as what to do.
func doOnly(what string) []next.Step { return []next.Step{next.Do(what)} }

// Worst is the gravest severity among problems, "" when there are none.
func Worst(problems []Problem) Severity {
	worst := Severity("")
	for _, p := range problems {
		if severityRank(p.Severity) > severityRank(worst) {
			worst = p.Severity
		}
	}
	return worst
}

func severityRank(s Severity) int {
	return slices.Index([]Severity{"", Note, Warning, Error}, s)
}

// sortProblems puts them in the order of the file.
func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
