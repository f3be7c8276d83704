package endpointfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfigureWritesFourFiles(t *testing.T) {
	t.Parallel()
	dir := Open(filepath.Join(t.TempDir(), "not", "there"))
	ep, err := dir.Configure("mesa", ConfigureOptions{Email: "ada@example.org", Path: "/opt/gce/bin:/usr/bin"})
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
			_, err := dir.Configure("mesa", ConfigureOptions{})
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

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
