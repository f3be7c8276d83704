package runtime

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A place is where the packages of a program are, as far as that shows in names
// of files.
type pythonPrefix struct {
	// minor is the version of the interpreter, "3.12", or "" when its name does
	// not say.
	minor string
	// venv is the virtual environment, or "".
	venv string
	// prefixes are the directories that have lib/pythonX.Y below them.
	prefixes []string
}

var minorName = regexp.MustCompile(`^python(3\.\d+)$`)

// findPythonPrefix returns the place of a script and its interpreter.
func findPythonPrefix(program, interpreter string) pythonPrefix {
	var p pythonPrefix
	prefix := filepath.Dir(filepath.Dir(interpreter))
	real, err := filepath.EvalSymlinks(interpreter)
	if err != nil {
		real = interpreter
	}
	if m := minorName.FindStringSubmatch(filepath.Base(real)); m != nil {
		p.minor = m[1]
	}
	if _, err := os.Stat(filepath.Join(prefix, "pyvenv.cfg")); err == nil {
		p.venv = prefix
		p.prefixes = []string{prefix}
		return p
	}
	// The first is that of "pip install --user", whose scripts are in
	// ~/.local/bin and whose interpreter is the system's.
	for _, dir := range []string{filepath.Dir(filepath.Dir(program)), prefix, filepath.Dir(filepath.Dir(real))} {
		if !slices.Contains(p.prefixes, dir) {
			p.prefixes = append(p.prefixes, dir)
		}
	}
	return p
}

// sitePackages returns the directories of packages under prefix for one minor version,
// or for all with "*".
func sitePackages(prefix, minor string) []string {
	var dirs []string
	for _, form := range []string{"lib/python%s/site-packages", "lib64/python%s/site-packages", "lib/python%s/dist-packages", "local/lib/python%s/dist-packages"} {
		found, _ := filepath.Glob(filepath.Join(escapeGlob(prefix), fmt.Sprintf(form, minor)))
		dirs = append(dirs, found...)
	}
	return append(dirs, filepath.Join(prefix, "lib/python3/dist-packages")) // Debian's own packages
}

// escapeGlob makes a path safe inside a pattern of Glob.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// daemonVersion returns the release of the daemon that is installed there, or "" when
// none or more than one is found.
func (p pythonPrefix) daemonVersion() string {
	minor := p.minor
	if minor == "" {
		minor = "*"
	}
	for _, prefix := range p.prefixes {
		var found []string
		for _, dir := range sitePackages(prefix, minor) {
			entries, err := os.ReadDir(dir)
			if err != nil {
				continue
			}
			for _, e := range entries {
				if v := parseDistVersion(e); v != "" && !slices.Contains(found, v) {
					found = append(found, v)
				}
			}
		}
		if len(found) == 1 {
			return found[0]
		}
		if len(found) > 1 {
			return ""
		}
	}
	return ""
}

// distInfo is the name of the directory that an installer leaves, of which the
// packaging rules fix the form: name with underscores, release.
var distInfo = regexp.MustCompile(`^globus[_.-]compute[_.-]endpoint-([0-9][0-9A-Za-z.+!]*?)(?:-py3(?:\.\d+)?)?\.(?:dist|egg)-info$`)

func parseDistVersion(e fs.DirEntry) string {
	if m := distInfo.FindStringSubmatch(e.Name()); m != nil {
		return m[1]
	}
	return ""
}

// brokenReason says why the packages cannot be found by the interpreter, or "". It
// happens when an upgrade of the system puts another Python behind the name that
// an environment links to.
func (p pythonPrefix) brokenReason() string {
	if p.venv == "" || p.minor == "" {
		return ""
	}
	if _, err := os.Stat(filepath.Join(p.venv, "lib", "python"+p.minor)); err == nil {
		return ""
	}
	others, _ := filepath.Glob(filepath.Join(escapeGlob(p.venv), "lib", "python3.*"))
	if len(others) == 0 {
		return ""
	}
	return fmt.Sprintf("its interpreter is now Python %s, and its packages are for %s", p.minor, strings.TrimPrefix(filepath.Base(others[0]), "python"))
}
