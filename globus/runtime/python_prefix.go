package runtime

import (
	"fmt"
	"os"
	"path/filepath"
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

// findPythonPrefix returns the place of a script and its interpreter.
func findPythonPrefix(program, interpreter string) pythonPrefix {
	var p pythonPrefix
	prefix := filepath.Dir(filepath.Dir(interpreter))
	real, err := filepath.EvalSymlinks(interpreter)
	if err != nil {
		real = interpreter
	}
	if minor, ok := strings.CutPrefix(filepath.Base(real), "python"); ok && isMinorVersion(minor) {
		p.minor = minor
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

// isMinorVersion is true of "3.12" and its like.
func isMinorVersion(s string) bool {
	digits, ok := strings.CutPrefix(s, "3.")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
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
