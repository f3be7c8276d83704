// Package tokenstoretest is the contract that every [tokenstore.Store] keeps.
package tokenstoretest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/tokenstore"
)

// Token returns a token with every field set, for the given resource server.
func Token(server string) tokenstore.Token {
	return tokenstore.Token{
		ResourceServer: server,
		IdentityID:     "3c5a1f5e-9d55-4f6e-b6a5-0d9a35ee5f8d",
		Scope:          "openid urn:globus:auth:scope:auth.globus.org:manage_projects",
		AccessToken:    tokenstore.NewSecret("access-" + server),
		RefreshToken:   tokenstore.NewSecret("refresh-" + server),
		ExpiresAt:      1793654321,
		TokenType:      "Bearer",
	}
}

// Run checks a kind of store. open names a store at path, which it does not
// touch; base is a file name that suits the kind.
func Run(t *testing.T, base string, open func(path string) tokenstore.Store) {
	path := func(t *testing.T) string { return filepath.Join(t.TempDir(), "deep", "er", base) }
	put := func(t *testing.T, s tokenstore.Store, namespace string, tokens ...tokenstore.Token) {
		t.Helper()
		err := s.Update(t.Context(), namespace, func(rows tokenstore.Rows) error {
			for _, token := range tokens {
				rows[token.ResourceServer] = token
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func(t *testing.T, s tokenstore.Store, namespace string) tokenstore.Rows {
		t.Helper()
		rows, err := s.Read(t.Context(), namespace)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}

	t.Run("missing file", func(t *testing.T) {
		t.Parallel()
		s := open(path(t))
		if rows := read(t, s, "user/production"); len(rows) != 0 {
			t.Errorf("Read of a missing file: %d rows", len(rows))
		}
		if names, err := s.Namespaces(t.Context()); err != nil || len(names) != 0 {
			t.Errorf("Namespaces of a missing file: %q, %v", names, err)
		}
		put(t, s, "user/production")
		if _, err := os.Stat(filepath.Dir(s.Path())); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("an update that changes nothing made the directory: %v", err)
		}
	})

	t.Run("written and read", func(t *testing.T) {
		t.Parallel()
		p := path(t)
		online := Token("transfer.api.globus.org")
		online.RefreshToken = tokenstore.Secret{}
		extra := Token("auth.globus.org")
		extra.Extra = map[string]string{"note": `{"é": [1, 2.50, null, true, "\"\\"]}`}
		put(t, open(p), "user/production", Token("funcx_service"), online, extra)
		put(t, open(p), "user/local", Token("funcx_service"))
		want := tokenstore.Rows{"funcx_service": Token("funcx_service"), "transfer.api.globus.org": online, "auth.globus.org": extra}
		extra.Extra["note"] = `{"\u00e9": [1, 2.50, null, true, "\"\\"]}`
		if diff := cmp.Diff(want, read(t, open(p), "user/production")); diff != "" {
			t.Error(diff)
		}
		names, err := open(p).Namespaces(t.Context())
		if diff := cmp.Diff([]string{"user/local", "user/production"}, names); diff != "" || err != nil {
			t.Error(err, diff)
		}
	})

	t.Run("modes", func(t *testing.T) {
		t.Parallel()
		p := path(t)
		put(t, open(p), "n", Token("a"))
		mode := func(p string) string {
			info, err := os.Stat(p)
			if err != nil {
				t.Fatal(err)
			}
			return info.Mode().String()
		}
		if got := mode(p); got != "-rw-------" {
			t.Errorf("new file: %s", got)
		}
		if got := mode(filepath.Dir(p)); got != "drwx------" {
			t.Errorf("new directory: %s", got)
		}
		if err := os.Chmod(p, 0o644); err != nil {
			t.Fatal(err)
		}
		put(t, open(p), "n", Token("b"))
		if got := mode(p); got != "-rw-------" {
			t.Errorf("file that others could read, after an update: %s", got)
		}
		left, err := os.ReadDir(filepath.Dir(p))
		if err != nil || len(left) != 1 {
			t.Errorf("the directory holds %v, %v; want the store alone", left, err)
		}
	})

	t.Run("replaced and removed", func(t *testing.T) {
		t.Parallel()
		p := path(t)
		put(t, open(p), "n", Token("a"), Token("b"), Token("c"))
		put(t, open(p), "other", Token("a"))
		changed := Token("b")
		changed.AccessToken = tokenstore.NewSecret("another")
		err := open(p).Update(t.Context(), "n", func(rows tokenstore.Rows) error {
			delete(rows, "a")
			rows["b"] = changed
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tokenstore.Rows{"b": changed, "c": Token("c")}, read(t, open(p), "n")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(tokenstore.Rows{"a": Token("a")}, read(t, open(p), "other")); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("refused change", func(t *testing.T) {
		t.Parallel()
		p := path(t)
		put(t, open(p), "n", Token("a"))
		before, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		refusal := errors.New("no")
		err = open(p).Update(t.Context(), "n", func(rows tokenstore.Rows) error {
			clear(rows)
			return refusal
		})
		if err != refusal {
			t.Errorf("Update returned %v, want the error of the change", err)
		}
		after, err := os.ReadFile(p)
		if err != nil || string(after) != string(before) {
			t.Errorf("a refused change changed the file (%v)", err)
		}
	})

	t.Run("symbolic link", func(t *testing.T) {
		t.Parallel()
		for name, existing := range map[string]bool{"to a store": true, "to nothing": false} {
			directory := t.TempDir()
			target, link := filepath.Join(directory, "target"), filepath.Join(directory, base)
			if existing {
				put(t, open(target), "n", Token("a"))
			}
			if err := os.Symlink("target", link); err != nil {
				t.Fatal(err)
			}
			put(t, open(link), "n", Token("b"))
			if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
				t.Errorf("%s: the link is %v, %v", name, info.Mode(), err)
			}
			if got := read(t, open(target), "n"); got["b"].ResourceServer != "b" || (len(got) == 2) != existing {
				t.Errorf("%s: the file it leads to holds %v", name, got)
			}
		}
	})

	t.Run("many writers", func(t *testing.T) {
		t.Parallel()
		p := path(t)
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				for j := range 4 {
					token := Token(fmt.Sprintf("server-%d-%d", i, j))
					err := open(p).Update(t.Context(), "n", func(rows tokenstore.Rows) error {
						rows[token.ResourceServer] = token
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if got := len(read(t, open(p), "n")); got != 32 {
			t.Errorf("%d tokens of 32 are left", got)
		}
	})

	t.Run("not a store", func(t *testing.T) {
		t.Parallel()
		for name, content := range map[string]string{
			"empty": "", "words": "these are no tokens, these are only words\n", "list": "[]", "other": `{"format_version": "9.0"}`, "zeros": string(make([]byte, 4096)),
		} {
			p := filepath.Join(t.TempDir(), base)
			if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := open(p).Read(t.Context(), "n")
			if _, ok := errors.AsType[*tokenstore.StoreFormatError](err); !ok {
				t.Errorf("%s: Read returned %v, want a *FormatError", name, err)
			}
			err = open(p).Update(t.Context(), "n", func(rows tokenstore.Rows) error {
				rows["a"] = Token("a")
				return nil
			})
			if name == "empty" {
				if rows := read(t, open(p), "n"); err != nil || len(rows) != 1 {
					t.Errorf("Update of an empty file: %v, %d rows", err, len(rows))
				}
				continue
			}
			if _, ok := errors.AsType[*tokenstore.StoreFormatError](err); !ok {
				t.Errorf("%s: Update returned %v, want a *FormatError", name, err)
			}
			if after, err := os.ReadFile(p); err != nil || string(after) != content {
				t.Errorf("%s: Update changed the file (%v)", name, err)
			}
		}
	})

	t.Run("out of reach", func(t *testing.T) {
		t.Parallel()
		directory := t.TempDir()
		if _, err := open(directory).Read(t.Context(), "n"); err == nil {
			t.Error("Read of a directory succeeded")
		}
		file := filepath.Join(directory, "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		below := open(filepath.Join(file, base))
		err := below.Update(t.Context(), "n", func(rows tokenstore.Rows) error {
			rows["a"] = Token("a")
			return nil
		})
		if err == nil {
			t.Error("Update below a file succeeded")
		}
	})
}
