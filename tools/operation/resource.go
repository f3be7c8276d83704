package operation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
)

// Resource is something that can be read by its address, beside the
// operations: a file of an endpoint, a list. Reading changes nothing.
type Resource struct {
	// URI is its address, in which "{name}" stands for the name of an
	// endpoint; without one there is a single such resource.
	URI string
	// Name is a word for programs, Title two or three for people, Doc a
	// sentence.
	Name, Title, Doc string
	// MIME is the type of its text.
	MIME string
	// Read returns the text. configDir "" is the default one; name is "" for
	// an address without one. The error is an [*Error].
	Read func(ctx context.Context, configDir, name string) (string, error)
	// Stamp, if set, returns a text that changes when what there is to read
	// changes in a way worth telling; if not, the text itself is compared.
	Stamp func(ctx context.Context, configDir, name string) (string, error)
}

// nameVariable stands for the name of an endpoint in an address.
const nameVariable = "{name}"

// Templated is true for an address with a name in it.
func (r Resource) Templated() bool { return strings.Contains(r.URI, nameVariable) }

// Address is the URI of the resource for one endpoint.
func (r Resource) Address(name string) string {
	return strings.Replace(r.URI, nameVariable, url.PathEscape(name), 1)
}

// Match returns the name in uri, and whether uri is an address of r.
func (r Resource) Match(uri string) (name string, ok bool) {
	before, after, templated := strings.Cut(r.URI, nameVariable)
	if !templated {
		return "", uri == r.URI
	}
	rest, ok := strings.CutPrefix(uri, before)
	if !ok {
		return "", false
	}
	rest, ok = strings.CutSuffix(rest, after)
	if !ok || rest == "" || strings.Contains(rest, "/") {
		return "", false
	}
	name, err := url.PathUnescape(rest)
	return name, err == nil
}

// StampOf returns what changes with the resource, for whoever watches it. One
// that cannot be read has a stamp too.
func (r Resource) StampOf(ctx context.Context, configDir, name string) string {
	read := r.Stamp
	if read == nil {
		read = r.Read
	}
	text, err := read(ctx, configDir, name)
	if err != nil {
		return "unreadable: " + string(AsError(err).Code)
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Resources is everything that can be read by address.
type Resources struct {
	List []Resource
	// Names are the endpoints that the templated ones exist for.
	Names func(ctx context.Context, configDir string) ([]string, error)
}

// Find returns the resource with that address and the name in it, nil if
// there is none.
func (r Resources) Find(uri string) (*Resource, string) {
	for i := range r.List {
		if name, ok := r.List[i].Match(uri); ok {
			return &r.List[i], name
		}
	}
	return nil, ""
}
