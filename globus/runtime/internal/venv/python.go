package venv

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chiltepin/globus/next"
)

// Interpreter is a Python that can carry an environment.
type Interpreter struct {
	// Path is the interpreter itself and not a shim or a link: those may choose
	// another version in another directory or after an upgrade, and what was
	// built on them breaks.
	Path string
	// Version is "3.12.1".
	Version string
	// Venv says that the modules venv and ensurepip are there.
	Venv bool
}

// NoPythonError says that no usable interpreter was found.
type NoPythonError struct {
	// Reason says what was looked at and why it will not do.
	Reason string
	// NeedsVenv says that there is a right version but without venv.
	NeedsVenv bool
}

func (e *NoPythonError) Error() string { return "finding Python 3.10 to 3.13: " + e.Reason }

// Next says what to do.
func (e *NoPythonError) Next() []next.Step {
	if e.NeedsVenv {
		return []next.Step{next.Do("install its venv module (Debian and Ubuntu: apt install python3-venv) or uv, or name another interpreter")}
	}
	return []next.Step{next.Do("install Python 3.10, 3.11, 3.12 or 3.13 (on a cluster: module load python), or name the interpreter to build on")}
}

// LookPath finds an executable file called name in the directories of pathEnv,
// or returns "". A name with a slash is taken as a path and made absolute.
func LookPath(pathEnv, name string) string {
	if strings.Contains(name, "/") {
		abs, err := filepath.Abs(name)
		if err != nil || !isExecutable(abs) {
			return ""
		}
		return abs
	}
	for _, dir := range filepath.SplitList(pathEnv) {
		// An empty or relative entry means the working directory, which is
		// nobody's choice of interpreter.
		if p := filepath.Join(dir, name); filepath.IsAbs(dir) && isExecutable(p) {
			return p
		}
	}
	return ""
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// FindPython returns the interpreter to build on: want, a path or a name on
// pathEnv, or when it is empty the first of python3, python3.13, python3.12,
// python3.11 and python3.10 whose version is right, those that have venv first.
// needVenv refuses one without. It starts each interpreter it looks at.
func FindPython(ctx context.Context, want, pathEnv string, environ []string, needVenv bool) (Interpreter, error) {
	names := []string{"python3", "python3.13", "python3.12", "python3.11", "python3.10"}
	if want != "" {
		names = []string{want}
	}
	var reasons []string
	bare := false
	for _, name := range names {
		path := LookPath(pathEnv, name)
		if path == "" {
			reasons = append(reasons, name+" is not there")
			continue
		}
		found, err := probeInterpreter(ctx, path, environ)
		switch {
		case ctx.Err() != nil:
			return Interpreter{}, context.Cause(ctx)
		case err != nil:
			reasons = append(reasons, err.Error())
		case needVenv && !found.Venv:
			bare = true
			reasons = append(reasons, fmt.Sprintf("%s (%s) was packaged without venv and ensurepip", path, found.Version))
		default:
			return found, nil
		}
	}
	return Interpreter{}, &NoPythonError{Reason: strings.Join(reasons, "; "), NeedsVenv: bare}
}

const probeScript = `import importlib.util, json, platform, sys
has = lambda name: importlib.util.find_spec(name) is not None
print(json.dumps({"executable": getattr(sys, "_base_executable", None) or sys.executable, "version": platform.python_version(), "info": list(sys.version_info[:2]),
"implementation": sys.implementation.name, "venv": has("venv") and has("ensurepip")}))`

// probeInterpreter starts an interpreter to learn what it is.
func probeInterpreter(ctx context.Context, path string, environ []string) (Interpreter, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var last string
	job := Job{Dir: "/", Environ: Environ(environ), Each: func(s string) { last = s }}
	if err := job.Run(ctx, path, "-I", "-c", probeScript); err != nil {
		return Interpreter{}, fmt.Errorf("%s does not start (%w)", path, err)
	}
	var said struct {
		Executable, Version, Implementation string
		Info                                [2]int
		Venv                                bool
	}
	if err := json.Unmarshal([]byte(last), &said); err != nil {
		return Interpreter{}, fmt.Errorf("%s is not a Python (%w)", path, err)
	}
	if said.Implementation != "cpython" {
		return Interpreter{}, fmt.Errorf("%s is %s, not CPython", path, said.Implementation)
	}
	if said.Info[0] != 3 || said.Info[1] < 10 || said.Info[1] > 13 {
		return Interpreter{}, fmt.Errorf("%s is Python %s", path, said.Version)
	}
	if !filepath.IsAbs(said.Executable) {
		return Interpreter{}, fmt.Errorf("%s does not know its own path", path)
	}
	real, err := filepath.EvalSymlinks(said.Executable)
	if err != nil {
		return Interpreter{}, fmt.Errorf("%s does not know its own path (%w)", path, err)
	}
	return Interpreter{Path: real, Version: said.Version, Venv: said.Venv}, nil
}
