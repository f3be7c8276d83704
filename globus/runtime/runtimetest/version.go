package runtimetest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// EnvOn is [Env] on a release of Python such as "3.10": the one on PATH, of
// pyenv, or that uv finds or fetches. Where none can be had, and only there, it
// is what [Env] gives, and got tells the release that it is. It is built with
// uv, in a few seconds.
func EnvOn(t testing.TB, set Set, version string) (env PythonEnvironment, got string) {
	t.Helper()
	uv := Env(t, UV).Bin("uv")
	python := findPython(t.Context(), uv, version)
	if python == "" {
		t.Logf("no Python %s can be had here: what is there stands for it", version)
		env = Env(t, set)
	} else {
		var err error
		if env, err = build(t.Context(), set, python, uv); err != nil {
			t.Fatalf("building the Python environment %q of the tests on %s: %v", set, python, err)
		}
	}
	return env, releaseOf(t.Context(), env.Python)
}

// releaseOf is the release of an interpreter, "" for what is none.
func releaseOf(ctx context.Context, python string) string {
	out, err := exec.CommandContext(ctx, python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").Output()
	if err != nil {
		return "" // a shim of pyenv for a release that is not switched on
	}
	return strings.TrimSpace(string(out))
}

// findPython returns the interpreter of a release, "" where there is none.
func findPython(ctx context.Context, uv, version string) string {
	candidates := []string{}
	if path, err := exec.LookPath("python" + version); err == nil {
		candidates = append(candidates, path)
	}
	root := os.Getenv("PYENV_ROOT")
	if home, err := os.UserHomeDir(); root == "" && err == nil {
		root = filepath.Join(home, ".pyenv")
	}
	pyenv, _ := filepath.Glob(filepath.Join(root, "versions", version+".*", "bin", "python"+version))
	candidates = append(candidates, pyenv...)
	works := func(python string) bool { return releaseOf(ctx, python) == version }
	if i := slices.IndexFunc(candidates, works); i >= 0 {
		return candidates[i]
	}
	for _, verb := range []string{"find", "install"} {
		if verb == "install" && exec.CommandContext(ctx, uv, "python", "install", "--no-config", "--quiet", version).Run() != nil {
			return ""
		}
		out, err := exec.CommandContext(ctx, uv, "python", "find", "--no-config", "--no-python-downloads", version).Output()
		if python := strings.TrimSpace(string(out)); err == nil && works(python) {
			return python
		}
	}
	return ""
}
