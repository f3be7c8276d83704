package runtime

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/next"
	"chiltepin/globus/progress"
)

// names returns what is in the runtime directory, the lock and the log left out.
func names(t *testing.T, data string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(data, "runtime"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		if e.Name() != lockName && e.Name() != logName {
			all = append(all, e.Name())
		}
	}
	return all
}

// name is that of the nth environment of the lock.
func name(n string) string { return "4.19.0-" + digestLock(requirements)[:8] + "-" + n }

func install(t *testing.T, f Finder, o InstallOptions) Runtime {
	t.Helper()
	r, err := f.Install(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestInstall(t *testing.T) {
	t.Parallel()
	data, fakes := t.TempDir(), fake(t, "python3")
	f := fakes.finder(data)
	var stages []string
	ctx := progress.With(t.Context(), func(e progress.Event) { stages = append(stages, e.Stage) })
	got, err := f.Install(ctx, InstallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	current := filepath.Join(data, "runtime", "current")
	want := Runtime{
		Path: filepath.Join(current, "bin", "globus-compute-endpoint"), Bin: filepath.Join(current, "bin"), Source: "installed",
		Why: "it was installed just now", Version: "4.19.0", Python: filepath.Join(data, "runtime", name("1"), "bin", "python"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Install (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"checking", "creating", "collecting", "checking"}, stages); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"probe", "venv", "pip", "version"}, fakes.did(t)); diff != "" {
		t.Errorf("programs started (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{name("1"), "current"}, names(t, data)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}

	// What is in order is left alone.
	install(t, f, InstallOptions{})
	if diff := cmp.Diff([]string{"version"}, fakes.did(t)); diff != "" {
		t.Errorf("programs started the second time (-want +got):\n%s", diff)
	}
	// Forced, a second one is built beside the first, and the third time the
	// first is removed.
	install(t, f, InstallOptions{Force: true})
	if diff := cmp.Diff([]string{name("1"), name("2"), "current"}, names(t, data)); diff != "" {
		t.Errorf("files after the second installation (-want +got):\n%s", diff)
	}
	if got := install(t, f, InstallOptions{Force: true}); got.Path != want.Path {
		t.Errorf("the path became %s, and it must stay %s", got.Path, want.Path)
	}
	if diff := cmp.Diff([]string{name("2"), name("3"), "current"}, names(t, data)); diff != "" {
		t.Errorf("files after the third installation (-want +got):\n%s", diff)
	}
}

func TestInstallRepairs(t *testing.T) {
	t.Parallel()
	for what, damage := range map[string]func(env string) error{
		"program missing": func(env string) error { return os.Remove(filepath.Join(env, "bin", Program)) },
		"file missing":    func(env string) error { return os.Remove(filepath.Join(env, "lib/python3.12/site-packages/module.py")) },
		"file cut": func(env string) error {
			return os.Truncate(filepath.Join(env, "lib/python3.12/site-packages/module.py"), 2)
		},
		"packages missing":  func(env string) error { return os.RemoveAll(filepath.Join(env, "lib/python3.12/site-packages")) },
		"marker missing":    func(env string) error { return os.Remove(filepath.Join(env, markerName)) },
		"marker empty":      func(env string) error { return os.Truncate(filepath.Join(env, markerName), 0) },
		"interpreter gone":  func(env string) error { return os.Remove(filepath.Join(env, "bin/python")) },
		"directory missing": os.RemoveAll,
		"link elsewhere": func(env string) error {
			link := filepath.Join(filepath.Dir(env), "current")
			return errors.Join(os.Remove(link), os.Symlink("/nowhere", link))
		},
		"another lock": func(env string) error {
			return os.WriteFile(filepath.Join(env, markerName), []byte(`{"version":"4.15.0","lock":"x"}`), 0o600)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			data, fakes := t.TempDir(), fake(t, "python3")
			f := fakes.finder(data)
			install(t, f, InstallOptions{})
			if err := damage(filepath.Join(data, "runtime", name("1"))); err != nil {
				t.Fatal(err)
			}
			fakes.did(t)
			install(t, f, InstallOptions{})
			if did := strings.Join(fakes.did(t), " "); !strings.HasSuffix(did, "probe venv pip version") {
				t.Errorf("started %q, want it built again", did)
			}
			if r, err := f.Find(t.Context()); err != nil || r.Version != "4.19.0" {
				t.Errorf("Find = %v, %v afterwards", r, err)
			}
		})
	}
}

func TestInstallOnNamedPython(t *testing.T) {
	t.Parallel()
	data, fakes := t.TempDir(), fake(t, "python3", "python3.12")
	f := fakes.finder(data)
	install(t, f, InstallOptions{Python: "python3.12"})
	fakes.did(t)
	install(t, f, InstallOptions{Python: filepath.Join(fakes.dir, "python3.12")})
	install(t, f, InstallOptions{})
	if diff := cmp.Diff([]string{"probe", "version", "version"}, fakes.did(t)); diff != "" {
		t.Errorf("programs started for what is there (-want +got):\n%s", diff)
	}
	install(t, f, InstallOptions{Python: "python3"})
	if diff := cmp.Diff([]string{"probe", "venv", "pip", "version"}, fakes.did(t)); diff != "" {
		t.Errorf("programs started for another interpreter (-want +got):\n%s", diff)
	}
}

func TestInstallWithUV(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		words []string
		want  []string
	}{
		{nil, []string{"probe", "uv-venv", "uv-pip", "version"}},
		{[]string{"novenv"}, []string{"probe", "uv-venv", "uv-pip", "version"}},
		{[]string{"uvfail"}, []string{"probe", "uv-venv", "uv-pip", "venv", "pip", "version"}},
	} {
		fakes := fake(t, "python3", "uv")
		install(t, fakes.finder(t.TempDir(), test.words...), InstallOptions{})
		if diff := cmp.Diff(test.want, fakes.did(t)); diff != "" {
			t.Errorf("programs started with %v (-want +got):\n%s", test.words, diff)
		}
	}
}

func TestInstallFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fakes, words []string
		python       string
		want, next   string
	}{
		{nil, nil, "", "installing globus-compute-endpoint 4.19.0: finding Python 3.10 to 3.13: python3 is not there; python3.13 is not there; python3.12 is not there; python3.11 is not there; python3.10 is not there",
			"install Python 3.10, 3.11, 3.12 or 3.13 (on a cluster: module load python), or name the interpreter to build on"},
		{[]string{"python3"}, nil, "python9", "installing globus-compute-endpoint 4.19.0: finding Python 3.10 to 3.13: python9 is not there",
			"install Python 3.10, 3.11, 3.12 or 3.13 (on a cluster: module load python), or name the interpreter to build on"},
		{[]string{"python3"}, []string{"old"}, "python3", "installing globus-compute-endpoint 4.19.0: finding Python 3.10 to 3.13: DIR/python3 is Python 3.9.18",
			"install Python 3.10, 3.11, 3.12 or 3.13 (on a cluster: module load python), or name the interpreter to build on"},
		{[]string{"python3"}, []string{"novenv"}, "python3", "installing globus-compute-endpoint 4.19.0: finding Python 3.10 to 3.13: DIR/python3 (3.12.1) was packaged without venv and ensurepip",
			"install its venv module (Debian and Ubuntu: apt install python3-venv) or uv, or name another interpreter"},
		{[]string{"python3"}, []string{"fail"}, "", "installing globus-compute-endpoint 4.19.0: a package is not the one that was locked: running python -m pip install: exit status 1: " +
			"ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
			"the registry or a cache on the way changed a file: use another registry (pip's index), or clear the cache (pip cache purge); everything that was printed is in DATA/runtime/install.log; runtime.install to try again"},
		{[]string{"python3"}, []string{"mute"}, "", "installing globus-compute-endpoint 4.19.0: using the runtime DATA/runtime/" + name("1") + "/bin/globus-compute-endpoint: it ended without saying its version",
			"read what was printed, in DATA/runtime/install.log"},
	} {
		data, fakes := t.TempDir(), fake(t, test.fakes...)
		_, err := fakes.finder(data, test.words...).Install(t.Context(), InstallOptions{Python: test.python})
		where := strings.NewReplacer(data, "DATA", fakes.dir, "DIR")
		if err == nil || where.Replace(err.Error()) != test.want {
			t.Errorf("Install with %v\n got %v\nwant %s", test.words, err, test.want)
			continue
		}
		if got := where.Replace(nextOf(err)); got != test.next {
			t.Errorf("Install with %v: next is %q, want %q", test.words, got, test.next)
		}
		if left := names(t, data); left != nil {
			t.Errorf("Install with %v left %v", test.words, left)
		}
	}
}

// nextOf is what an error says to do, in one line.
func nextOf(err error) string {
	var all []string
	for _, s := range next.Of(err) {
		if s.Operation != "" {
			s.Why = string(s.Operation) + " to " + s.Why
		}
		all = append(all, s.Why)
	}
	return strings.Join(all, "; ")
}

func TestInstallFailureKeepsSecrets(t *testing.T) {
	t.Parallel()
	data, fakes := t.TempDir(), fake(t, "python3")
	_, err := fakes.finder(data, "fail").Install(t.Context(), InstallOptions{})
	var failed *InstallError
	if !errors.As(err, &failed) {
		t.Fatalf("Install: %v, want an *InstallError", err)
	}
	log, err := os.ReadFile(failed.Log)
	if err != nil {
		t.Fatal(err)
	}
	const want = "Looking in indexes: https://***@registry.example/simple"
	if all := strings.Join(failed.Lines, "\n"); !strings.Contains(all, want) || strings.Contains(all, "secret") {
		t.Errorf("the lines are\n%s", all)
	}
	if !strings.Contains(string(log), want) || strings.Contains(string(log), "secret") {
		t.Errorf("the log is\n%s", log)
	}
}

func TestInstallCanceled(t *testing.T) {
	t.Parallel()
	data, fakes := t.TempDir(), fake(t, "python3")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := fakes.finder(data, "hang").Install(ctx, InstallOptions{})
		done <- err
	}()
	await(t, "the installation hangs", func() bool { return noted(fakes, "hanging") })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Install: %v, want it canceled", err)
	}
	if left := names(t, data); left != nil {
		t.Errorf("a canceled installation left %v", left)
	}
}

func TestInstallKilled(t *testing.T) {
	t.Parallel()
	data, fakes := t.TempDir(), fake(t, "python3")
	install(t, fakes.finder(data), InstallOptions{})
	fakes.did(t)

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(fakes.environ("hang"), installVariable+"="+data)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the installation hangs", func() bool { return noted(fakes, "hanging") })
	unfinished := filepath.Join(data, "runtime", name("2"))
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	await(t, "what it started ends with it", func() bool { return !isInUse("/proc", unfinished) })
	if _, err := os.Stat(filepath.Join(unfinished, "bin", Program)); err != nil {
		t.Fatalf("the test proves nothing: %v", err)
	}

	r, err := fakes.finder(data).Find(t.Context())
	if err != nil || r.Python != filepath.Join(data, "runtime", name("1"), "bin", "python") {
		t.Fatalf("Find = %+v, %v; want the first environment", r, err)
	}
	fakes.did(t)
	install(t, fakes.finder(data), InstallOptions{})
	if diff := cmp.Diff([]string{"version"}, fakes.did(t)); diff != "" {
		t.Errorf("programs started for what is in order (-want +got):\n%s", diff)
	}
	install(t, fakes.finder(data), InstallOptions{Force: true})
	if diff := cmp.Diff([]string{name("1"), name("2"), "current"}, names(t, data)); diff != "" {
		t.Errorf("files after the next installation (-want +got):\n%s", diff)
	}
	if _, err := readMarker(unfinished); err != nil {
		t.Errorf("the new environment is not complete: %v", err)
	}
}

func TestInstallAtOnce(t *testing.T) {
	t.Parallel()
	data, fakes := t.TempDir(), fake(t, "python3")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := fakes.finder(data).Install(t.Context(), InstallOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	built := 0
	for _, word := range fakes.did(t) {
		if word == "pip" {
			built++
		}
	}
	if built != 1 {
		t.Errorf("8 installations at once built %d times, want once", built)
	}
}

func TestInstallKeepsWhatRuns(t *testing.T) {
	t.Parallel()
	data, fakes := t.TempDir(), fake(t, "python3")
	f := fakes.finder(data)
	install(t, f, InstallOptions{})
	// A process whose command line is that of a daemon of the first environment.
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(sleep, "60")
	c.Args[0] = filepath.Join(data, "runtime", name("1"), "bin", "python")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	install(t, f, InstallOptions{Force: true})
	install(t, f, InstallOptions{Force: true})
	if diff := cmp.Diff([]string{name("1"), name("2"), name("3"), "current"}, names(t, data)); diff != "" {
		t.Errorf("files while the first runs (-want +got):\n%s", diff)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	install(t, f, InstallOptions{Force: true})
	if diff := cmp.Diff([]string{name("3"), name("4"), "current"}, names(t, data)); diff != "" {
		t.Errorf("files after it ended (-want +got):\n%s", diff)
	}
}

// noted says whether a stand-in has said word.
func noted(f fakes, word string) bool {
	text, err := os.ReadFile(f.notes)
	return err == nil && strings.Contains(string(text), word+"\n")
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("waiting until %s: it does not come", what)
}
