// Package chiltepin_test keeps the rules of the house that hold for the whole
// tree: which package may know which, where the world comes in, and that
// every package says what it is for.
package chiltepin_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type pkg struct {
	ImportPath string
	Name       string
	Dir        string
	Imports    []string
	Deps       []string
	GoFiles    []string
}

// list returns every package of the module as the go command sees it.
func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Name,Dir,Imports,Deps,GoFiles", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
	return all
}

// matches says whether an import path is the named package, or below it where
// the name ends in "/...".
func matches(path, name string) bool {
	if root, ok := strings.CutSuffix(name, "/..."); ok {
		return path == root || strings.HasPrefix(path, root+"/")
	}
	return path == name
}

// TestArrows fails on an import that points up, and on a rule that names a
// package which no longer exists.
func TestArrows(t *testing.T) {
	const (
		mcp, jsonrpc   = "github.com/mark3labs/mcp-go/...", "github.com/sourcegraph/jsonrpc2/..."
		sqlite, oauth2 = "modernc.org/sqlite/...", "golang.org/x/oauth2/..."
	)
	rules := []struct {
		from, to []string
		// deep also forbids reaching it through another package.
		deep bool
		// except are packages of from that the rule does not hold for.
		except []string
		why    string
	}{
		{from: []string{"chiltepin/endpointfs/..."}, to: []string{"net/http", "os/exec", "chiltepin/globus/..."}, deep: true, why: "it is file names and formats"},
		{from: []string{"chiltepin/globus/..."}, to: []string{"chiltepin/tools/...", "chiltepin/server/...", "chiltepin/cmd/...", mcp, jsonrpc}, deep: true, why: "services do not know how they are shown"},
		{from: []string{"chiltepin/globus/process"}, to: []string{"chiltepin/..."}, deep: true, why: "it is facts of the machine"},
		{from: []string{"chiltepin/globus/compute"}, to: []string{"chiltepin/globus/auth", "chiltepin/globus/tokenstore"}, deep: true, why: "it takes an *http.Client; who signs is not its affair"},
		{from: []string{"chiltepin/globus/tokenstore"}, to: []string{"net/http"}, deep: true, why: "a store never dials"},
		{from: []string{"chiltepin/globus/next"}, to: []string{"chiltepin/..."}, deep: true, why: "every floor says with it what to do"},
		{from: []string{"chiltepin/tools/operation/..."}, to: []string{"chiltepin/globus/...", "chiltepin/endpointfs/...", sqlite, oauth2, "os/exec"}, deep: true, why: "the servers stand on it"},
		{from: []string{"chiltepin/tools/..."}, to: []string{"chiltepin/server/...", "chiltepin/cmd/...", mcp, jsonrpc, "os/exec"}, why: "the catalogue knows neither its faces nor the machine"},
		{from: []string{"chiltepin/server/..."}, to: []string{"chiltepin/globus/...", "chiltepin/endpointfs/...", "chiltepin/cmd/...", "chiltepin/tools", sqlite, oauth2, "os/exec"}, deep: true, why: "faces know the framework only"},
		{from: []string{"chiltepin/server/mcp"}, to: []string{"chiltepin/server/rpc"}, deep: true, why: "two dialects"},
		{from: []string{"chiltepin/server/jsonrpc", "chiltepin/server/stdio"}, to: []string{"chiltepin/tools/..."}, deep: true, why: "the core knows no operation"},
		{from: []string{"chiltepin/server/...", "chiltepin/cmd/chiltepin/..."}, to: []string{"github.com/mark3labs/mcp-go/server", "github.com/santhosh-tekuri/jsonschema/..."}, deep: true, why: "it compiles every JSON Schema draft when a program starts"},
		{from: []string{"chiltepin/server/rpc"}, to: []string{"chiltepin/server/mcp"}, deep: true, why: "two dialects"},
		{from: []string{"chiltepin/globus/sandbox/amqp"}, to: []string{"chiltepin/...", "net", "net/http", "os/exec"}, deep: true, why: "it is bytes"},
		{from: []string{"chiltepin/globus/sandbox/broker"}, to: []string{"chiltepin/globus/sandbox", "net/http", "os/exec"}, deep: true, why: "a broker knows no service"},
		{from: []string{"chiltepin/..."}, except: []string{"chiltepin/globus/sandbox/...", "chiltepin/cmd/globus-sandbox"}, to: []string{"chiltepin/globus/sandbox/..."}, deep: true, why: "a stand-in never ships inside the product"},
	}
	all := list(t)
	exists := func(name string) bool {
		return !strings.HasPrefix(name, "chiltepin/") ||
			slices.ContainsFunc(all, func(p pkg) bool { return matches(p.ImportPath, name) })
	}
	for _, r := range rules {
		for _, name := range slices.Concat(r.from, r.to, r.except) {
			if !exists(name) {
				t.Errorf("a rule names %s, which matches no package", name)
			}
		}
		for _, p := range all {
			if !slices.ContainsFunc(r.from, func(f string) bool { return matches(p.ImportPath, f) }) ||
				slices.ContainsFunc(r.except, func(f string) bool { return matches(p.ImportPath, f) }) {
				continue
			}
			reach := p.Imports
			if r.deep {
				reach = p.Deps
			}
			for _, dep := range reach {
				if slices.ContainsFunc(r.to, func(to string) bool { return matches(dep, to) }) {
					t.Errorf("%s must not reach %s: %s", p.ImportPath, dep, r.why)
				}
			}
		}
	}
}

// TestWorldEntersInOnePlace fails on a package outside cmd that touches the
// process: its streams, arguments, environment or end.
func TestWorldEntersInOnePlace(t *testing.T) {
	forbidden := map[string][]string{
		"os":  {"Stdin", "Stdout", "Stderr", "Args", "Getenv", "LookupEnv", "Environ", "Setenv", "Exit", "UserHomeDir"},
		"fmt": {"Print", "Printf", "Println"},
	}
	eachFile(t, func(path string, file *ast.File) {
		// Test helpers are run by tests, where the process is the test's.
		if file.Name.Name == "main" || strings.HasPrefix(path, "cmd/") || strings.Contains(path, "test/") {
			return
		}
		for _, imp := range file.Imports {
			if imp.Path.Value == `"log"` {
				t.Errorf("%s imports log", path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(forbidden[x.Name], sel.Sel.Name) {
					t.Errorf("%s uses %s.%s", path, x.Name, sel.Sel.Name)
				}
			}
			return true
		})
	})
}

// TestPackageComments fails on a package that does not say what it is for, or
// says it twice.
func TestPackageComments(t *testing.T) {
	count := map[string]int{}
	eachFile(t, func(path string, file *ast.File) {
		dir := filepath.Dir(path)
		count[dir] += 0
		if file.Doc != nil {
			count[dir]++
		}
	})
	for dir, n := range count {
		if n != 1 {
			t.Errorf("%s has %d package comments, want 1", dir, n)
		}
	}
}

// TestModule fails on a replace directive: what is built must be what is
// pinned, and a replacement does not survive go install or a dependent.
func TestModule(t *testing.T) {
	for line := range strings.Lines(readFile(t, "go.mod")) {
		if strings.HasPrefix(line, "replace ") {
			t.Errorf("go.mod: %s", line)
		}
	}
}

// eachFile parses every Go file of the tree that is not a test.
func eachFile(t *testing.T, visit func(path string, file *ast.File)) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "build" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		seen++
		visit(filepath.ToSlash(path), file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 10 {
		t.Fatalf("only %d files were looked at", seen)
	}
}
