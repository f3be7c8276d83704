package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Below DataDir/runtime there are
//
//	current -> 4.19.0-1a2b3c4d-2       the environment that is used
//	4.19.0-1a2b3c4d-1/                 the one before it: a daemon may run from it
//	4.19.0-1a2b3c4d-2/.chiltepin.json  written last of all: the environment is complete
//	install.lock, install.log          one installation at a time; what the last one printed
//
// An environment cannot be moved, so it is built where it will stay, and what is
// switched is the link.
const (
	currentName = "current"
	markerName  = ".chiltepin.json"
	lockName    = "install.lock"
	logName     = "install.log"
)

// marker is the content of markerName.
type marker struct {
	Version     string    `json:"version"`     // of the daemon
	Lock        string    `json:"lock"`        // digest of the requirements
	Python      string    `json:"python"`      // "3.12.1"
	Interpreter string    `json:"interpreter"` // what it was built on
	Built       time.Time `json:"built"`
}

func (f Finder) runtimeDir() string { return filepath.Join(f.DataDir, "runtime") }

// InstalledBin returns the directory in which the programs of an installed
// runtime are, whether one is installed yet or not, and "" when none can be.
func (f Finder) InstalledBin() string {
	if !filepath.IsAbs(f.DataDir) {
		return ""
	}
	return filepath.Join(f.runtimeDir(), currentName, "bin")
}

// currentDirName returns the directory name that the link names, or "".
func (f Finder) currentDirName() string {
	name, err := os.Readlink(filepath.Join(f.runtimeDir(), currentName))
	if err != nil || name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		return ""
	}
	return name
}

// readMarker reads the marker of an environment. Its absence is an error: the
// environment was never finished.
func readMarker(dir string) (marker, error) {
	var m marker
	file, err := os.Open(filepath.Join(dir, markerName))
	if err != nil {
		return m, err
	}
	defer file.Close()
	if err := json.NewDecoder(file).Decode(&m); err != nil {
		return m, fmt.Errorf("reading %s: %w", file.Name(), err)
	}
	return m, nil
}

// examineInstalled looks at what Install built. found is false when it never did.
func (f Finder) examineInstalled() (c Candidate, found bool) {
	link := filepath.Join(f.runtimeDir(), currentName)
	path := filepath.Join(link, "bin", Program)
	if _, err := os.Lstat(link); errors.Is(err, fs.ErrNotExist) {
		return c, false
	}
	c, found = f.examineProgram(path, Installed)
	if !found {
		c.Broken = "it is not complete: " + Program + " is missing"
		return c, true
	}
	if c.Broken != "" {
		return c, true
	}
	m, err := readMarker(link)
	switch {
	case err != nil:
		c.Broken = fmt.Sprintf("it is not complete: %v", err)
	case m.Lock != digestLock(requirements):
		c.Note = fmt.Sprintf("another release of chiltepin installed it; this one would install %s", LockedVersion())
	}
	return c, true
}
