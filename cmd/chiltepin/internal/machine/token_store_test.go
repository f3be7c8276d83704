package machine

import (
	"os"
	"path/filepath"
	"testing"
)

// One login serves every directory: the daemon finds it by a link, which is made
// over nothing and in no directory of another user.
func TestTokenStore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(t *testing.T, dir, login string)
		shared  bool   // which store is used
		link    string // what the store of the directory is in the end
	}{
		"none of its own": {func(*testing.T, string, string) {}, true, "login"},
		"its own": {func(t *testing.T, dir, _ string) {
			if err := os.WriteFile(filepath.Join(dir, "storage.db"), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, false, "file"},
		"a link of Python Chiltepin": {func(t *testing.T, dir, login string) {
			if err := os.Symlink(login, filepath.Join(dir, "storage.db")); err != nil {
				t.Fatal(err)
			}
		}, true, "login"},
		"a link elsewhere": {func(t *testing.T, dir, _ string) {
			if err := os.Symlink("/nowhere", filepath.Join(dir, "storage.db")); err != nil {
				t.Fatal(err)
			}
		}, false, "/nowhere"},
		"nobody is logged in": {func(t *testing.T, _, login string) {
			if err := os.Remove(login); err != nil {
				t.Fatal(err)
			}
		}, true, ""},
		"another user's": {func(t *testing.T, dir, _ string) {
			if err := os.Chown(dir, 65534, 65534); err != nil {
				t.Skip("only root can give a directory away")
			}
		}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home, dir := t.TempDir(), t.TempDir()
			shared := filepath.Join(home, ".globus_compute")
			login := filepath.Join(shared, "storage.db")
			if err := os.Mkdir(shared, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(login, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			test.prepare(t, dir, login)
			m := Host{Getenv: func(name string) string { return map[string]string{"HOME": home}[name] }}
			if got := m.tokenDir(dir, home); (got == shared) != test.shared || got != shared && got != dir {
				t.Errorf("uses %s", got)
			}
			if err := m.linkTokenStore(t.Context(), dir); err != nil {
				t.Error(err)
			}
			info, err := os.Lstat(filepath.Join(dir, "storage.db"))
			target, _ := os.Readlink(filepath.Join(dir, "storage.db"))
			switch test.link {
			case "":
				if err == nil {
					t.Error("a store was made")
				}
			case "file":
				if err != nil || !info.Mode().IsRegular() {
					t.Error("its own store is gone")
				}
			case "login":
				if target != login {
					t.Errorf("the link leads to %q", target)
				}
			default:
				if target != test.link {
					t.Errorf("the link leads to %q", target)
				}
			}
		})
	}
}
