package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/sandbox/sandboxtest"
)

// TestTokensAreWhereSecuritySays logs in and looks into every file of the home
// directory: a token is in the stores that SECURITY.md lists, and nowhere else,
// and each is its owner's alone.
func TestTokensAreWhereSecuritySays(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(page)) {
		for _, service := range []string{"Compute", "Transfer", "Academy"} {
			if row, ok := strings.CutPrefix(line, "| "+service+" | "); ok {
				want = append(want, regexp.MustCompile("`([^`]+)`").FindStringSubmatch(row)[1])
			}
		}
	}
	box, home := sandboxtest.Start(t), t.TempDir()
	client := box.ClientCredentials()
	for _, args := range [][]string{{"login"}, {"whoami"}, {"endpoint", "configure", "--email", "me@example.org", "mesa"}} {
		cmd := exec.Command("chiltepin", args...)
		cmd.Env = slices.Concat([]string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}, client, box.Env())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	_, id, _ := strings.Cut(client[0], "=")
	var got []string
	if err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || len(box.Leaks(string(text))) == 0 {
			return err
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v (%v)", path, info.Mode(), err)
		}
		name, err := filepath.Rel(home, path)
		got = append(got, strings.ReplaceAll(name, id, "CLIENT"))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("files with tokens (-SECURITY.md +seen):\n%s", d)
	}
}
