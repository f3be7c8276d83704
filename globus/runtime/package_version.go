package runtime

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// PackageVersion returns the release of a Python package, "2026.10.26", in the
// environment that the program at path runs in, as names of files show it; ""
// where that cannot be told. It starts no program. pathEnv is for a program
// whose interpreter is to be looked for.
func PackageVersion(path, name, pathEnv string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	s, err := readScript(real)
	if err != nil || !s.isPython() {
		return ""
	}
	interpreter := s.resolveInterpreter(pathEnv)
	if interpreter == "" {
		return ""
	}
	return findPythonPrefix(real, interpreter).packageVersion(name)
}

// packageVersion looks for the directory that an installer leaves: name with
// underscores, release.
func (p pythonPrefix) packageVersion(name string) string {
	form := regexp.MustCompile(`(?i)^` + strings.ReplaceAll(regexp.QuoteMeta(name), "-", "[_.-]") + `-([0-9][0-9A-Za-z.+!]*?)(?:-py3(?:\.\d+)?)?\.(?:dist|egg)-info$`)
	minor := p.minor
	if minor == "" {
		minor = "*"
	}
	for _, prefix := range p.prefixes {
		for _, dir := range sitePackages(prefix, minor) {
			entries, err := os.ReadDir(dir)
			if err != nil {
				continue
			}
			for _, e := range entries {
				if m := form.FindStringSubmatch(e.Name()); m != nil {
					return m[1]
				}
			}
		}
	}
	return ""
}
