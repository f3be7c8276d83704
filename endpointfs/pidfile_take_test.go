package endpointfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// namesIn lists what is in the endpoint's directory.
func namesIn(t *testing.T, ep *Endpoint) string {
	t.Helper()
	entries, err := os.ReadDir(ep.Path())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), takenPIDFile) {
			names = append(names, "taken")
			continue
		}
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestTakePIDFile(t *testing.T) {
	t.Parallel()
	ep := tree(t, map[string]string{"mesa/daemon.pid": "17\n"}).endpointAt("mesa")
	take := func() TakenPIDFile {
		t.Helper()
		taken, err := ep.TakePIDFile()
		if f, readErr := taken.Read(); err != nil || readErr != nil || f.PID != 17 || namesIn(t, ep) != "taken" {
			t.Fatal(err, f, readErr, namesIn(t, ep))
		}
		return taken
	}
	taken := take()
	if _, err := ep.TakePIDFile(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is none to take: %v", err)
	}
	for range 2 { // the second time it is gone
		if err := taken.PutBack(); err != nil || namesIn(t, ep) != "daemon.pid" {
			t.Errorf("put back: %v, %s", err, namesIn(t, ep))
		}
	}
	if err := take().Remove(); err != nil || namesIn(t, ep) != "" {
		t.Errorf("removed: %v, %s", err, namesIn(t, ep))
	}
}

// TestRestorePIDFile is after an operation that was killed with the file taken.
func TestRestorePIDFile(t *testing.T) {
	t.Parallel()
	ep := tree(t, map[string]string{"mesa/daemon.pid": "17\n"}).endpointAt("mesa")
	if err := ep.RestorePIDFile(); err != nil {
		t.Error(err)
	}
	if _, err := ep.TakePIDFile(); err != nil {
		t.Fatal(err)
	}
	if err := ep.RestorePIDFile(); err != nil || namesIn(t, ep) != "daemon.pid" {
		t.Errorf("%v, %s", err, namesIn(t, ep))
	}
	if _, err := ep.TakePIDFile(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ep.filePath(pidFile), []byte("18\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := PIDFile{}, ep.RestorePIDFile()
	if f, _ = ep.PIDFile(); err != nil || f.PID != 18 || namesIn(t, ep) != "daemon.pid" {
		t.Errorf("another daemon has started: %v, %+v, %s", err, f, namesIn(t, ep))
	}
	if err := tree(t, nil).endpointAt("mesa").RestorePIDFile(); err != nil {
		t.Errorf("no directory: %v", err)
	}
}

func TestRemovePIDFile(t *testing.T) {
	t.Parallel()
	ep := tree(t, map[string]string{"mesa/": ""}).endpointAt("mesa")
	if err := ep.RemovePIDFile(time.Now()); err != nil {
		t.Errorf("none: %v", err)
	}
	if err := os.WriteFile(ep.filePath(pidFile), []byte("17\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := ep.PIDFile()
	if err != nil {
		t.Fatal(err)
	}
	if err := ep.RemovePIDFile(f.ModTime.Add(time.Second)); err == nil || namesIn(t, ep) != "daemon.pid" {
		t.Errorf("touched since: %v, %s", err, namesIn(t, ep))
	}
	if err := ep.RemovePIDFile(time.Time{}); err == nil || namesIn(t, ep) != "daemon.pid" {
		t.Errorf("never read: %v, %s", err, namesIn(t, ep))
	}
	if err := ep.RemovePIDFile(f.ModTime); err != nil || namesIn(t, ep) != "" {
		t.Errorf("as it was seen: %v, %s", err, namesIn(t, ep))
	}
}

func TestRemoveIrregularPIDFile(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		make func(string) error
		left string
	}{
		"nothing":     {func(string) error { return nil }, ""},
		"a file":      {func(p string) error { return os.WriteFile(p, nil, 0o600) }, pidFile},
		"a directory": {func(p string) error { return os.Mkdir(p, 0o700) }, pidFile},
		"a pipe":      {func(p string) error { return syscall.Mkfifo(p, 0o600) }, ""},
		"a link":      {func(p string) error { return os.Symlink("/dev/zero", p) }, ""},
	} {
		ep := tree(t, map[string]string{"mesa/": ""}).endpointAt("mesa")
		if err := c.make(ep.filePath(pidFile)); err != nil {
			t.Fatal(err)
		}
		if err := ep.RemoveIrregularPIDFile(); err != nil || namesIn(t, ep) != c.left {
			t.Errorf("%s: %v, %q is left, want %q", what, err, namesIn(t, ep), c.left)
		}
	}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	ep := tree(t, map[string]string{
		"mesa/config.yaml": "debug: true\n",
		"mesa/large":       strings.Repeat("x", 101),
		"mesa/inside":      "->config.yaml",
		"mesa/outside":     "->../secret",
		"mesa/device":      "->/dev/zero",
		"mesa/folder/":     "",
		"secret":           "s",
	}).endpointAt("mesa")
	if err := syscall.Mkfifo(ep.filePath("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"config.yaml":     "debug: true\n",
		"inside":          "debug: true\n",
		"large":           "*regular.FormatError",
		"folder":          "*regular.FormatError",
		"pipe":            "*regular.FormatError",
		"absent":          "not there",
		"outside":         "path escapes from parent",
		"device":          "path escapes from parent",
		"../secret":       "is not the name of a file in its directory",
		"folder/../large": "is not the name of a file in its directory",
		"":                "is not the name of a file in its directory",
	} {
		text, err := ep.ReadFile(name, 100)
		var format *FormatError
		switch {
		case errors.As(err, &format):
			text = "*regular.FormatError"
			if format.File != filepath.Join(ep.Path(), name) {
				t.Errorf("%s: the error is about %s", name, format.File)
			}
		case errors.Is(err, fs.ErrNotExist):
			text = "not there"
		case err != nil:
			text = err.Error()
		}
		if !strings.Contains(text, want) || want == "" && text != "" {
			t.Errorf("%q: %q, want %q", name, text, want)
		}
	}
}
