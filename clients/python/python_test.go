package python

import (
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
	with := newVenv(t, &sdk) // the SDK is there, Python Chiltepin is not
	with.install(t, built(t))
	t.Run("upstream", func(t *testing.T) {
		t.Parallel()
		testUpstream(t, box, with)
	})
}
