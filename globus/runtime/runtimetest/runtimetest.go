// Package runtimetest gives tests the real programs of others: environments
// with pinned, hash-locked releases of the daemon, its SDK, Python Chiltepin
// and clients of MCP, the latter from npm too.
//
// An environment is built once in a clone, under build at its top, and
// used by every test process from then on; building takes half a minute. It
// never installs outside the clone, and skips a test only under go test -short,
// which is what runs with nothing to install.
package runtimetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"chiltepin/globus/next"
	"chiltepin/globus/runtime/internal/venv"
)

// Set names an environment: the file testdata/python/<set>.txt says what is in it.
type Set string

// The environments there are.
const (
	// Newest has the daemon and SDK 4.19.0 and Python Chiltepin 0.1.7.
	Newest Set = "newest"
	// V415 has the daemon and SDK 4.15.0.
	V415 Set = "v415"
	// V46 has the daemon and SDK 4.6.0.
	V46 Set = "v46"
	// Chiltepin016 has Python Chiltepin 0.1.6 and the daemon 4.6 that it wants.
	Chiltepin016 Set = "chiltepin016"
	// UV has uv, which installs where there is one.
	UV Set = "uv"
	// MCP1 and MCP2 have the two lines of the Python SDK of MCP.
	MCP1 Set = "mcp1"
	MCP2 Set = "mcp2"
	// NodeJS has Node with npm; see [Node].
	NodeJS Set = "node"
	// API has the SDK without Python Chiltepin, pytest, mypy and pip.
	API Set = "api"
)

// PythonEnvironment is one that is complete. It is shared: a test installs nothing
// into it.
type PythonEnvironment struct {
	// Dir is its absolute path.
	Dir string
	// Python is its interpreter.
	Python string
}

// Bin returns the path of a program of the environment, such as
// "globus-compute-endpoint". Such a program starts others by their names, so a
// test that runs it puts the directory of Bin first in its PATH; see Path.
func (e PythonEnvironment) Bin(name string) string { return filepath.Join(e.Dir, "bin", name) }

// Path returns a value for PATH that finds the programs of the environment, and
// then those every machine has.
func (e PythonEnvironment) Path() string {
	return filepath.Join(e.Dir, "bin") + ":/usr/local/bin:/usr/bin:/bin"
}

// Long skips a test under go test -short: it needs a program that has to be
// installed or built, or takes minutes. Env and Node begin with it.
func Long(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("it is long, and this is go test -short")
	}
}

// Env returns the environment of a set, building it when this clone has none
// yet. Its failure ends the test and says what a person would do next.
func Env(t testing.TB, set Set) PythonEnvironment {
	t.Helper()
	Long(t)
	env, err := Build(t.Context(), set)
	if err != nil {
		for _, step := range next.Of(err) {
			t.Fatalf("%v\nnext: %s", err, step.Why)
		}
		t.Fatalf("%v\nnext: see that python3 is 3.10 to 3.13 with venv and that pip reaches a package registry, then run the test again", err)
	}
	return env
}

// Build is Env for programs that are not tests. The interpreter is the one the
// variable CHILTEPIN_TEST_PYTHON names, or the first that fits on PATH.
func Build(ctx context.Context, set Set) (PythonEnvironment, error) {
	env, err := build(ctx, set, os.Getenv("CHILTEPIN_TEST_PYTHON"), venv.LookPath(os.Getenv("PATH"), "uv"))
	if err != nil {
		return PythonEnvironment{}, fmt.Errorf("building the Python environment %q of the tests: %w", set, err)
	}
	return env, nil
}

// build builds a set on the interpreter named, the first that fits on PATH for
// "", with uv where that is a program.
func build(ctx context.Context, set Set, python, uv string) (PythonEnvironment, error) {
	root, err := moduleRoot()
	if err != nil {
		return PythonEnvironment{}, err
	}
	requirements := filepath.Join(root, "testdata", "python", string(set)+".txt")
	text, err := os.ReadFile(requirements)
	if err != nil {
		return PythonEnvironment{}, err
	}
	sum := sha256.Sum256(append(text, python...))
	dir := filepath.Join(root, "build", "python", string(set)+"-"+hex.EncodeToString(sum[:6]))
	env := PythonEnvironment{Dir: dir, Python: filepath.Join(dir, "bin", "python")}
	if complete(env) {
		return env, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return PythonEnvironment{}, err
	}
	lock := flock.New(dir + ".lock")
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return PythonEnvironment{}, fmt.Errorf("waiting for another process that builds it: %w", err)
	}
	defer lock.Unlock()
	if complete(env) {
		return env, nil
	}
	interpreter, err := venv.FindPython(ctx, python, os.Getenv("PATH"), os.Environ(), uv == "")
	if err != nil {
		return PythonEnvironment{}, err
	}
	err = venv.Create(ctx, venv.BuildOptions{Dir: dir, Requirements: requirements, Python: interpreter, UV: uv, Environ: os.Environ()})
	var failed *venv.CommandError
	if errors.As(err, &failed) {
		return PythonEnvironment{}, fmt.Errorf("%w\n\t%s", err, strings.Join(failed.Tail, "\n\t"))
	}
	if err != nil {
		return PythonEnvironment{}, err
	}
	return env, os.WriteFile(marker(env), []byte(interpreter.Version+"\n"), 0o600)
}

// marker is the file that the last step of a build writes.
func marker(e PythonEnvironment) string { return filepath.Join(e.Dir, ".complete") }

// complete says whether an environment was built to its end and still has the
// interpreter it was built on.
func complete(e PythonEnvironment) bool {
	if _, err := os.Stat(marker(e)); err != nil {
		return false
	}
	info, err := os.Stat(e.Python)
	return err == nil && info.Mode().IsRegular()
}

var module = regexp.MustCompile(`(?m)^module chiltepin$`)

// moduleRoot returns the top of the clone that the working directory is in: a
// test runs in the directory of its package.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && module.Match(text) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod of chiltepin at or above %s", start)
		}
	}
}
