package runtime

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// sweepInterrupted removes what an interrupted installation left: environments without a
// marker, lists and links. What cannot be removed stays; it is in nobody's way.
func (f Finder) sweepInterrupted() {
	entries, _ := os.ReadDir(f.runtimeDir())
	current := f.currentDirName()
	for _, e := range entries {
		path := filepath.Join(f.runtimeDir(), e.Name())
		switch {
		case isEnvironment(e) && e.Name() != current:
			if _, err := os.Stat(filepath.Join(path, markerName)); os.IsNotExist(err) && !isInUse("/proc", path) {
				_ = os.RemoveAll(path)
			}
		case strings.HasPrefix(e.Name(), "."+currentName+"-"), strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(e.Name(), ".txt"):
			_ = os.Remove(path)
		}
	}
}

// pruneEnvironments removes every environment but the one in use, the one before it, and
// those that a process of this machine runs from. The one before it stays
// because a home directory may be shared, and the daemon that runs from it may
// be on another machine.
func (f Finder) pruneEnvironments(keep ...string) {
	entries, _ := os.ReadDir(f.runtimeDir())
	kept := map[string]bool{}
	for _, name := range keep {
		kept[name] = true
	}
	for _, e := range entries {
		if !isEnvironment(e) || kept[e.Name()] {
			continue
		}
		dir := filepath.Join(f.runtimeDir(), e.Name())
		if isInUse("/proc", dir) {
			continue
		}
		// Without its marker it is never taken for complete, should this be
		// interrupted.
		_ = os.Remove(filepath.Join(dir, markerName))
		_ = os.RemoveAll(dir)
	}
}

// isInUse says whether a process in the process directory proc was started from
// dir or has mapped a file of it. Processes of other users do not show; nor do
// those of other machines.
func isInUse(proc, dir string) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		real = dir
	}
	entries, _ := os.ReadDir(proc)
	for _, e := range entries {
		if e.Name()[0] < '0' || e.Name()[0] > '9' {
			continue
		}
		for _, file := range []string{"cmdline", "maps"} {
			text := readSome(filepath.Join(proc, e.Name(), file))
			if bytes.Contains(text, []byte(dir+"/")) || bytes.Contains(text, []byte(real+"/")) {
				return true
			}
		}
	}
	return false
}

// readSome reads a file of /proc as far as it is readable.
func readSome(path string) []byte {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	text, _ := io.ReadAll(io.LimitReader(file, 4<<20))
	return text
}
