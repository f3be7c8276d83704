package endpointfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"chiltepin/endpointfs/internal/pytext"
	"chiltepin/endpointfs/log"
)

// UserEndpointDir is the directory of one user endpoint process: uep., the id of
// the endpoint it belongs to, a dot, its own id. The service chooses the name.
// A template that sets paths.endpoint_dir puts it elsewhere, where it is not
// found.
type UserEndpointDir struct {
	ID     string // its own UUID
	Parent string // UUID of the endpoint it belongs to
	name   string
	path   string
}

// Path returns the path of the user endpoint's directory.
func (u UserEndpointDir) Path() string { return u.path }

// PIDFile reads its daemon.pid, as [Endpoint.PIDFile] does.
func (u UserEndpointDir) PIDFile() (PIDFile, error) { return readPIDFile(u.path + "/" + pidFile) }

// Log returns its log.
func (u UserEndpointDir) Log() log.Files { return log.At(u.path + "/" + logFile) }

// UserEndpoints returns the user endpoints of this endpoint, sorted by id. An
// endpoint that was never registered has none.
func (e *Endpoint) UserEndpoints() ([]UserEndpointDir, error) {
	id, err := e.ID()
	if err != nil || id == "" {
		return nil, err
	}
	return e.dir.UserEndpoints(id)
}

// UserEndpoints returns the user endpoints of the endpoint with that UUID,
// sorted by id, or of every endpoint when id is empty.
func (d *Dir) UserEndpoints(id string) ([]UserEndpointDir, error) {
	want := pytext.CanonicalUUID(id)
	if id != "" && want == "" {
		return nil, fmt.Errorf("listing user endpoints: %q is not a UUID", id)
	}
	entries, err := os.ReadDir(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing user endpoints: %w", err)
	}
	var all []UserEndpointDir
	for _, entry := range entries {
		parent, own, ok := parseUserEndpointDir(entry.Name())
		if ok && entry.IsDir() && (id == "" || parent == want) {
			all = append(all, UserEndpointDir{ID: own, Parent: parent, name: entry.Name(), path: d.path + "/" + entry.Name()})
		}
	}
	return all, nil
}

// RemoveUserEndpoints removes the user endpoints' directories of the endpoint
// with that UUID and returns those that it removed, also with an error.
func (d *Dir) RemoveUserEndpoints(id string) ([]UserEndpointDir, error) {
	if pytext.CanonicalUUID(id) == "" {
		return nil, fmt.Errorf("removing user endpoints: %q is not a UUID", id)
	}
	all, err := d.UserEndpoints(id)
	if err != nil {
		return nil, err
	}
	for i, u := range all {
		if err := d.removeEntry(u.name); err != nil {
			return all[:i], fmt.Errorf("removing user endpoint %s: %w", u.ID, err)
		}
	}
	return all, nil
}

func isUserEndpointDir(name string) bool {
	_, _, ok := parseUserEndpointDir(name)
	return ok
}

// parseUserEndpointDir splits uep.PARENT.OWN.
func parseUserEndpointDir(name string) (parent, own string, ok bool) {
	rest, ok := strings.CutPrefix(name, "uep.")
	if !ok || len(rest) != 36+1+36 || rest[36] != '.' {
		return "", "", false
	}
	parent, own = pytext.CanonicalUUID(rest[:36]), pytext.CanonicalUUID(rest[37:])
	if !strings.EqualFold(parent+"."+own, rest) {
		return "", "", false
	}
	return parent, own, true
}

// Unsent returns how many results are in the directory that could not be
// published (endpoint/result_store.py): they exist nowhere else.
func (u UserEndpointDir) Unsent() (int, error) {
	entries, err := os.ReadDir(u.path + "/unacked_results")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("looking for unsent results: %w", err)
	}
	return len(entries), nil
}

// RemoveUserEndpoint removes the directory of one user endpoint. One that is
// gone already is no error. The caller knows that nothing runs there.
func (d *Dir) RemoveUserEndpoint(u UserEndpointDir) error {
	if !isUserEndpointDir(u.name) {
		return fmt.Errorf("removing user endpoint %q: this is not the name of its directory", u.name)
	}
	if err := d.removeEntry(u.name); err != nil {
		return fmt.Errorf("removing user endpoint %s: %w", u.ID, err)
	}
	return nil
}
