package runtime_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"chiltepin/globus/runtime"
	"chiltepin/globus/runtime/runtimetest"
)

// TestInstallReal installs from the package registry, with pip and with uv, and
// has the daemon's own program show that the lock is a set that works.
func TestInstallReal(t *testing.T) {
	t.Parallel()
	for _, installer := range []string{"pip", "uv"} {
		t.Run(installer, func(t *testing.T) {
			t.Parallel()
			python, err := filepath.EvalSymlinks(runtimetest.Env(t, runtimetest.UV).Python)
			if err != nil {
				t.Fatal(err)
			}
			path := t.TempDir()
			if err := os.Symlink(python, filepath.Join(path, "python3")); err != nil {
				t.Fatal(err)
			}
			if installer == "uv" {
				path += ":" + filepath.Dir(runtimetest.Env(t, runtimetest.UV).Bin("uv"))
			}
			// PYTHONPATH is what modules of a cluster set: it must not come in.
			environ := append(os.Environ(), "PYTHONPATH=/nowhere", "GLOBUS_COMPUTE_ENDPOINT_DIR=/nowhere")
			f := runtime.Finder{DataDir: t.TempDir(), PathEnv: path, Environ: environ}
			r, err := f.Install(t.Context(), runtime.InstallOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Version != "4.19.0" || r.Source != "installed" {
				t.Errorf("Install = %+v", r)
			}
			by, err := os.ReadFile(filepath.Join(filepath.Dir(r.Bin), "lib", "python"+minor(t, python), "site-packages", "globus_compute_endpoint-4.19.0.dist-info", "INSTALLER"))
			if err != nil || strings.TrimSpace(string(by)) != installer {
				t.Errorf("it was installed by %q (%v), want %s", by, err, installer)
			}

			begin := time.Now()
			found, err := f.Find(t.Context())
			if took := time.Since(begin); err != nil || found.Path != r.Path || took > time.Minute {
				t.Errorf("Find = %+v, %v in %v", found, err, took)
			}
			if version, err := f.Check(t.Context(), found); err != nil || version != "4.19.0" {
				t.Errorf("Check = %q, %v", version, err)
			}
			if again, err := f.Install(t.Context(), runtime.InstallOptions{}); err != nil || again.Python != r.Python {
				t.Errorf("the second Install = %+v, %v; want the environment of the first", again, err)
			}
			list(t, r, environ)
		})
	}
}

// list runs the daemon's own list with one endpoint configured, which fails
// where texttable is not held back.
func list(t *testing.T, r runtime.Runtime, environ []string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "mesa"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mesa", "config.yaml"), []byte("display_name: mesa\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), r.Path, "list")
	c.Env = append(r.Environ(environ), "GLOBUS_COMPUTE_USER_DIR="+dir)
	out, err := c.CombinedOutput()
	if err != nil || !regexp.MustCompile(`\| None +\| Initialized \| mesa `).Match(out) {
		t.Errorf("globus-compute-endpoint list: %v\n%s", err, out)
	}
}

// minor returns "3.12" for the path of an interpreter of that version.
func minor(t *testing.T, python string) string {
	t.Helper()
	out, err := exec.Command(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2], end='')").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestLocks reads what the generator wrote.
func TestLocks(t *testing.T) {
	t.Parallel()
	locks, err := filepath.Glob("../../testdata/python/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	locks = append(locks, "requirements.txt")
	daemons := 0
	line := regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*==[0-9][0-9a-z.]*(?: ; [^;\\]+)? \\$|^    --hash=sha256:[0-9a-f]{64}(?: \\)?$`)
	for _, lock := range locks {
		text, err := os.ReadFile(lock)
		if err != nil {
			t.Fatal(err)
		}
		first, rest, _ := strings.Cut(string(text), "\n")
		source := strings.TrimSuffix(filepath.Base(lock), ".txt") + ".in"
		if want := "# Written by `make lock` from " + source + ". Do not edit."; first != want {
			t.Errorf("%s begins with %q, want %q", lock, first, want)
		}
		for n, l := range strings.Split(strings.TrimSuffix(rest, "\n"), "\n") {
			if !line.MatchString(l) {
				t.Errorf("%s:%d: %q is neither a pin nor a hash", lock, n+2, l)
			}
		}
		// 1.7.2 breaks the daemon's list.
		if strings.Contains(rest, "\nglobus-compute-endpoint==") {
			daemons++
			if !strings.Contains(rest, "\ntexttable==1.7.1 \\\n") {
				t.Errorf("%s does not hold texttable at 1.7.1", lock)
			}
		}
	}
	if daemons != 5 {
		t.Errorf("%d locks have a daemon, want the product's, those of three releases, and that of Chiltepin 0.1.6", daemons)
	}
}
