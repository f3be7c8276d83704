package endpointfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"chiltepin/endpointfs/internal/pytext"
	"chiltepin/endpointfs/log"
)

// Names of files in an endpoint's directory.
const (
	configYAML       = "config.yaml"
	configPython     = "config.py"
	templateFile     = "user_config_template.yaml.j2"
	templateOld      = "user_config_template.yaml"
	schemaFile       = "user_config_schema.json"
	environmentFile  = "user_environment.yaml"
	endpointJSON     = "endpoint.json"
	pidFile          = "daemon.pid"
	logFile          = "endpoint.log"
	launchRecordFile = "chiltepin.json"
)

// privateDir is the folder of chiltepin in a configuration directory. Nothing in
// it may be named config.*, lest globus-compute-endpoint list it.
const privateDir = ".chiltepin"

// DefaultDir returns the configuration directory that the Python programs
// would use: $GLOBUS_COMPUTE_USER_DIR, else .globus_compute in home.
func DefaultDir(home string, getenv func(string) string) string {
	if dir := getenv("GLOBUS_COMPUTE_USER_DIR"); dir != "" {
		return dir
	}
	return filepath.Join(home, ".globus_compute")
}

// Dir is a configuration directory. It is safe for concurrent use.
type Dir struct {
	path    string
	machine ProcessFacts // nil when nothing is known of it
	leases  *leases
}

// Open returns the configuration directory at path, which should be absolute.
// It does not touch the disk; a directory that is not there has no endpoints
// and is made by the first [Dir.Configure].
func Open(path string) *Dir {
	return &Dir{path: filepath.Clean(path), leases: &leases{times: defaultLeaseTimes()}}
}

// On returns the same directory for operations on the machine m, which then
// can tell that the holder of a lease is gone from it.
func (d *Dir) On(m ProcessFacts) *Dir { return &Dir{path: d.path, machine: m, leases: d.leases} }

// Path returns the path of the directory.
func (d *Dir) Path() string { return d.path }

// Endpoints returns the endpoints sorted by name: each directory, or link to
// one, that holds a config.yaml or config.py. The daemon's own list counts any
// config.* (config.yaml.bak makes an endpoint of a folder there) and hidden
// folders; this one does not, nor does it count user endpoints' directories.
// A configuration directory that is not there has none; one that is a file or
// cannot be read is an error.
func (d *Dir) Endpoints() ([]*Endpoint, error) {
	entries, err := os.ReadDir(d.path) // sorted
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration directory: %w", err)
	}
	all := make([]*Endpoint, 0, len(entries))
	for _, e := range entries {
		if t := e.Type(); !t.IsDir() && t&(fs.ModeSymlink|fs.ModeIrregular) == 0 {
			continue
		}
		if strings.HasPrefix(e.Name(), ".") || isUserEndpointDir(e.Name()) {
			continue
		}
		if ep := d.endpointAt(e.Name()); ep.hasConfig() {
			all = append(all, ep)
		}
	}
	return all, nil
}

// Endpoint returns the endpoint of that name or, when nameOrID reads as a
// UUID, of that id. Besides what [Dir.Endpoints] returns it finds an endpoint
// that has lost its configuration and kept another of the daemon's files. The
// error is a *[NotFoundError], a *[NameError] for what can be no name (a path
// above all), or an *[AmbiguousError].
func (d *Dir) Endpoint(nameOrID string) (*Endpoint, error) {
	if id := pytext.CanonicalUUID(nameOrID); id != "" {
		ep, err := d.findByID(id)
		if ep != nil || err != nil {
			return ep, err
		}
	}
	nameErr := CheckName(nameOrID)
	if !isComponent(nameOrID) {
		return nil, nameErr
	}
	// A name that the daemon would not give may still be on the disk.
	ep := d.endpointAt(nameOrID)
	if ep.hasAnyFile(configYAML, configPython, templateFile, endpointJSON, pidFile) && !isUserEndpointDir(nameOrID) {
		return ep, nil
	}
	if nameErr != nil {
		return nil, nameErr
	}
	return nil, &NotFoundError{Name: nameOrID, Dir: d.path, Leftover: pathExists(ep.path)}
}

func (d *Dir) findByID(id string) (*Endpoint, error) {
	all, err := d.Endpoints()
	if err != nil {
		return nil, err
	}
	var found []*Endpoint
	var names []string
	for _, ep := range all {
		if got, err := ep.ID(); err == nil && pytext.CanonicalUUID(got) == id {
			found, names = append(found, ep), append(names, ep.name)
		}
	}
	if len(found) > 1 {
		return nil, &AmbiguousError{ID: id, Names: names}
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// IDs returns which UUIDs belong to which directories, those of endpoints that
// have lost their configuration included, and the names of the directories
// whose UUID cannot be read: any might be theirs.
func (d *Dir) IDs() (names map[string]string, unreadable []string, err error) {
	entries, err := os.ReadDir(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the configuration directory: %w", err)
	}
	names = map[string]string{}
	for _, e := range entries {
		if t := e.Type(); !t.IsDir() && t&(fs.ModeSymlink|fs.ModeIrregular) == 0 || strings.HasPrefix(e.Name(), ".") || isUserEndpointDir(e.Name()) {
			continue
		}
		ep := d.endpointAt(e.Name())
		id, err := ep.ID()
		switch {
		case err != nil && ep.hasAnyFile(endpointJSON):
			unreadable = append(unreadable, e.Name())
		case id != "":
			names[strings.ToLower(id)] = e.Name()
		}
		// What was noted at the last start may differ from what is there now.
		if r, ok, err := ep.ReadLaunchRecord(); err == nil && ok && r.ID != "" {
			names[strings.ToLower(r.ID)] = e.Name()
		}
	}
	return names, unreadable, nil
}

func (d *Dir) endpointAt(name string) *Endpoint {
	return &Endpoint{dir: d, name: name, path: d.path + string(filepath.Separator) + name}
}

// isComponent says whether name is one visible entry of a directory, so that
// joining it to a path cannot leave the directory.
func isComponent(name string) bool {
	return name != "" && name[0] != '.' && len(name) <= maxNameBytes && !strings.ContainsAny(name, "/\x00")
}

// Endpoint is the directory of one endpoint. It is safe for concurrent use,
// and reads the disk anew at every call.
type Endpoint struct {
	dir        *Dir
	name, path string
}

// Name returns the endpoint's name, which is that of its directory.
func (e *Endpoint) Name() string { return e.name }

// Path returns the path of the endpoint's directory.
func (e *Endpoint) Path() string { return e.path }

func (e *Endpoint) filePath(name string) string { return e.path + string(filepath.Separator) + name }

func (e *Endpoint) hasConfig() bool { return e.hasAnyFile(configYAML, configPython) }

func (e *Endpoint) hasAnyFile(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return pathExists(e.filePath(name)) })
}

// openRoot opens the endpoint's directory for changing what is in it.
func (e *Endpoint) openRoot() (*os.Root, error) { return os.OpenRoot(e.path) }

// Log returns the endpoint's log.
func (e *Endpoint) Log() log.Files { return log.At(e.filePath(logFile)) }
