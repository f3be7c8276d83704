package runtime

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
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

// daemonVersion returns the release of the daemon that is installed there, or ""
// when none or more than one is found.
func (p pythonPrefix) daemonVersion() string {
	for _, prefix := range p.prefixes {
		switch found := p.packageVersions(prefix, Program); len(found) {
		case 0:
		case 1:
			return found[0]
		default:
			return ""
		}
	}
	return ""
}

// packageVersion returns the release of a package that is installed there, the
// first where there are several, or "".
func (p pythonPrefix) packageVersion(name string) string {
	for _, prefix := range p.prefixes {
		if found := p.packageVersions(prefix, name); len(found) > 0 {
			return found[0]
		}
	}
	return ""
}

// packageVersions returns the releases of a package below one prefix.
func (p pythonPrefix) packageVersions(prefix, name string) []string {
	minor := p.minor
	if minor == "" {
		minor = "*"
	}
	var found []string
	for _, dir := range sitePackages(prefix, minor) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if v := parseDistInfo(e.Name(), name); v != "" && !slices.Contains(found, v) {
				found = append(found, v)
			}
		}
	}
	return found
}

// parseDistInfo returns the release in the name of the directory that an
// installer leaves for a package, of which the packaging rules fix the form:
// the name of the package with _, . or - between its words, whatever the case,
// a hyphen, the release, and in an .egg-info perhaps the Python it is for. It is
// "" for any other directory.
func parseDistInfo(directory, name string) string {
	stem, ok := strings.CutSuffix(directory, ".dist-info")
	if !ok {
		stem, ok = strings.CutSuffix(directory, ".egg-info")
	}
	if !ok || len(stem) <= len(name)+1 || stem[len(name)] != '-' {
		return ""
	}
	for i := range len(name) {
		if same := strings.EqualFold(stem[i:i+1], name[i:i+1]); !same && (name[i] != '-' || stem[i] != '_' && stem[i] != '.') {
			return ""
		}
	}
	version, tag, tagged := strings.Cut(stem[len(name)+1:], "-")
	if python, ok := strings.CutPrefix(tag, "py"); tagged && (!ok || python != "3" && !isMinorVersion(python)) {
		return ""
	}
	isOther := func(r rune) bool {
		return r >= 0x80 || !unicode.IsDigit(r) && !unicode.IsLetter(r) && !strings.ContainsRune(".+!", r)
	}
	if version == "" || version[0] < '0' || version[0] > '9' || strings.ContainsFunc(version, isOther) {
		return ""
	}
	return version
}
