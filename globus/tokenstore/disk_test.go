package tokenstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"chiltepin/globus/tokenstore"
	"chiltepin/globus/tokenstore/tokenstoretest"
)

// kinds are the stores, by the name of their file.
func kinds() map[string]func(string) tokenstore.Store {
	return map[string]func(string) tokenstore.Store{
		"storage.db":  func(path string) tokenstore.Store { return tokenstore.NewSQLite(path) },
		"tokens.json": func(path string) tokenstore.Store { return tokenstore.NewJSON(path) },
	}
}

func fill(t *testing.T, s tokenstore.Store, n int) error {
	t.Helper()
	return s.Update(t.Context(), "n", func(rows tokenstore.Rows) error {
		for i := range n {
			server := fmt.Sprintf("server-%02d", i)
			rows[server] = tokenstoretest.Token(server)
		}
		return nil
	})
}

// TestFullDisk is a disk that takes no more bytes, at every point of a write:
// the update fails, and the tokens that were there stay readable, as they were.
// A limit on the size of files is what every machine can make of such a disk;
// it holds for a process, so one of its own writes.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	const victim = "TOKENSTORE_TEST_FULL"
	if path := os.Getenv(victim); path != "" {
		signal.Ignore(syscall.SIGXFSZ)
		var limit syscall.Rlimit
		if _, err := fmt.Sscan(os.Getenv(victim+"_LIMIT"), &limit.Cur); err != nil {
			t.Fatal(err)
		}
		limit.Max = limit.Cur
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		if fill(t, kinds()[filepath.Base(path)](path), 200) == nil {
			os.Exit(3)
		}
		os.Exit(0)
	}
	for base, open := range kinds() {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			for _, limit := range []int{0, 1, 300, 5000, 9000, 16384, 20480, 24576} {
				path := filepath.Join(t.TempDir(), base)
				if err := fill(t, open(path), 3); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$")
				cmd.Env = append(os.Environ(), victim+"="+path, fmt.Sprintf("%s_LIMIT=%d", victim, limit), "TMPDIR="+t.TempDir())
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("limit %d: the update did not fail: %v\n%s", limit, err, out)
				}
				rows, err := open(path).Read(t.Context(), "n")
				if err != nil || len(rows) != 3 || !rows["server-01"].Equal(tokenstoretest.Token("server-01")) {
					t.Errorf("limit %d: %d rows, %v", limit, len(rows), err)
				}
				if err := fill(t, open(path), 5); err != nil {
					t.Errorf("limit %d: once there is room: %v", limit, err)
				}
				left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
				if hidden, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) != 1 || len(hidden) != 0 {
					t.Errorf("limit %d: left behind %q %q", limit, left, hidden)
				}
			}
		})
	}
}

// TestSpoiltStore cuts a store short and changes bytes of it: what cannot be
// read is an error that names the file, and an update that fails changes
// nothing.
func TestSpoiltStore(t *testing.T) {
	t.Parallel()
	for base, open := range kinds() {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), base)
			if err := fill(t, open(path), 30); err != nil {
				t.Fatal(err)
			}
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var spoilt [][]byte
			for _, part := range []int{1, 15, 100, 300, len(whole) / 2, len(whole) - 1} {
				spoilt = append(spoilt, whole[:part])
			}
			for _, at := range []int{0, 17, 20, 105, len(whole) / 3, len(whole) / 2} {
				changed := bytes.Clone(whole)
				for i := at; i < min(at+8, len(whole)); i++ {
					changed[i] ^= 0xa5
				}
				spoilt = append(spoilt, changed)
			}
			refused := 0
			for i, content := range spoilt {
				if err := os.WriteFile(path, content, 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := open(path).Read(t.Context(), "n"); err != nil {
					if format, ok := errors.AsType[*tokenstore.StoreFormatError](err); !ok || format.Path != path {
						t.Errorf("%d: Read: %v", i, err)
					}
				}
				if err := fill(t, open(path), 31); err != nil {
					refused++
					if after, readErr := os.ReadFile(path); readErr != nil || !bytes.Equal(after, content) {
						t.Errorf("%d: a failed update changed the file: %v", i, err)
					}
					if strings.Contains(err.Error(), "access-") {
						t.Errorf("%d: a token shows: %v", i, err)
					}
				}
			}
			if refused < 6 {
				t.Errorf("only %d of %d spoilt stores were refused", refused, len(spoilt))
			}
		})
	}
}
