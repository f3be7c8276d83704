// Package runtime finds, checks and installs the Python side of an endpoint:
// the unmodified globus-compute-endpoint that does the computing.
//
// Finding starts no Python and changes nothing. Installing builds an
// environment of our own from a lock that this package embeds; it never touches
// another environment, and one that works stays in place until the new one is
// complete. Nothing here starts, stops or looks at endpoints.
package runtime

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"chiltepin/globus/next"
	"chiltepin/globus/runtime/internal/venv"
)

// Program is the name of the daemon's program.
const Program = "globus-compute-endpoint"

// Where a runtime came from.
const (
	Named     = "flag"      // the user named it
	OnPath    = "PATH"      // it is in a directory of PATH
	Installed = "installed" // Install put it there
)

// Runtime is one globus-compute-endpoint on this machine.
type Runtime struct {
	// Path is the absolute path of the program. For an installed runtime it
	// stays the same when a newer one takes its place.
	Path string
	// Bin is the directory to put first in PATH for the program: it starts
	// itself and parsl's programs by their names.
	Bin string
	// Source is Named, OnPath or Installed.
	Source string
	// Why is a sentence for people that says why it was taken.
	Why string
	// Version is its release, "4.19.0", or "" where that cannot be told without
	// starting it.
	Version string
	// Python is its interpreter, or "" where the program is not a Python script.
	Python string
}

// Environ returns env changed for running the program: Bin comes first in PATH,
// and the variables are gone by which a task's environment would lead the
// program to another endpoint. An installed runtime loses PYTHONPATH and
// PYTHONHOME as well, which would put other packages before its own.
func (r Runtime) Environ(env []string) []string {
	drop := []string{
		// They override the NAME argument: set in every user endpoint and task.
		"GLOBUS_COMPUTE_ENDPOINT_DIR", "GLOBUS_COMPUTE_LOG_PATH", "GLOBUS_COMPUTE_ENDPOINT_NAME",
	}
	if r.Source == Installed {
		drop = append(drop, "PYTHONPATH", "PYTHONHOME")
	}
	path := ""
	kept := slices.DeleteFunc(slices.Clone(env), func(s string) bool {
		name, value, _ := strings.Cut(s, "=")
		if name == "PATH" {
			path = value
			return true
		}
		return slices.Contains(drop, name)
	})
	if path == "" {
		path = "/usr/local/bin:/usr/bin:/bin"
	}
	if first, _, _ := strings.Cut(path, ":"); first != r.Bin {
		path = r.Bin + ":" + path
	}
	return append(kept, "PATH="+path)
}

// Finder knows where to look. Its methods may be called concurrently.
type Finder struct {
	// Explicit is what the user named: the program, or the directory of an
	// environment that has it. Empty when nothing was named.
	Explicit string
	// ExplicitName says what named it, for messages, such as a variable of the
	// environment; empty when the caller did.
	ExplicitName string
	// DataDir is where Install works, in its subdirectory "runtime"; see
	// DefaultDataDir. Empty means that nothing is or can be installed.
	DataDir string
	// PathEnv is the value of PATH to search, for the program, and by Install
	// for interpreters and uv. Empty and relative entries are passed over.
	PathEnv string
	// Environ is the environment of the caller, NAME=VALUE, for the programs
	// that Install and Check start, and PYENV_VERSION.
	Environ []string
}

// DefaultDataDir returns the directory for the data of this program: chiltepin
// under XDG_DATA_HOME, or under .local/share of home when that is not absolute.
func DefaultDataDir(home string, getenv func(string) string) string {
	if dir := getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "chiltepin")
	}
	return filepath.Join(home, ".local", "share", "chiltepin")
}

// Find returns the runtime to use, in this order: what the user named, the
// first working one in a directory of PATH, the one that Install built. A named
// one that does not work is a *BrokenError and nothing else is tried; others
// that do not work are passed over. Nothing found is a *NoRuntimeError.
func (f Finder) Find(ctx context.Context) (Runtime, error) {
	status, err := f.Inventory(ctx)
	if err != nil {
		return Runtime{}, err
	}
	return status.Verdict()
}

// BrokenError says that a runtime is there and cannot work.
type BrokenError struct {
	// Path is the program, or what the user named.
	Path string
	// Source is where it came from.
	Source string
	// Reason says why it cannot work.
	Reason string
	// Err is the cause where there is one.
	Err error
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("using the runtime %s: %s", e.Path, e.Reason)
}

func (e *BrokenError) Unwrap() error { return e.Err }

// Next says what to do.
func (e *BrokenError) Next() []next.Step {
	switch e.Source {
	case Named:
		return []next.Step{next.Do("name the program " + Program + " or the environment that has it, or name none and let chiltepin find one")}
	case Installed:
		return []next.Step{next.Call(next.RuntimeInstall, nil, "replace it")}
	}
	return []next.Step{next.Do("repair it or take it off PATH"), next.Call(next.RuntimeInstall, nil, "use one of chiltepin's own")}
}

// NoRuntimeError says that no globus-compute-endpoint was found that works.
type NoRuntimeError struct {
	// Broken are those that were found and do not work.
	Broken []Candidate
}

func (e *NoRuntimeError) Error() string {
	s := "finding " + Program + ": it is not on PATH and not installed by chiltepin"
	if len(e.Broken) > 0 {
		s = "finding " + Program + ": none that works"
	}
	for _, c := range e.Broken {
		s += fmt.Sprintf("; %s: %s", c.Path, c.Broken)
	}
	return s
}

// Next says what to do.
func (e *NoRuntimeError) Next() []next.Step {
	return []next.Step{next.Call(next.RuntimeInstall, nil, "")}
}

// NoPythonError says that Install found no Python to build on; it says what to do next.
type NoPythonError = venv.NoPythonError
