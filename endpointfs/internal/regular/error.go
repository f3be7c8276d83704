package regular

import "strconv"

// FormatError says what is wrong with a file of an endpoint, where, and what
// to do about it.
type FormatError struct {
	File    string // path of the file
	Line    int    // 1 for the first line; 0 when no line is to blame
	Problem string // what is wrong, lower case, no full stop
	Remedy  string // what to do next; may be empty
	Err     error  // the cause, if another error was it; may be nil
}

// Error names the file, the line where there is one, and the problem.
func (e *FormatError) Error() string {
	where := strconv.Quote(e.File)
	if e.Line > 0 {
		where += ", line " + strconv.Itoa(e.Line)
	}
	return "reading " + where + ": " + e.Problem
}

// Next is the remedy.
func (e *FormatError) Next() string { return e.Remedy }

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }
