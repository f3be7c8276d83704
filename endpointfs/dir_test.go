package endpointfs

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

const (
	anID    = "6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11"
	otherID = "0c5a62d3-9d38-4d43-8d12-0a4f2e9cf6a1"
)

// tree makes files in a new directory; a name that ends in / is a directory,
// a content that begins with -> is a link.
func tree(t testing.TB, files map[string]string) *Dir {
	t.Helper()
	dir := Open(filepath.Join(t.TempDir(), "gc"))
	if err := os.Mkdir(dir.Path(), 0o700); err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(files)) // directories before what is in them
	for _, name := range names {
		content := files[name]
		path := filepath.Join(dir.Path(), name)
		var err error
		switch {
		case name[len(name)-1] == '/':
			err = os.MkdirAll(path, 0o700)
		case len(content) > 2 && content[:2] == "->":
			err = os.Symlink(content[2:], path)
		default:
			if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
				err = os.WriteFile(path, []byte(content), 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestEndpointsAreThoseWithAConfiguration(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"zebra/config.yaml":        "",
		"mesa/config.py":           "",
		"a name/config.yaml":       "", // configured by hand
		"outside":                  "->../elsewhere",
		"../elsewhere/config.yaml": "",
		"dead":                     "->nowhere",
		"file":                     "",
		"empty/":                   "",
		"backup/config.yaml.bak":   "",
		"notes/config.txt":         "",
		".hidden/config.yaml":      "",
		"config.yaml":              "",
		"storage.db":               "",
		"uep." + anID + "." + otherID + "/config.yaml": "",
		"uep.mine/config.yaml":                         "",
		".chiltepin/locks/config.lock":                 "",
	})
	all, err := dir.Endpoints()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, ep := range all {
		names = append(names, ep.Name())
	}
	if diff := cmp.Diff([]string{"a name", "mesa", "outside", "uep.mine", "zebra"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestEndpointsOfWhatIsNoDirectory(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"file": "x", "loop": "->loop"})
	if all, err := Open(filepath.Join(dir.Path(), "missing")).Endpoints(); len(all) != 0 || err != nil {
		t.Errorf("missing: %v, %v", all, err)
	}
	for _, name := range []string{"file", "loop"} {
		if _, err := Open(filepath.Join(dir.Path(), name)).Endpoints(); err == nil {
			t.Errorf("%s: it was taken for an empty directory", name)
		}
	}
}

// TestUnreadableIsNotEmpty looks as a user without privileges, whoever runs
// the test.
func TestUnreadableIsNotEmpty(t *testing.T) {
	dir := tree(t, map[string]string{"mesa/config.yaml": "", "mesa/endpoint.json": "x"})
	for path := dir.Path(); path != "/tmp" && path != "/"; path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil { // the temporary directory is the owner's
			break
		}
	}
	if err := os.Chmod(filepath.Join(dir.Path(), "mesa"), 0); err != nil {
		t.Fatal(err)
	}
	unprivileged(t, func() {
		all, err := dir.Endpoints()
		if err != nil || len(all) != 1 {
			t.Errorf("an endpoint that cannot be looked into is not in the list: %v, %v", all, err)
			return
		}
		if id, err := all[0].ID(); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("its id is %q, %v", id, err)
		}
	})
	if err := os.Chmod(dir.Path(), 0); err != nil {
		t.Fatal(err)
	}
	unprivileged(t, func() {
		if _, err := dir.Endpoints(); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a directory that cannot be read: %v", err)
		}
	})
	os.Chmod(dir.Path(), 0o700)
}

// unprivileged runs f on a thread that has no more rights to files than any
// user. The thread ends with it.
func unprivileged(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if os.Geteuid() == 0 {
			runtime.LockOSThread() // never unlocked: the thread goes with the goroutine
			unix.Setfsgid(65534)
			unix.Setfsuid(65534)
		}
		f()
	}()
	<-done
}

func TestEndpointByNameOrID(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"mesa/config.yaml":                            "",
		"mesa/endpoint.json":                          `{"endpoint_id": "` + anID + `"}`,
		"twin/config.yaml":                            "",
		"twin/endpoint.json":                          `{"endpoint_id": "` + otherID + `"}`,
		"twin2/config.yaml":                           "",
		"twin2/endpoint.json":                         `{"endpoint_id": "` + otherID + `"}`,
		"lost/daemon.pid":                             "1\n",
		"a name/config.yaml":                          "",
		"leftover/notes.txt":                          "",
		"../victim/config.yaml":                       "",
		"uep." + anID + "." + otherID + "/daemon.pid": "",
	})
	for _, c := range []struct{ ask, name string }{
		{"mesa", "mesa"},
		{anID, "mesa"},
		{"urn:uuid:6A1F0E3C9C2D4B6E8A500D0F5C9A7E11", "mesa"},
		{"lost", "lost"},
		{"a name", "a name"},
	} {
		ep, err := dir.Endpoint(c.ask)
		if err != nil || ep.Name() != c.name || ep.Path() != filepath.Join(dir.Path(), c.name) {
			t.Errorf("%q: %+v, %v", c.ask, ep, err)
		}
	}
	var notFound *NotFoundError
	for ask, leftover := range map[string]bool{"nobody": false, "leftover": true, "11111111-1111-1111-1111-111111111111": false, "uep." + anID + "." + otherID: true} {
		if _, err := dir.Endpoint(ask); !errors.As(err, &notFound) || !errors.Is(err, fs.ErrNotExist) || notFound.Leftover != leftover || (notFound.Next() == "") == leftover {
			t.Errorf("%q: %v", ask, err)
		}
	}
	var ambiguous *AmbiguousError
	if _, err := dir.Endpoint(otherID); !errors.As(err, &ambiguous) || cmp.Diff([]string{"twin", "twin2"}, ambiguous.Names) != "" {
		t.Errorf("%v", err)
	}
	var bad *NameError
	for _, ask := range []string{"", ".", "..", "../victim", dir.Path() + "/mesa", "mesa/", "mesa/../../victim", ".chiltepin", "mesa\x00", "a  b"} {
		if ep, err := dir.Endpoint(ask); !errors.As(err, &bad) || bad.Next() == "" {
			t.Errorf("%q: %+v, %v", ask, ep, err)
		}
	}
}

func TestDefaultDir(t *testing.T) {
	t.Parallel()
	if got := DefaultDir("/home/ada", func(string) string { return "" }); got != "/home/ada/.globus_compute" {
		t.Error(got)
	}
	if got := DefaultDir("/home/ada", func(name string) string { return "/scratch/" + name }); got != "/scratch/GLOBUS_COMPUTE_USER_DIR" {
		t.Error(got)
	}
}

func TestIsUUID(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		anID: true, strings.ToUpper(anID): true, "": false, "mesa": false,
		strings.ReplaceAll(anID, "-", ""):      false, // Python takes it, the service does not send it
		"{" + anID + "}":                       false,
		"6a1f0e3c9c2d4b6e8a500d0f5c9a7e11----": false,
		anID[:35] + "x":                        false,
	} {
		if IsUUID(s) != want {
			t.Errorf("%q: %v, want %v", s, !want, want)
		}
	}
}
