package python

import (
	"path/filepath"
	"testing"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// TestModule uses the module, installed from its wheel, in every way. All
// share one stand-in, each with an account of its own.
func TestModule(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	sdk := runtimetest.Env(t, runtimetest.API)
	bare, withSDK := newVenv(t, nil), newVenv(t, &sdk)
	for _, v := range []venv{bare, withSDK} {
		v.install(t, built(t))
	}
	t.Run("Python Chiltepin's tests", func(t *testing.T) {
		t.Parallel()
		testUpstream(t, box, withSDK)
	})
	t.Run("documented", func(t *testing.T) {
		t.Parallel()
		testDocumented(t, box, withSDK, "")
	})
	t.Run("documented, beside Python Chiltepin", func(t *testing.T) {
		t.Parallel()
		v, theirs := newPythonChiltepin(t)
		v.install(t, theirs, built(t))
		testDocumented(t, box, v, "chiltepin_endpoint")
	})
	files, err := filepath.Glob("tests/test_*.py")
	if err != nil || len(files) == 0 {
		t.Fatalf("the tests are %q", files)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			a, v := newAccount(t, box), withSDK
			switch filepath.Base(file) {
			case "test_life.py": // the SDK has warnings of its own
			case "test_person.py": // and Academy too
				v, _ = newPythonChiltepin(t)
				v.install(t, built(t))
			case "test_bare.py":
				v = bare
				fallthrough
			default:
				a.env = append(a.env, "PYTHONWARNINGS=error")
			}
			text := a.run(t, v, file, "-v")
			for _, leak := range box.Leaks(text) {
				t.Errorf("the output holds %v", leak)
			}
		})
	}
}
