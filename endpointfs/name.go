package endpointfs

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"chiltepin/endpointfs/internal/pytext"
)

// NameError says why a name cannot be an endpoint's.
type NameError struct {
	Name    string // the name as given
	Problem string // what is wrong with it
	Remedy  string // what to do
}

// Error names the name and the problem.
func (e *NameError) Error() string { return fmt.Sprintf("endpoint name %q: %s", e.Name, e.Problem) }

// Next says what to do.
func (e *NameError) Next() string { return e.Remedy }

const (
	maxNameRunes = 128 // endpoint.py validate_endpoint_name counts code points
	maxNameBytes = 255 // NAME_MAX of Linux file systems
)

// CheckName returns a *[NameError] when the daemon would not take name for an
// endpoint: empty, longer than 128 characters, with white space, slashes,
// backslashes or quotation marks, or with a dot in front. It also refuses what
// could be no file name (over 255 bytes, a NUL, not UTF-8). Unlike the
// daemon's own check the answer never depends on links in the working
// directory.
func CheckName(name string) error {
	fail := func(remedy, format string, args ...any) error {
		return &NameError{Name: name, Problem: fmt.Sprintf(format, args...), Remedy: remedy}
	}
	switch n := utf8.RuneCountInString(name); {
	case name == "":
		return fail("give the endpoint a name, such as mesa", "a name may not be empty")
	case !utf8.ValidString(name):
		return fail("use letters, digits, - and _", "it is not UTF-8 text")
	case n > maxNameRunes:
		return fail("shorten it", "it has %d characters, at most %d are allowed", n, maxNameRunes)
	case len(name) > maxNameBytes:
		return fail("shorten it", "it takes %d bytes, at most %d fit into a file name", len(name), maxNameBytes)
	}
	for _, r := range name {
		switch {
		case r == '/' || r == '\\':
			return fail("give a name and not a path; the configuration directory is given apart from it", "%q is not allowed", r)
		case r == '\'' || r == '"':
			return fail("leave the quotation marks out", "quotation marks are not allowed")
		case pytext.IsSpace(r):
			return fail("use - or _ between words", "white space is not allowed (%q)", r)
		case r == 0:
			return fail("use letters, digits, - and _", "a NUL is not allowed")
		}
	}
	if strings.HasPrefix(name, ".") {
		return fail("begin it with a letter or a digit", "a dot in front is not allowed")
	}
	return nil
}

// CheckNewName is [CheckName] for an endpoint about to be made: a name that
// reads as a UUID is refused too, as it could never be told from an id.
func CheckNewName(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if looksLikeUUID(name) {
		return &NameError{Name: name, Problem: "it reads as a UUID, which would be taken for the id of an endpoint", Remedy: "choose a name that is not a UUID"}
	}
	return nil
}

// IsUUID is true of a UUID in its usual form, 36 characters with hyphens, in
// either case.
func IsUUID(s string) bool {
	return len(s) == 36 && strings.EqualFold(pytext.CanonicalUUID(s), s)
}

// looksLikeUUID says whether Python's uuid.UUID takes s: 32 hexadecimal
// digits, whatever hyphens, braces and the prefixes "urn:" and "uuid:".
func looksLikeUUID(s string) bool { return pytext.CanonicalUUID(s) != "" }
