package tokenstore

import "fmt"

// StoreFormatError is a file, or a row of one, that is not what the Python programs
// write. Nothing in it was changed.
type StoreFormatError struct {
	// Path is the file, Problem what is wrong with it.
	Path, Problem string
	// Empty is true of a file with nothing in it, which the next update makes
	// a store.
	Empty bool
	// Err is the cause, where there is one.
	Err error
}

// Error names file and problem.
func (e *StoreFormatError) Error() string {
	s := fmt.Sprintf("reading %q: %s", e.Path, e.Problem)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap is the cause.
func (e *StoreFormatError) Unwrap() error { return e.Err }

// Next says what to do, before another login.
func (e *StoreFormatError) Next() string { return fmt.Sprintf("move %s away", e.Path) }

// StoreLockedError is a store that another program keeps locked.
type StoreLockedError struct {
	// Path is the file.
	Path string
	Err  error
}

// Error names the file.
func (e *StoreLockedError) Error() string {
	return fmt.Sprintf("opening %q: another program keeps it locked", e.Path)
}

// Unwrap is the cause.
func (e *StoreLockedError) Unwrap() error { return e.Err }

// Next says what to do.
func (e *StoreLockedError) Next() string {
	return "wait for the other Globus programs to end, and try again"
}
