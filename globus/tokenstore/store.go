package tokenstore

import (
	"context"
	"maps"
)

// Store is one file of tokens. Both implementations are safe for concurrent
// use, hold nothing open between calls, and may share their file with others
// of our processes and with the Python programs.
type Store interface {
	// Path is the file.
	Path() string
	// Namespaces lists the parts of the store that hold tokens, sorted. A file
	// that is missing has none.
	Namespaces(ctx context.Context) ([]string, error)
	// Read returns the tokens of a namespace. A file or a namespace that is
	// missing has none; a file that is no token store is a [*StoreFormatError].
	Read(ctx context.Context, namespace string) (Rows, error)
	// Update lets change add, replace and delete the tokens of a namespace,
	// and writes what it changed, all or nothing; nothing when it returns an
	// error, which Update then returns. Nobody else of ours writes meanwhile,
	// so change must be quick; it may be called more than once, each time with
	// fresh rows. The file is made, with mode 0600, when there is
	// something to write and it is missing or empty, as Python leaves it when
	// it is killed at the wrong moment; one that others may read is closed to
	// them.
	Update(ctx context.Context, namespace string, change func(Rows) error) error
}

// Rows are the tokens of a namespace, by resource server.
type Rows map[string]Token

// diffChange lists what change did to a copy of r: what to write, encoded, and
// what to delete. A token that it left alone is in neither, and so keeps the
// bytes that it has in the file.
func (r Rows) diffChange(change func(Rows) error) (write map[string][]byte, remove []string, err error) {
	tokens := maps.Clone(r)
	if err := change(tokens); err != nil {
		return nil, nil, err
	}
	write = map[string][]byte{}
	for server, token := range tokens {
		if old, ok := r[server]; !ok || !old.Equal(token) {
			write[server] = token.encodeJSON()
		}
	}
	for server := range r {
		if _, ok := tokens[server]; !ok {
			remove = append(remove, server)
		}
	}
	return write, remove, nil
}
