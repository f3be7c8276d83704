package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"globus-sandbox": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"waitfor": waitFor,
			"nofiles": noFiles,
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("TMPDIR", filepath.Join(e.WorkDir, "tmp"))
			return os.Mkdir(filepath.Join(e.WorkDir, "tmp"), 0o700)
		},
	})
}

// waitFor waits until a file is there: waitfor FILE; with ! until it is gone.
func waitFor(ts *testscript.TestScript, gone bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] waitfor FILE")
	}
	for range 15_000 {
		if _, err := os.Stat(ts.MkAbs(args[0])); (err != nil) == gone {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("%s: waited five minutes", args[0])
}

// noFiles demands an empty directory.
func noFiles(ts *testscript.TestScript, neg bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, e := range entries {
		ts.Fatalf("%s is left in %s", e.Name(), args[0])
	}
}
