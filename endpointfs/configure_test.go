package endpointfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"chiltepin/endpointfs/log"
)

func TestConfigureWritesFourFiles(t *testing.T) {
	t.Parallel()
	dir := Open(filepath.Join(t.TempDir(), "not", "there"))
	ep, err := dir.Configure("mesa", NewEndpoint{Email: "ada@example.org", Path: "/opt/gce/bin:/usr/bin"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"config.yaml": "display_name: mesa\ndebug: true\nemail: \"ada@example.org\"\n"}
	got := map[string]string{}
	for name := range want {
		got[name] = read(t, filepath.Join(ep.Path(), name))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	names := map[string]fs.FileMode{}
	for _, path := range []string{dir.Path(), ep.Path()} {
		entries, err := os.ReadDir(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, _ := e.Info()
			names[e.Name()] = info.Mode().Perm()
		}
	}
	if diff := cmp.Diff(map[string]fs.FileMode{
		".chiltepin": 0o700, "mesa": 0o700, "config.yaml": 0o600, "user_config_template.yaml.j2": 0o600,
		"user_config_schema.json": 0o600, "user_environment.yaml": 0o600,
	}, names); diff != "" {
		t.Error(diff)
	}
}

func TestConfigureRefusesTakenName(t *testing.T) {
	t.Parallel()
	for what, make := range map[string]func(string) error{
		"directory": func(p string) error { return os.Mkdir(p, 0o700) },
		"file":      func(p string) error { return os.WriteFile(p, []byte("x"), 0o600) },
		"dead link": func(p string) error { return os.Symlink("nowhere", p) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := Open(t.TempDir())
			path := filepath.Join(dir.Path(), "mesa")
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			_, err := dir.Configure("mesa", NewEndpoint{})
			var exists *ExistsError
			if !errors.As(err, &exists) || !errors.Is(err, fs.ErrExist) {
				t.Fatalf("got %v, want an *ExistsError", err)
			}
			after, err := os.Lstat(path)
			if err != nil || !os.SameFile(before, after) || after.Mode() != before.Mode() {
				t.Errorf("what was there was touched: %v", err)
			}
		})
	}
}

// TestModesWhateverTheUmask makes everything that we make under umasks that
// people have by mistake.
func TestModesWhateverTheUmask(t *testing.T) {
	t.Parallel()
	for _, umask := range []string{"umask 000", "umask 777"} {
		dir := Open(filepath.Join(t.TempDir(), "a", "b"))
		if _, out := child(t, umask, dir.Path()); !out.Scan() || out.Text() != "done" {
			t.Fatal(umask, out.Text())
		}
		seen := 0
		err := filepath.WalkDir(filepath.Dir(dir.Path()), func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			seen++
			info, err := e.Info()
			want := fs.FileMode(0o600)
			if e.IsDir() {
				want = 0o700
			}
			if err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %s is %v, want %v", umask, path, info.Mode(), want)
			}
			return nil
		})
		if err != nil || seen != 11 {
			t.Errorf("%s: %d files, %v", umask, seen, err)
		}
	}
}

func TestConfigureRefusesOptions(t *testing.T) {
	t.Parallel()
	dir := Open(filepath.Join(t.TempDir(), "gc"))
	var bad *OptionError
	for _, o := range []NewEndpoint{
		{Email: "ada"}, {Email: "@example.org"}, {Email: "ada@"}, {Email: "a b@example.org"}, {Email: "a@b\ndebug: false"},
		{DisplayName: "  "}, {DisplayName: "a\x1b[31m"}, {DisplayName: "\xff"}, {Path: "/bin\n/usr/bin"},
	} {
		if _, err := dir.Configure("mesa", o); !errors.As(err, &bad) || bad.Next() == "" || !strings.Contains(err.Error(), bad.Option) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	var name *NameError
	for _, n := range []string{"", "../x", "a b", anID} {
		if _, err := dir.Configure(n, NewEndpoint{}); !errors.As(err, &name) {
			t.Errorf("%q: %v", n, err)
		}
	}
	if _, err := os.Stat(dir.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a refusal left %s behind: %v", dir.Path(), err)
	}
}

func TestConfigureText(t *testing.T) {
	t.Parallel()
	ep, err := Open(t.TempDir()).Configure("mesa", NewEndpoint{DisplayName: "Größe: \"x\"", Path: "/opt/a b/bin:/usr/bin"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := read(t, ep.filePath(configYAML)), "display_name: \"Größe: \\\"x\\\"\"\ndebug: true\n"; got != want {
		t.Errorf("config.yaml is %q, want %q", got, want)
	}
	if got, want := read(t, ep.filePath(environmentFile)), "\nPATH: \"/opt/a b/bin:/usr/bin\"\n"; !strings.HasSuffix(got, want) {
		t.Errorf("the environment is %q, want it to end in %q", got, want)
	}
}

// TestConfigureFailsWhole lets the disk refuse: what was there stays, and
// nothing is added.
func TestConfigureFailsWhole(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{".chiltepin": "a file where a folder should be", "mesa2/config.yaml": ""})
	_, err := dir.Configure("mesa", NewEndpoint{})
	if err == nil || !strings.HasPrefix(err.Error(), `configuring endpoint "mesa": `) {
		t.Errorf("%v", err)
	}
	if err := dir.endpointAt("mesa2").Remove(); err == nil {
		t.Error("it was removed, by what way?")
	}
	if diff := cmp.Diff([]string{"mesa2", "mesa2/config.yaml"}, left(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestRenamePlain(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"from/file": "", "file": "", "full/file": "", "empty/": "", "dead": "->nowhere"})
	at := func(name string) string { return filepath.Join(dir.Path(), name) }
	for _, taken := range []string{"file", "full", "empty", "dead"} {
		if err := renamePlain(at("from"), at(taken)); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", taken, err)
		}
	}
	if err := renamePlain(at("from"), at("new")); err != nil {
		t.Error(err)
	}
	if err := renamePlain(at("gone"), at("new2")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestErrorsInWords pins what people read.
func TestErrorsInWords(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		err        error
		want, next string
	}{
		{&FormatError{File: "/gc/mesa/config.yaml", Line: 3, Problem: "bad", Remedy: "mend it"}, `reading "/gc/mesa/config.yaml", line 3: bad`, "mend it"},
		{&NotFoundError{Name: "mesa", Dir: "/gc"}, `no endpoint "mesa" in /gc`, ""},
		{&NotFoundError{Name: anID, Dir: "/gc"}, `no endpoint "` + anID + `" in /gc`, ""},
		{&NotFoundError{Name: "mesa", Dir: "/gc", Leftover: true}, `no endpoint "mesa" in /gc: the directory is there, but holds no file of an endpoint`, "look into the directory, and remove or rename it before configuring an endpoint of that name"},
		{&AmbiguousError{ID: anID, Names: []string{"a", "b"}}, "the id " + anID + " belongs to 2 endpoint directories: a, b", "use the endpoint's name; a copied directory should lose its endpoint.json"},
		{&ExistsError{Name: "mesa", Path: "/gc/mesa"}, `configuring endpoint "mesa": /gc/mesa exists`, "choose another name"},
		{&LockedError{Name: "mesa", Holder: Holder{Purpose: "starting", PID: 7, Host: "login1", Since: at}}, `endpoint "mesa" is locked: starting by process 7 on login1 since 2026-11-23 08:00:00`, "wait until that operation has ended, and try again"},
		{&LockedError{Name: "mesa"}, `endpoint "mesa" is locked by another operation`, "wait until that operation has ended, and try again"},
		{&LockUnsupportedError{Path: "/gc/x.lease", Err: unix.EPERM}, "locking /gc/x.lease: the file system supports neither locks nor hard links: operation not permitted", "choose a configuration directory on another file system, or ask the administrator for locks on this one (for NFS: the lock daemon)"},
		{&LostError{Name: "mesa", Why: "it was not renewed for 50s"}, `lost the lock on endpoint "mesa", which is a lease because this file system has no locks: it was not renewed for 50s`, "try again"},
		{&OptionError{Option: "email", Problem: "it is bad", Remedy: "mend it"}, "email: it is bad", "mend it"},
		{&log.CursorError{Cursor: "x"}, `"x" is not a cursor of a log`, "give the cursor as it was received, or none"},
		{CheckName("a b"), `endpoint name "a b": white space is not allowed (' ')`, "use - or _ between words"},
		{CheckName("../x"), `endpoint name "../x": '/' is not allowed`, "give a name and not a path; the configuration directory is given apart from it"},
		{CheckNewName(anID), `endpoint name "` + anID + `": it reads as a UUID, which would be taken for the id of an endpoint`, "choose a name that is not a UUID"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
		if got := c.err.(interface{ Next() string }).Next(); got != c.next {
			t.Errorf("%v: next is %q, want %q", c.err, got, c.next)
		}
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
