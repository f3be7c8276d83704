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
func (w *world) python(t *testing.T, env runtimetest.PythonEnvironment, verb string, more ...string) string {
	t.Helper()
	return w.run(t, exec.CommandContext(t.Context(), env.Python, "testdata/programs.py", verb), more...)
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

// programs are the Python programs of one row of the matrix.
type programs struct {
	set    runtimetest.Set
	python string
	// client is that of its Chiltepin.
	client string
}

func matrix() []programs {
	return []programs{
		{runtimetest.Newest, "3.10", chiltepin},
		{runtimetest.Newest, "3.13", chiltepin},
		{runtimetest.Chiltepin016, "3.10", olderChiltepin},
		{runtimetest.Chiltepin016, "3.13", olderChiltepin},
	}
}

// eachProgram runs a test for every row.
func eachProgram(t *testing.T, run func(*testing.T, programs, runtimetest.PythonEnvironment)) {
	for _, row := range matrix() {
		env, got := runtimetest.EnvOn(t, row.set, row.python)
		t.Run(string(row.set)+"/"+got, func(t *testing.T) {
			t.Parallel()
			run(t, row, env)
		})
	}
}

// After our login the Python programs are logged in, and renew our tokens; after
// our logout they ask. A Chiltepin of another client is given ours, as whoami
// advises.
func TestPythonAfterOurLogin(t *testing.T) {
	t.Parallel()
	eachProgram(t, func(t *testing.T, row programs, env runtimetest.PythonEnvironment) {
		w := startedWorld(t)
		m := w.manager(t)
		w.login(t, m)
		given, err := m.DaemonEnv()
		if err != nil || !slices.Equal(given, []string{"GLOBUS_COMPUTE_CLIENT_ID=" + chiltepin}) {
			t.Fatal(given, err)
		}
		var more []string
		if row.client != chiltepin {
			more = given
		}
		if got := w.python(t, env, "check", more...); got != `{"academy": false, "compute": false, "transfer": false}` {
			t.Errorf("who asks for a login after ours: %s", got)
		}
		before := read(t, w.compute(), "user/production")
		w.ExpireTokens("access")
		if got := w.python(t, env, "use", more...); got != `{"endpoints": [], "transfer": true, "version": true}` {
			t.Errorf("used: %s", got)
		}
		after := read(t, w.compute(), "user/production")
		if w.refreshes() == 0 || after["funcx_service"].AccessToken.Equal(before["funcx_service"].AccessToken) {
			t.Error("Python did not renew our token")
		}
		if status, err := get(t, m, listURL); err != nil || status != 200 {
			t.Error("after Python renewed it:", status, err)
		}
		w.run(t, exec.CommandContext(t.Context(), env.Bin("globus-compute-endpoint"), "whoami"), given...)
		if row == matrix()[0] {
			w.run(t, exec.CommandContext(t.Context(), runtimetest.Env(t, runtimetest.V415).Bin("globus-compute-endpoint"), "whoami"), given...)
		}
		if result, err := m.Logout(t.Context(), auth.LogoutOptions{}); err != nil {
			t.Error(result, err)
		}
		if got := w.python(t, env, "check", more...); got != `{"academy": true, "compute": true, "transfer": true}` {
			t.Errorf("who asks for a login after our logout: %s", got)
		}
	})
}

// After Python Chiltepin's login we are logged in; the rows that one of another
// client leaves do not stop our login; our logout leaves nothing of either.
func TestPythonBeforeUs(t *testing.T) {
	t.Parallel()
	eachProgram(t, func(t *testing.T, row programs, env runtimetest.PythonEnvironment) {
		w := startedWorld(t)
		w.python(t, env, "login")
		m := w.manager(t)
		want := map[string]bool{auth.Compute: true, auth.Transfer: row.client == chiltepin, auth.Academy: true}
		for service, want := range want {
			if loggedIn(m, service) != want {
				t.Errorf("%s after Python's login: logged in %v, want %v", service, !want, want)
			}
		}
		if status, err := get(t, m, listURL); err != nil || status != 200 {
			t.Error("with Python's tokens:", status, err)
		}
		if env, err := m.DaemonEnv(); err != nil || !slices.Equal(env, []string{"GLOBUS_COMPUTE_CLIENT_ID=" + row.client}) {
			t.Errorf("DaemonEnv: %q, %v", env, err)
		}
		var renewed []string
		if row.client != chiltepin {
			renewed = []string{"compute", "transfer"}
		}
		if result := w.login(t, m); !slices.Equal(result.Renewed, renewed) {
			t.Errorf("our login renewed %q, want %q", result.Renewed, renewed)
		}
		result, err := m.Logout(t.Context(), auth.LogoutOptions{})
		if err != nil {
			t.Error(result, err)
		}
		if left := w.Unrevoked(); len(left) != 0 {
			t.Errorf("alive after our logout: %v", left)
		}
	})
}
