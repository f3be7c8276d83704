package chiltepin_test

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// namesakes are the exported types that share their name with one of another
// package, each with why: they are the same thing on two floors.
var namesakes = map[string]string{
	"Account":         mirrored,
	"Error":           eachPackages,
	"Evidence":        mirrored,
	"FormatError":     aliased,
	"Identity":        mirrored,
	"Manager":         eachPackages,
	"NoPythonError":   aliased,
	"Options":         eachPackages,
	"PIDFileEvidence": mirrored,
	"ProcessEvidence": mirrored,
	"ProgramView":     mirrored,
	"ServiceAccount":  mirrored,
	"ServiceView":     mirrored,
	"TokenRemoval":    mirrored,
	"Trouble":         mirrored,
	"UserEndpoint":    mirrored,
}

// eachPackages is why the word is used for what every such package has, and is
// only ever read behind the name of the package: mcp.Options.
const eachPackages = "each package's own, read with the package's name"

// aliased is why a type of an internal package has its name twice.
const aliased = "the exported name of a type of an internal package, by an alias"

// mirrored is why the catalogue's result types are called what they are.
const mirrored = "the catalogue's form of the thing below it, whose field names are wire contract"

// TestTypesHaveNamesOfTheirOwn fails on two exported types of one name in
// different packages, unless they are the same thing: a reader who has met one
// of them would take the other for it.
func TestTypesHaveNamesOfTheirOwn(t *testing.T) {
	where := map[string][]string{}
	eachFile(t, func(path string, file *ast.File) {
		for _, d := range file.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE {
				continue
			}
			for _, s := range decl.Specs {
				name := s.(*ast.TypeSpec).Name.Name
				if dir := filepath.ToSlash(filepath.Dir(path)); ast.IsExported(name) && !slices.Contains(where[name], dir) {
					where[name] = append(where[name], dir)
				}
			}
		}
	})
	if len(where) < 50 {
		t.Fatalf("only %d types were seen", len(where))
	}
	for name, dirs := range where {
		if _, ok := namesakes[name]; len(dirs) > 1 && !ok {
			t.Errorf("%s is a type of %s: rename the one that the other is not, or say here why they are the same thing", name, strings.Join(dirs, " and "))
		}
	}
	for name, reason := range namesakes {
		if len(where[name]) < 2 {
			t.Errorf("%s (%s) is no longer a type of two packages", name, reason)
		}
	}
}
