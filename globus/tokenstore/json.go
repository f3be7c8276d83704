package tokenstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"
)

// sdkVersion is the release of globus_sdk whose formats these are. Stores
// carry the version of their last writer.
const sdkVersion = "4.9.1"

// maxFile bounds what is read: a store has a few kilobytes.
const maxFile = 16 << 20

// JSON is JSONTokenStorage of globus_sdk/token_storage/json.py: one JSON file,
// rewritten whole. Python rewrites it in place; here it is replaced, so that a
// reader never sees half of it. It is made by [NewJSON].
type JSON struct{ path string }

// NewJSON names a store. It does no I/O.
func NewJSON(path string) *JSON { return &JSON{path} }

// Path is the file.
func (s *JSON) Path() string { return s.path }

// Namespaces lists the parts of the file.
func (s *JSON) Namespaces(context.Context) ([]string, error) {
	file, err := s.loadFile()
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(file.objectMember("data").members)), nil
}

// Read returns the tokens of a namespace.
func (s *JSON) Read(_ context.Context, namespace string) (Rows, error) {
	file, err := s.loadFile()
	if err != nil {
		return nil, err
	}
	return s.decodeRows(file, namespace)
}

// Update changes the tokens of a namespace.
func (s *JSON) Update(ctx context.Context, namespace string, change func(Rows) error) error {
	directory := filepath.Dir(s.path)
	if _, err := os.Stat(directory); errors.Is(err, fs.ErrNotExist) {
		write, _, err := Rows{}.diffChange(change)
		if err != nil || len(write) == 0 {
			return err
		}
		if err := os.MkdirAll(directory, 0o700); err != nil {
			return err
		}
	}
	// The directory is locked and not the file, which is replaced. Where it
	// cannot be (some network file systems), the write is atomic all the same.
	if lock := flock.New(directory, flock.SetFlag(os.O_RDONLY)); lock.Lock() == nil {
		defer lock.Unlock()
	}
	file, err := s.loadFile()
	if info, statErr := os.Stat(s.path); statErr == nil && info.Mode().IsRegular() && info.Size() == 0 {
		file, err = newSkeleton(newOrderedObject()), nil
	}
	if err != nil {
		return err
	}
	found, err := s.decodeRows(file, namespace)
	if err != nil {
		return err
	}
	write, remove, err := found.diffChange(change)
	if err != nil || len(write)+len(remove) == 0 {
		return err
	}
	data := file.objectMember("data")
	if data.objectMember(namespace) == nil {
		data.setMember(namespace, newOrderedObject())
	}
	for _, server := range slices.Sorted(maps.Keys(write)) {
		value, err := parseJSON(write[server])
		if err != nil {
			return fmt.Errorf("encoding a token: %w", err)
		}
		data.objectMember(namespace).setMember(server, value)
	}
	for _, server := range remove {
		data.objectMember(namespace).takeMember(server)
	}
	return WriteFile(s.path, appendJSON(nil, file))
}

// loadFile reads the file in the present form, or makes the skeleton of a new one.
func (s *JSON) loadFile() (*orderedObject, error) {
	data, err := readBounded(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return newSkeleton(newOrderedObject()), nil
	}
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, &StoreFormatError{Path: s.path, Problem: "the file is empty", Empty: true}
	}
	value, err := parseJSON(data)
	if err != nil {
		return nil, &StoreFormatError{Path: s.path, Problem: "not a JSON token store", Err: err}
	}
	file, ok := value.(*orderedObject)
	if !ok {
		return nil, &StoreFormatError{Path: s.path, Problem: "not a JSON token store"}
	}
	switch version := file.members["format_version"]; version {
	case "1.0":
		// Without namespaces: its tokens become those of DEFAULT.
		tokens := file.objectMember("by_rs")
		if tokens == nil {
			return nil, &StoreFormatError{Path: s.path, Problem: "not a JSON token store: format 1.0 without by_rs"}
		}
		all := newOrderedObject()
		all.setMember("DEFAULT", tokens)
		return newSkeleton(all), nil
	case "2.0":
		if file.objectMember("data") == nil {
			return nil, &StoreFormatError{Path: s.path, Problem: "not a JSON token store: no data"}
		}
		return file, nil
	default:
		return nil, &StoreFormatError{Path: s.path, Problem: fmt.Sprintf("not a JSON token store of a known format (format_version %v)", version)}
	}
}

func newSkeleton(data *orderedObject) *orderedObject {
	file := newOrderedObject()
	file.setMember("data", data)
	file.setMember("format_version", "2.0")
	file.setMember("globus-sdk.version", sdkVersion)
	return file
}

func (s *JSON) decodeRows(file *orderedObject, namespace string) (Rows, error) {
	value, ok := file.objectMember("data").members[namespace]
	if !ok {
		return Rows{}, nil
	}
	tokens, ok := value.(*orderedObject)
	if !ok {
		return nil, &StoreFormatError{Path: s.path, Problem: fmt.Sprintf("namespace %s is not a JSON object", namespace)}
	}
	found := make(Rows, len(tokens.names))
	for _, server := range tokens.names {
		found[server] = decodeToken(appendJSON(nil, tokens.members[server]))
	}
	return found, nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, &StoreFormatError{Path: path, Problem: "not a regular file"}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		return nil, &StoreFormatError{Path: path, Problem: "too large for a token store"}
	}
	return data, err
}
