package runtimetest_test

import (
	"os/exec"
	"strings"
	"testing"

	"chiltepin/globus/runtime/runtimetest"
)

func TestEnv(t *testing.T) {
	t.Parallel()
	for set, want := range map[runtimetest.Set]string{
		runtimetest.Newest: "globus-compute-endpoint 4.19.0\nglobus-compute-sdk 4.19.0\ntexttable 1.7.1\n",
		runtimetest.V415:   "globus-compute-endpoint 4.15.0\nglobus-compute-sdk 4.15.0\ntexttable 1.7.1\n",
		runtimetest.V46:    "globus-compute-endpoint 4.6.0\nglobus-compute-sdk 4.6.0\ntexttable 1.7.1\n",
	} {
		t.Run(string(set), func(t *testing.T) {
			t.Parallel()
			env := runtimetest.Env(t, set)
			const script = `
import importlib.metadata as m
for name in ("globus-compute-endpoint", "globus-compute-sdk", "texttable"):
    print(name, m.version(name))
`
			got, err := exec.Command(env.Python, "-c", script).Output()
			if err != nil || string(got) != want {
				t.Errorf("the environment %s has\n%s(%v), want\n%s", env.Dir, got, err, want)
			}
			// The lock is installed without its dependencies being looked at
			// again; that it is whole is proven here.
			uv := runtimetest.Env(t, runtimetest.UV).Bin("uv")
			if out, err := exec.Command(uv, "pip", "check", "--python", env.Python).CombinedOutput(); err != nil {
				t.Errorf("uv pip check: %v\n%s", err, out)
			}
			if again := runtimetest.Env(t, set); again != env {
				t.Errorf("the second call returned %v, want %v", again, env)
			}
		})
	}
}

func TestBuildUnknownSet(t *testing.T) {
	t.Parallel()
	_, err := runtimetest.Build(t.Context(), "nosuch")
	if err == nil || !strings.Contains(err.Error(), `environment "nosuch"`) {
		t.Errorf("Build of an unknown set: %v, want an error that names it", err)
	}
}

func TestNode(t *testing.T) {
	t.Parallel()
	for set, want := range map[runtimetest.NodeSet]string{
		runtimetest.TypeScript:  "@modelcontextprotocol/client 2.4.0 @modelcontextprotocol/sdk 1.32.2",
		runtimetest.Inspector:   "@modelcontextprotocol/inspector 2.12.0",
		runtimetest.Conformance: "@modelcontextprotocol/conformance 0.2.0-alpha.12",
	} {
		t.Run(string(set), func(t *testing.T) {
			t.Parallel()
			p := runtimetest.Node(t, set)
			const script = `
const fs = require("fs");
const version = f => JSON.parse(fs.readFileSync(f)).version;
console.log(process.version, Object.keys(JSON.parse(fs.readFileSync("package.json")).dependencies)
  .map(d => d + " " + version("node_modules/" + d + "/package.json")).join(" "));
`
			c := exec.Command(p.Program, "--input-type=commonjs", "-e", script)
			c.Dir = p.Dir
			got, err := c.Output()
			if err != nil || string(got) != "v24.19.0 "+want+"\n" {
				t.Errorf("%s has %s(%v), want Node v24.19.0 and %s", p.Dir, got, err, want)
			}
		})
	}
}
