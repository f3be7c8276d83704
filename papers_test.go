package chiltepin_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"chiltepin/tools"
)

// papers are the pages that a reader of the tree begins with.
func papers() []string {
	return []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"}
}

// TestPapersNameWhatIsThere fails on a paper that names a package, a file, a
// target of make, an operation or another paper that does not exist.
func TestPapersNameWhatIsThere(t *testing.T) {
	var (
		quoted  = regexp.MustCompile("`([^`\n]+)`")
		link    = regexp.MustCompile(`\]\(([^)#:]+)\)`)
		inTree  = regexp.MustCompile(`^(clients|cmd|docs|editors|endpointfs|examples|globus|server|testdata|tools|\.ci)(/[\w.-]+)*$|^[\w]+\.(go|md|mod)$|^Makefile$`)
		targets = makeTargets(t)
		byName  = tools.All(tools.Services{})
	)
	for _, paper := range papers() {
		text := readFile(t, paper)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s links to %s: %v", paper, m[1], err)
			}
		}
		if paper == "README.md" {
			continue // what it quotes is for users, and held by the stories
		}
		seen := 0
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			word := m[1]
			switch target, isMake := strings.CutPrefix(word, "make "); {
			case isMake && !slices.Contains(targets, target):
				t.Errorf("%s names %q, which the Makefile does not have", paper, word)
			case regexp.MustCompile(`^endpoint\.[a-z]+$`).MatchString(word) && word != "endpoint.rename" && byName.Lookup(word) == nil:
				t.Errorf("%s names the operation %s, which there is not", paper, word)
			case inTree.MatchString(word) && !strings.Contains(word, "rename"):
				if _, err := os.Stat(word); err != nil {
					t.Errorf("%s names %s: %v", paper, word, err)
				}
			default:
				continue
			}
			seen++
		}
		if seen < 3 {
			t.Errorf("only %d names of %s were looked at", seen, paper)
		}
	}
}

// TestArchitectureNamesEveryPackage fails on a package that the reader of
// ARCHITECTURE.md is not told of.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	text := readFile(t, "ARCHITECTURE.md")
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, "chiltepin/")
		if name != p.ImportPath && !strings.Contains(text, "`"+name+"`") {
			t.Errorf("ARCHITECTURE.md does not name %s", name)
		}
	}
}

// TestPapersAreLinked fails when the README does not lead to the other papers.
func TestPapersAreLinked(t *testing.T) {
	readme := readFile(t, "README.md")
	for _, paper := range papers()[1:] {
		if !strings.Contains(readme, "]("+paper+")") {
			t.Errorf("README.md does not link %s", path.Base(paper))
		}
	}
}

// makeTargets are those that make help lists.
func makeTargets(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):.*## `).FindAllStringSubmatch(readFile(t, "Makefile"), -1) {
		names = append(names, m[1])
	}
	if len(names) < 10 {
		t.Fatalf("only the targets %q were found", names)
	}
	return names
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
