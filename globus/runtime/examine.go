package runtime

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// examineProgram looks at the program at path. found is false when there is nothing.
func (f Finder) examineProgram(path, source string) (c Candidate, found bool) {
	c = Candidate{Runtime: Runtime{Path: path, Bin: filepath.Dir(path), Source: source}}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return c, false
	}
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		c.Broken = "it is a link to a file that is gone"
		return c, true
	}
	if err == nil {
		c.Broken, err = f.examineFile(&c, real)
	}
	if err != nil {
		c.Broken = err.Error()
	}
	return c, true
}

// examineFile fills in what the file real, which path leads to, says. It returns why
// the program cannot work, or the error that kept it from knowing.
func (f Finder) examineFile(c *Candidate, real string) (broken string, err error) {
	info, err := os.Stat(real)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "it is not a file", nil
	case unix.Access(real, unix.X_OK) != nil || info.Mode()&0o111 == 0:
		return "it is not executable", nil
	}
	s, err := readScript(real)
	if errors.Is(err, fs.ErrPermission) {
		return "", nil // a program need not be readable to be started
	}
	if err != nil {
		return "", err
	}
	if s.pyenv != "" {
		return f.followShim(c, s.pyenv)
	}
	if s.interpreter == "" {
		return "", nil
	}
	interpreter := s.resolveInterpreter(f.PathEnv)
	switch {
	case interpreter == "" && s.lookup:
		return fmt.Sprintf("its interpreter, %s, is not on PATH", s.interpreter), nil
	case interpreter == "":
		return fmt.Sprintf("its interpreter, %s, is gone or not executable", s.interpreter), nil
	case !s.isPython():
		return "", nil
	}
	// The programs it starts by name are beside the file, not beside a link to it.
	c.Python = interpreter
	if source := c.Source; source != Installed {
		c.Bin = filepath.Dir(real)
	}
	place := findPythonPrefix(real, interpreter)
	c.Version = place.daemonVersion()
	return place.brokenReason(), nil
}

// followShim follows a pyenv shim to the program it would start. A .python-version of
// the working directory is not looked at: where a command is typed must not
// choose the runtime.
func (f Finder) followShim(c *Candidate, root string) (broken string, err error) {
	selected := ""
	for _, v := range f.Environ {
		if value, found := strings.CutPrefix(v, "PYENV_VERSION="); found {
			selected = value
		}
	}
	from := "PYENV_VERSION"
	if selected == "" {
		from = filepath.Join(root, "version")
		text, err := os.ReadFile(from)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		selected = string(text)
	}
	versions := strings.FieldsFunc(selected, func(r rune) bool { return strings.ContainsRune(": \t\r\n", r) })
	for _, version := range versions {
		if strings.Contains(version, "/") || version == ".." {
			continue
		}
		dir := filepath.Join(root, "versions", version)
		if _, err := os.Stat(dir); err != nil {
			c.Note = "it is a pyenv shim; pyenv chooses the program when it starts"
			return "", nil // a prefix such as "3.12", or "system": pyenv knows
		}
		behind, found := f.examineProgram(filepath.Join(dir, "bin", Program), c.Source)
		if !found {
			continue
		}
		note := fmt.Sprintf("the shim %s leads to it", c.Path)
		*c = behind
		c.Note = note
		return behind.Broken, nil
	}
	if len(versions) == 0 {
		c.Note = "it is a pyenv shim; pyenv chooses the program when it starts"
		return "", nil
	}
	return fmt.Sprintf("it is a shim of pyenv, and the version that %s selects (%s) has no %s", from, strings.Join(versions, ", "), Program), nil
}
