package runtime

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree is a directory in which a test lays out interpreters and programs.
type tree struct {
	t   *testing.T
	dir string
}

func newTree(t *testing.T) tree {
	// The temporary directory may itself be behind a link.
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return tree{t, dir}
}

func (tr tree) path(name string) string { return filepath.Join(tr.dir, name) }

// file writes an executable file; DIR in the text stands for the directory.
func (tr tree) file(name, text string) {
	tr.t.Helper()
	text = strings.ReplaceAll(text, "DIR", tr.dir)
	if err := errors.Join(os.MkdirAll(filepath.Dir(tr.path(name)), 0o700), os.WriteFile(tr.path(name), []byte(text), 0o700)); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr tree) link(target, name string) {
	tr.t.Helper()
	target = strings.ReplaceAll(target, "DIR", tr.dir)
	if err := errors.Join(os.MkdirAll(filepath.Dir(tr.path(name)), 0o700), os.Symlink(target, tr.path(name))); err != nil {
		tr.t.Fatal(err)
	}
}

// env lays out a virtual environment with the program in the given release.
func (tr tree) env(dir, release string) {
	tr.t.Helper()
	tr.file("base/bin/python3.12", "")
	tr.file(dir+"/pyvenv.cfg", "version = 3.12.1\n")
	tr.link("DIR/base/bin/python3.12", dir+"/bin/python")
	tr.file(dir+"/lib/python3.12/site-packages/globus_compute_endpoint-"+release+".dist-info/RECORD", "")
	tr.file(dir+"/bin/"+Program, "#!DIR/"+dir+"/bin/python\n")
}

// TestFind lays out PATH, finds, and compares what was taken, DIR standing for
// the directory of the test.
func TestFind(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		lay    func(tree)
		path   string // PATH
		named  string
		data   string
		env    []string
		want   Runtime
		broken string // the error
	}{
		{
			name: "an environment on PATH",
			lay:  func(tr tree) { tr.env("e", "4.19.0") },
			path: "/nowhere:DIR/e/bin",
			want: Runtime{Path: "DIR/e/bin/globus-compute-endpoint", Bin: "DIR/e/bin", Source: "PATH", Why: "it is the first on PATH", Version: "4.19.0", Python: "DIR/e/bin/python"},
		},
		{
			name: "a link as uv tool and pipx make it",
			lay: func(tr tree) {
				tr.env("tools/gce", "4.19.0")
				tr.link("../tools/gce/bin/"+Program, "bin/"+Program)
			},
			path: "DIR/bin",
			want: Runtime{Path: "DIR/bin/globus-compute-endpoint", Bin: "DIR/tools/gce/bin", Source: "PATH", Why: "it is the first on PATH", Version: "4.19.0", Python: "DIR/tools/gce/bin/python"},
		},
		{
			name: "a path with a space",
			lay: func(tr tree) {
				tr.env("a b", "4.15.0")
				tr.file("a b/bin/"+Program, "#!/bin/sh\n'''exec' \"DIR/a b/bin/python\" \"$0\" \"$@\"\n' '''\n")
			},
			path: "DIR/a b/bin",
			want: Runtime{Path: "DIR/a b/bin/globus-compute-endpoint", Bin: "DIR/a b/bin", Source: "PATH", Why: "it is the first on PATH", Version: "4.15.0", Python: "DIR/a b/bin/python"},
		},
		{
			name: "pip install --user: the interpreter is the system's",
			lay: func(tr tree) {
				tr.file("usr/bin/python3.11", "")
				tr.link("python3.11", "usr/bin/python3")
				tr.file("local/bin/"+Program, "#!DIR/usr/bin/python3\n")
				tr.file("local/lib/python3.11/site-packages/globus_compute_endpoint-4.6.0.dist-info/RECORD", "")
				tr.file("local/lib/python3.9/site-packages/globus_compute_endpoint-2.0.0.dist-info/RECORD", "")
			},
			path: "DIR/local/bin",
			want: Runtime{Path: "DIR/local/bin/globus-compute-endpoint", Bin: "DIR/local/bin", Source: "PATH", Why: "it is the first on PATH", Version: "4.6.0", Python: "DIR/usr/bin/python3"},
		},
		{
			name: "two releases in one environment: which one cannot be told",
			lay: func(tr tree) {
				tr.env("e", "4.19.0")
				tr.file("e/lib/python3.12/site-packages/globus_compute_endpoint-4.15.0.dist-info/RECORD", "")
			},
			path: "DIR/e/bin",
			want: Runtime{Path: "DIR/e/bin/globus-compute-endpoint", Bin: "DIR/e/bin", Source: "PATH", Why: "it is the first on PATH", Python: "DIR/e/bin/python"},
		},
		{
			name: "env finds the interpreter",
			lay: func(tr tree) {
				tr.env("e", "4.19.0")
				tr.file("s/"+Program, "#!/usr/bin/env python\n")
			},
			path: "DIR/s:DIR/e/bin",
			want: Runtime{Path: "DIR/s/globus-compute-endpoint", Bin: "DIR/s", Source: "PATH", Why: "it is the first on PATH", Version: "4.19.0", Python: "DIR/e/bin/python"},
		},
		{
			name: "a wrapper of a container: nothing is known of it",
			lay:  func(tr tree) { tr.file("w/"+Program, "#!/bin/sh\nexec apptainer run gce.sif \"$@\"\n") },
			path: "DIR/w",
			want: Runtime{Path: "DIR/w/globus-compute-endpoint", Bin: "DIR/w", Source: "PATH", Why: "it is the first on PATH"},
		},
		{
			name: "a shim of pyenv, the version in its file",
			lay: func(tr tree) {
				tr.file("pyenv/shims/"+Program, strings.ReplaceAll(shim, "/home/me/.pyenv", "DIR/pyenv"))
				tr.file("pyenv/version", "3.11.7\n3.12.1\n")
				tr.file("pyenv/versions/3.11.7/bin/python", "")
				tr.env("pyenv/versions/3.12.1", "4.19.0")
			},
			path: "DIR/pyenv/shims",
			want: Runtime{Path: "DIR/pyenv/versions/3.12.1/bin/globus-compute-endpoint", Bin: "DIR/pyenv/versions/3.12.1/bin", Source: "PATH", Why: "it is the first on PATH", Version: "4.19.0", Python: "DIR/pyenv/versions/3.12.1/bin/python"},
		},
		{
			name: "a shim of pyenv whose version has no such program",
			lay: func(tr tree) {
				tr.file("pyenv/shims/"+Program, strings.ReplaceAll(shim, "/home/me/.pyenv", "DIR/pyenv"))
				tr.file("pyenv/versions/3.11.7/bin/python", "")
			},
			path:   "DIR/pyenv/shims",
			env:    []string{"PYENV_VERSION=3.11.7"},
			broken: "finding globus-compute-endpoint: none that works; DIR/pyenv/shims/globus-compute-endpoint: it is a shim of pyenv, and the version that PYENV_VERSION selects (3.11.7) has no globus-compute-endpoint",
		},
		{
			name: "broken ones are passed over",
			lay: func(tr tree) {
				tr.file("a/"+Program, "#!DIR/gone/bin/python\n")
				tr.link("DIR/gone", "b/"+Program)
				tr.env("e", "4.19.0")
			},
			path: "DIR/a:DIR/b:DIR/e/bin",
			want: Runtime{Path: "DIR/e/bin/globus-compute-endpoint", Bin: "DIR/e/bin", Source: "PATH", Why: "it is the first on PATH that can work", Version: "4.19.0", Python: "DIR/e/bin/python"},
		},
		{
			name:   "the interpreter is gone",
			lay:    func(tr tree) { tr.file("a/"+Program, "#!DIR/gone/bin/python\n") },
			path:   "DIR/a",
			broken: "finding globus-compute-endpoint: none that works; DIR/a/globus-compute-endpoint: its interpreter, DIR/gone/bin/python, is gone or not executable",
		},
		{
			name: "an upgrade changed the interpreter",
			lay: func(tr tree) {
				tr.env("e", "4.19.0")
				if err := os.Remove(tr.path("e/bin/python")); err != nil {
					tr.t.Fatal(err)
				}
				tr.file("base/bin/python3.13", "")
				tr.link("DIR/base/bin/python3.13", "e/bin/python")
			},
			path:   "DIR/e/bin",
			broken: "finding globus-compute-endpoint: none that works; DIR/e/bin/globus-compute-endpoint: its interpreter is now Python 3.13, and its packages are for 3.12",
		},
		{
			name: "not executable, and a directory",
			lay: func(tr tree) {
				tr.file("a/"+Program, "")
				if err := os.Chmod(tr.path("a/"+Program), 0o600); err != nil {
					tr.t.Fatal(err)
				}
				tr.file("b/"+Program+"/x", "")
			},
			path:   "DIR/a:DIR/b",
			broken: "finding globus-compute-endpoint: none that works; DIR/a/globus-compute-endpoint: it is not executable; DIR/b/globus-compute-endpoint: it is not a file",
		},
		{
			name:   "nothing",
			lay:    func(tr tree) { tr.file("a/other", "") },
			path:   "DIR/a::.:DIR/a/other",
			data:   "DIR/data",
			broken: "finding globus-compute-endpoint: it is not on PATH and not installed by chiltepin",
		},
		{
			name: "a named file goes before PATH",
			lay: func(tr tree) {
				tr.env("e", "4.19.0")
				tr.env("n", "4.15.0")
			},
			path:  "DIR/e/bin",
			named: "DIR/n/bin/" + Program,
			want:  Runtime{Path: "DIR/n/bin/globus-compute-endpoint", Bin: "DIR/n/bin", Source: "flag", Why: "it was named for this call", Version: "4.15.0", Python: "DIR/n/bin/python"},
		},
		{
			name:  "a named environment",
			lay:   func(tr tree) { tr.env("n", "4.15.0") },
			named: "DIR/n",
			want:  Runtime{Path: "DIR/n/bin/globus-compute-endpoint", Bin: "DIR/n/bin", Source: "flag", Why: "it was named for this call", Version: "4.15.0", Python: "DIR/n/bin/python"},
		},
		{
			name:   "a named directory without it: PATH does not help",
			lay:    func(tr tree) { tr.env("e", "4.19.0"); tr.file("n/x", "") },
			path:   "DIR/e/bin",
			named:  "DIR/n",
			broken: "using the runtime DIR/n: the directory has no bin/globus-compute-endpoint",
		},
		{
			name:   "a named file that is not there",
			lay:    func(tr tree) { tr.env("e", "4.19.0") },
			path:   "DIR/e/bin",
			named:  "DIR/n/gce",
			broken: "using the runtime DIR/n/gce: there is no such file",
		},
		{
			name: "the installed one goes after PATH, where all are broken",
			lay: func(tr tree) {
				tr.file("a/"+Program, "#!DIR/gone/bin/python\n")
				tr.env("data/runtime/4.15.0-x-1", "4.15.0")
				tr.link("4.15.0-x-1", "data/runtime/current")
				tr.file("data/runtime/current/.chiltepin.json", `{"version":"4.15.0"}`)
			},
			path: "DIR/a",
			data: "DIR/data",
			want: Runtime{Path: "DIR/data/runtime/current/bin/globus-compute-endpoint", Bin: "DIR/data/runtime/current/bin", Source: "installed",
				Why: "it was installed by chiltepin, and none on PATH can work", Version: "4.15.0", Python: "DIR/data/runtime/4.15.0-x-1/bin/python"},
		},
		{
			name: "an installation that was never finished",
			lay: func(tr tree) {
				tr.env("data/runtime/4.15.0-x-1", "4.15.0")
				tr.link("4.15.0-x-1", "data/runtime/current")
			},
			data:   "DIR/data",
			broken: "finding globus-compute-endpoint: none that works; DIR/data/runtime/current/bin/globus-compute-endpoint: it is not complete: open DIR/data/runtime/current/.chiltepin.json: no such file or directory",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := newTree(t)
			test.lay(tr)
			here := func(s string) string { return strings.ReplaceAll(s, "DIR", tr.dir) }
			f := Finder{Explicit: here(test.named), PathEnv: here(test.path), DataDir: here(test.data), Environ: test.env}
			got, err := f.Find(t.Context())
			if test.broken != "" {
				if err == nil || err.Error() != here(test.broken) {
					t.Errorf("Find = %+v, error\n     %v\nwant %s", got, err, here(test.broken))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, field := range []*string{&got.Path, &got.Bin, &got.Python} {
				*field = strings.ReplaceAll(*field, tr.dir, "DIR")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Find (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	tr.file("a/"+Program, "#!/gone/python\n")
	tr.env("e", "4.19.0")
	tr.link("e/bin", "again")
	tr.env("data/runtime/4.15.0-x-1", "4.15.0")
	tr.link("4.15.0-x-1", "data/runtime/current")
	tr.file("data/runtime/current/.chiltepin.json", `{"version":"4.15.0"}`)
	f := Finder{PathEnv: tr.path("a") + ":" + tr.path("e/bin") + ":" + tr.path("again"), DataDir: tr.path("data")}
	got, err := f.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Inventory{
		Locked: "4.19.0",
		Dir:    tr.path("data/runtime"),
		Candidates: []Candidate{
			{Runtime: Runtime{Path: tr.path("a/" + Program), Bin: tr.path("a"), Source: "PATH"}, Broken: "its interpreter, /gone/python, is gone or not executable"},
			{Runtime: Runtime{Path: tr.path("e/bin/" + Program), Bin: tr.path("e/bin"), Source: "PATH", Why: "it is the first on PATH that can work", Version: "4.19.0", Python: tr.path("e/bin/python")}, Taken: true},
			{
				Runtime: Runtime{Path: tr.path("data/runtime/current/bin/" + Program), Bin: tr.path("data/runtime/current/bin"), Source: "installed", Version: "4.15.0", Python: tr.path("data/runtime/4.15.0-x-1/bin/python")},
				Note:    "another release of chiltepin installed it; this one would install 4.19.0",
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Status (-want +got):\n%s", diff)
	}
}

func TestEnviron(t *testing.T) {
	t.Parallel()
	before := []string{
		"HOME=/home/me", "GLOBUS_COMPUTE_ENDPOINT_DIR=/other", "GLOBUS_COMPUTE_LOG_PATH=/other/log", "GLOBUS_COMPUTE_ENDPOINT_NAME=other",
		"GLOBUS_COMPUTE_USER_DIR=/keep", "PYTHONPATH=/modules", "PYTHONHOME=/python", "PATH=/usr/bin:/bin",
	}
	kept := []string{"HOME=/home/me", "GLOBUS_COMPUTE_USER_DIR=/keep", "PYTHONPATH=/modules", "PYTHONHOME=/python", "PATH=/e/bin:/usr/bin:/bin"}
	if diff := cmp.Diff(kept, Runtime{Bin: "/e/bin", Source: OnPath}.Environ(before)); diff != "" {
		t.Errorf("of one on PATH (-want +got):\n%s", diff)
	}
	own := []string{"HOME=/home/me", "GLOBUS_COMPUTE_USER_DIR=/keep", "PATH=/e/bin:/usr/bin:/bin"}
	if diff := cmp.Diff(own, Runtime{Bin: "/e/bin", Source: Installed}.Environ(before)); diff != "" {
		t.Errorf("of our own (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(own, Runtime{Bin: "/e/bin", Source: Installed}.Environ(own)); diff != "" {
		t.Errorf("done twice (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"PATH=/e/bin:/usr/local/bin:/usr/bin:/bin"}, Runtime{Bin: "/e/bin"}.Environ(nil)); diff != "" {
		t.Errorf("of nothing (-want +got):\n%s", diff)
	}
}

func TestDefaultDataDir(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"": "/home/me/.local/share/chiltepin", "/data": "/data/chiltepin", "data": "/home/me/.local/share/chiltepin"} {
		getenv := func(name string) string {
			if name == "XDG_DATA_HOME" {
				return value
			}
			return ""
		}
		if got := DefaultDataDir("/home/me", getenv); got != want {
			t.Errorf("with XDG_DATA_HOME=%q it is %s, want %s", value, got, want)
		}
	}
}
