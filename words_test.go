package chiltepin_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"chiltepin/tools"
)

// exceptions are the strings below the catalogue that may look like a flag:
// they are words of other programs, which chiltepin speaks to or writes for.
var exceptions = []struct {
	packages string
	text     *regexp.Regexp
	reason   string
}{
	{"globus/pool/...", regexp.MustCompile(`^(#!/bin/bash\n\n)?#SBATCH `), "the lines of a job script, as Parsl writes them for sbatch"},
	{"globus/runtime/internal/venv", regexp.MustCompile(`^--[a-z-]+$`), "the arguments of pip and uv"},
	{"globus/daemon", regexp.MustCompile(`^--[a-z-]+=$`), "the arguments of the daemon's program"},
	{"globus/auth/...", regexp.MustCompile(`^:root\{`), "the variables of a style sheet"},
}

// TestWordsLeaveByOneDoor looks at every string below the catalogue: none
// names a command, a flag, a tool or a method of ours. What to do is said as
// data (package next), and each face words it in its own way.
func TestWordsLeaveByOneDoor(t *testing.T) {
	forbidden := faceWords()
	for _, sample := range []string{
		"run chiltepin endpoint start mesa", "chiltepin login", "chiltepin ", "chiltepin %s", "use --force", "--timeout=2m", "(--now)",
		"call endpoint_start", "endpoint/start", "see endpoint.start", "pool probe",
	} {
		if !forbidden.MatchString(sample) {
			t.Errorf("%q is let through", sample)
		}
	}
	for _, sample := range []string{
		"chiltepin is not here", "chiltepin: ", "an endpoint starts", "-- ", "a--b", "user endpoint/started", "endpoint_started", "endpoint.starting",
	} {
		if forbidden.MatchString(sample) {
			t.Errorf("%q is not let through", sample)
		}
	}
	used := make([]bool, len(exceptions))
	seen := eachString(t, func(path string, line int, text string) {
		if tools.All(tools.Services{}).Lookup(text) != nil {
			return // the wire name by itself is data
		}
		hit := forbidden.FindString(text)
		if hit == "" {
			return
		}
		for i, e := range exceptions {
			if matches(filepath.ToSlash(filepath.Dir(path)), e.packages) && e.text.MatchString(text) {
				used[i] = true
				return
			}
		}
		t.Errorf("%s:%d: %q in %.90q: say it as a next.Step", path, line, hit, text)
	})
	if seen < 1000 {
		t.Errorf("only %d strings were looked at", seen)
	}
	for i, e := range exceptions {
		if !used[i] {
			t.Errorf("the exception for %s (%s) lets nothing through any more", e.packages, e.reason)
		}
	}
}

// faceWords matches what only a face may say.
func faceWords() *regexp.Regexp {
	var first, spaced, joined []string
	for op := range tools.All(tools.Services{}).All() {
		words := strings.Split(op.Name, ".")
		if !slices.Contains(first, words[0]) {
			first = append(first, words[0])
		}
		if len(words) > 1 {
			spaced = append(spaced, strings.Join(words, " "))
			joined = append(joined, strings.Join(words, "[_/.]"))
		}
	}
	return regexp.MustCompile(strings.Join([]string{
		`(^|[^-\w./])chiltepin ($|%s|-|(` + strings.Join(append(first, "mcp", "rpc", "version", "help"), "|") + `)\b)`,
		`(^|[^-\w])--[a-z][-a-z]*`,
		`(^|[^-\w/.])(` + strings.Join(joined, "|") + `)\b`,
		`(^|[^-\w])(` + strings.Join(spaced, "|") + `)\b`,
	}, "|"))
}

// eachString visits every string literal of the product below the catalogue,
// and returns how many there are. Programs, the stand-in and the helpers of
// tests are not in it, nor are tags and the paths of imports.
func eachString(t *testing.T, visit func(path string, line int, text string)) int {
	t.Helper()
	seen := 0
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, "chiltepin/")
		if p.Name == "main" || strings.HasSuffix(name, "test") || matches(name, "globus/sandbox/...") ||
			!matches(name, "globus/...") && !matches(name, "endpointfs/...") {
			continue
		}
		for _, file := range p.GoFiles {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ImportSpec:
					return false
				case *ast.Field:
					if n.Tag != nil {
						n.Tag = nil
					}
				case *ast.BasicLit:
					if n.Kind != token.STRING {
						return true
					}
					text, err := strconv.Unquote(n.Value)
					if err != nil {
						t.Fatal(fmt.Errorf("%s: %w", fset.Position(n.Pos()), err))
					}
					seen++
					visit(name+"/"+file, fset.Position(n.Pos()).Line, text)
				}
				return true
			})
		}
	}
	return seen
}
