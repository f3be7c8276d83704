package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The test binary is three programs: the tests; under a name that begins with
// "python" or "uv" a stand-in for those; and, with installVariable set, a
// process that installs and may be killed.
const (
	installVariable = "CHILTEPIN_TEST_INSTALL" // the data directory
	fakeVariable    = "CHILTEPIN_TEST_FAKE"    // words that say how the stand-ins behave
	noteVariable    = "CHILTEPIN_TEST_NOTES"   // the file where they say what they do
)

func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); {
	case strings.HasPrefix(name, "python"):
		os.Exit(fakePython(os.Args[1:]))
	case name == "uv":
		os.Exit(fakeUV(os.Args[1:]))
	}
	if dir := os.Getenv(installVariable); dir != "" {
		f := Finder{DataDir: dir, PathEnv: os.Getenv("PATH"), Environ: os.Environ()}
		_, err := f.Install(context.Background(), InstallOptions{Force: true})
		fmt.Println(err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fakes is a directory with a python3, and where its copies say what they did.
type fakes struct{ dir, notes string }

// fake makes the stand-ins that names say: "python3", "uv".
func fake(t *testing.T, names ...string) fakes {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := fakes{dir: t.TempDir()}
	f.notes = filepath.Join(f.dir, "notes")
	for _, name := range names {
		// A copy, not a link: what a link leads to would lose the name.
		if err := os.Link(self, filepath.Join(f.dir, name)); err != nil {
			copyFile(t, self, filepath.Join(f.dir, name))
		}
	}
	return f
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		t.Fatal(err)
	}
}

// environ returns the environment of stand-ins that behave as words say.
func (f fakes) environ(words ...string) []string {
	// A program built with the race detector sleeps a second before it ends.
	return []string{"GORACE=atexit_sleep_ms=0", "PATH=" + f.dir, fakeVariable + "=" + strings.Join(words, " "), noteVariable + "=" + f.notes}
}

// finder returns a Finder that installs with the stand-ins.
func (f fakes) finder(data string, words ...string) Finder {
	return Finder{DataDir: data, PathEnv: f.dir, Environ: f.environ(words...)}
}

// did returns what the stand-ins did, one word each, and forgets it.
func (f fakes) did(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(f.notes)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	_ = os.Remove(f.notes)
	return strings.Fields(string(text))
}

func note(word string) {
	file, err := os.OpenFile(os.Getenv(noteVariable), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	fmt.Fprintln(file, word)
}

func behaves(word string) bool {
	return slices.Contains(strings.Fields(os.Getenv(fakeVariable)), word)
}

// fakePython is a Python as far as installing looks at one.
func fakePython(args []string) int {
	switch {
	case len(args) == 3 && args[1] == "-c":
		note("probe")
		info, version := []int{3, 12}, "3.12.1"
		if behaves("old") {
			info, version = []int{3, 9}, "3.9.18"
		}
		return say(map[string]any{"executable": os.Args[0], "version": version, "info": info, "implementation": "cpython", "venv": !behaves("novenv")})
	case len(args) == 3 && args[1] == "venv":
		note("venv")
		return makeVenv(os.Args[0], args[2])
	case len(args) > 2 && args[1] == "pip":
		note("pip")
		fmt.Println("Ignoring tomli: markers 'python_full_version < \"3.11\"' don't match your environment")
		fmt.Println("Collecting globus-compute-endpoint==4.19.0 (from -r list (line 1))")
		if behaves("fail") {
			fmt.Println("Looking in indexes: https://me:secret@registry.example/simple")
			fmt.Println("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.")
			fmt.Println("             Got        8abb2f1d")
			return 1
		}
		return makePackages(filepath.Dir(filepath.Dir(os.Args[0])))
	case len(args) == 2 && filepath.Base(args[0]) == Program && args[1] == "version":
		note("version")
		if os.Getenv("GLOBUS_COMPUTE_ENDPOINT_DIR") != "" || behaves("mute") {
			return 0
		}
		fmt.Println("a warning first")
		fmt.Println("Globus Compute endpoint version: 4.19.0")
		return 0
	}
	fmt.Println("fake python: unexpected", args)
	return 2
}

// fakeUV is uv as far as installing calls it.
func fakeUV(args []string) int {
	after := func(flag string) string { return args[slices.Index(args, flag)+1] }
	switch {
	case args[0] == "venv":
		note("uv-venv")
		return makeVenv(after("--python"), args[len(args)-1])
	case args[0] == "pip" && behaves("uvfail"):
		note("uv-pip")
		fmt.Println("error: Failed to fetch: `https://registry.example/simple/`")
		return 2
	case args[0] == "pip":
		note("uv-pip")
		return makePackages(filepath.Dir(filepath.Dir(after("--python"))))
	}
	return 2
}

func say(v any) int {
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
		return 1
	}
	return 0
}

func makeVenv(python, dir string) int {
	err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "bin"), 0o755),
		os.MkdirAll(filepath.Join(dir, "lib/python3.12/site-packages"), 0o755),
		os.Symlink(python, filepath.Join(dir, "bin/python")),
		os.WriteFile(filepath.Join(dir, "pyvenv.cfg"), []byte("version = 3.12.1\n"), 0o644))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func makePackages(env string) int {
	site := filepath.Join(env, "lib/python3.12/site-packages")
	info := filepath.Join(site, "globus_compute_endpoint-4.19.0.dist-info")
	program := "#!" + filepath.Join(env, "bin/python") + "\n"
	if err := errors.Join(os.MkdirAll(info, 0o755), os.WriteFile(filepath.Join(env, "bin", Program), []byte(program), 0o755)); err != nil {
		fmt.Println(err)
		return 1
	}
	if behaves("hang") {
		note("hanging")
		time.Sleep(time.Minute)
	}
	record := fmt.Sprintf("../../../bin/%s,sha256=x,%d\nmodule.py,sha256=x,4\n__pycache__/module.pyc,,\n", Program, len(program))
	err := errors.Join(os.WriteFile(filepath.Join(site, "module.py"), []byte("pass"), 0o644), os.WriteFile(filepath.Join(info, "RECORD"), []byte(record), 0o644))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}
