package auth_test

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"chiltepin/globus/auth"
	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// startedWorld is a world whose sandbox child processes reach too.
func startedWorld(t *testing.T) *world {
	return &world{Box: sandboxtest.Start(t), home: t.TempDir(), env: map[string]string{}}
}

// python runs testdata/programs.py with the real programs.
func (w *world) python(t *testing.T, verb string) string {
	t.Helper()
	env := runtimetest.Env(t, runtimetest.Newest)
	return w.run(t, exec.CommandContext(t.Context(), env.Python, "testdata/programs.py", verb))
}

func (w *world) run(t *testing.T, command *exec.Cmd, more ...string) string {
	t.Helper()
	command.Env = w.ChildEnv(append(more, "HOME="+w.home)...)
	command.Stderr = os.Stderr
	command.WaitDelay = time.Second
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s", command.Args, err, out)
	}
	return string(out)
}

// After our login the Python programs are logged in, and renew our tokens; after
// our logout they ask.
func TestPythonAfterOurLogin(t *testing.T) {
	t.Parallel()
	w := startedWorld(t)
	m := w.manager(t)
	w.login(t, m)
	if got := w.python(t, "check"); got != `{"academy": false, "compute": false, "transfer": false}` {
		t.Errorf("who asks for a login after ours: %s", got)
	}
	before := read(t, w.compute(), "user/production")
	w.ExpireTokens("access")
	if got := w.python(t, "use"); got != `{"endpoints": [], "transfer": true, "version": true}` {
		t.Errorf("used: %s", got)
	}
	after := read(t, w.compute(), "user/production")
	if w.refreshes() == 0 || after["funcx_service"].AccessToken.Equal(before["funcx_service"].AccessToken) {
		t.Error("Python did not renew our token")
	}
	if status, err := get(t, m, listURL); err != nil || status != 200 {
		t.Error("after Python renewed it:", status, err)
	}
	env, err := m.DaemonEnv()
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []runtimetest.Set{runtimetest.Newest, runtimetest.V415} {
		w.run(t, exec.CommandContext(t.Context(), runtimetest.Env(t, set).Bin("globus-compute-endpoint"), "whoami"), env...)
	}
	if result, err := m.Logout(t.Context(), auth.LogoutOptions{}); err != nil {
		t.Error(result, err)
	}
	if got := w.python(t, "check"); got != `{"academy": true, "compute": true, "transfer": true}` {
		t.Errorf("who asks for a login after our logout: %s", got)
	}
}

// After Python Chiltepin's login we are logged in, and our logout leaves
// nothing of it.
func TestPythonBeforeUs(t *testing.T) {
	t.Parallel()
	w := startedWorld(t)
	w.python(t, "login")
	m := w.manager(t)
	for _, service := range auth.Services() {
		if !m.LoggedIn(service) {
			t.Errorf("not logged in to %s after Python's login", service)
		}
	}
	if result := w.login(t, m); len(result.Renewed) != 0 {
		t.Errorf("our login renewed %q", result.Renewed)
	}
	if env, err := m.DaemonEnv(); err != nil || !slices.Equal(env, []string{"GLOBUS_COMPUTE_CLIENT_ID=" + chiltepin}) {
		t.Errorf("DaemonEnv: %q, %v", env, err)
	}
	result, err := m.Logout(t.Context(), auth.LogoutOptions{})
	if err != nil {
		t.Error(result, err)
	}
	if left := w.Unrevoked(); len(left) != 0 {
		t.Errorf("alive after our logout: %v", left)
	}
}
