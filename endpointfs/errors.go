package endpointfs

import (
	"fmt"
	"io/fs"
	"strings"

	"chiltepin/endpointfs/internal/regular"
)

// FormatError says what is wrong with a file of an endpoint, where, and what
// to do about it.
type FormatError = regular.FormatError

// NotFoundError says that no endpoint has a name or an id.
type NotFoundError struct {
	Name string // what was asked for, a name or a UUID
	Dir  string // the configuration directory that was searched
	// Leftover is true when a directory of that name is there which holds no
	// file of an endpoint.
	Leftover bool
}

// Error names the endpoint and the directory.
func (e *NotFoundError) Error() string {
	if e.Leftover {
		return fmt.Sprintf("no endpoint %q in %s: the directory is there, but holds no file of an endpoint", e.Name, e.Dir)
	}
	return fmt.Sprintf("no endpoint %q in %s", e.Name, e.Dir)
}

// Next says what to do where the directory is in the way, and is empty
// otherwise.
func (e *NotFoundError) Next() string {
	if e.Leftover {
		return "look into the directory, and remove or rename it before configuring an endpoint of that name"
	}
	return ""
}

// Configurable is true when an endpoint of that name could be made.
func (e *NotFoundError) Configurable() bool { return !e.Leftover && CheckNewName(e.Name) == nil }

// Is makes the error match [fs.ErrNotExist].
func (e *NotFoundError) Is(target error) bool { return target == fs.ErrNotExist }

// AmbiguousError says that more than one endpoint directory carries the id
// that was asked for, as after copying one.
type AmbiguousError struct {
	ID    string   // the UUID
	Names []string // the endpoints that carry it, sorted
}

// Error names the id and the endpoints.
func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("the id %s belongs to %d endpoint directories: %s", e.ID, len(e.Names), strings.Join(e.Names, ", "))
}

// Next says what to do.
func (e *AmbiguousError) Next() string {
	return "use the endpoint's name; a copied directory should lose its endpoint.json"
}

// ExistsError says that the name of a new endpoint is taken.
type ExistsError struct {
	Name string // the name
	Path string // what has it
}

// Error names what is in the way.
func (e *ExistsError) Error() string {
	return fmt.Sprintf("configuring endpoint %q: %s exists", e.Name, e.Path)
}

// Next says what to do.
func (e *ExistsError) Next() string { return "choose another name" }

// Is makes the error match [fs.ErrExist].
func (e *ExistsError) Is(target error) bool { return target == fs.ErrExist }
