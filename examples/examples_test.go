// Package examples_test runs the examples as their readers do: with the real
// programs, the real daemon and a stand-in for Globus.
package examples_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox/sandboxtest"
)

// bin is a directory with the program of this tree.
func bin(t *testing.T) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// made is a directory that TestMain makes and removes.
var made string

var built = sync.OnceValues(func() (string, error) {
	if out, err := exec.Command("go", "build", "-o", made, "chiltepin/cmd/chiltepin").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return made, nil
})

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if made, err = os.MkdirTemp("", "examples-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(made)
		return m.Run()
	}())
}

// place is a person's machine: somebody is logged in, and the endpoint mesa is
// configured.
type place struct {
	t   *testing.T
	box *sandboxtest.Box
	env []string
}

func newPlace(t *testing.T, path ...string) place {
	t.Helper()
	runtimetest.Long(t)
	box, home := sandboxtest.Start(t), t.TempDir()
	path = append([]string{bin(t)}, append(path, "/usr/local/bin", "/usr/bin", "/bin")...)
	p := place{t, box, box.ChildEnv(append(box.ClientCredentials(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_DATA_HOME="+filepath.Join(home, "data"), "PATH="+strings.Join(path, ":"),
		"CHILTEPIN_RUNTIME="+runtimetest.Env(t, runtimetest.Newest).Bin("globus-compute-endpoint"))...)}
	p.runs("chiltepin", "login")
	p.runs("chiltepin", "endpoint", "configure", "--email", "me@example.org", "mesa")
	t.Cleanup(func() { p.run("chiltepin", "endpoint", "stop", "--now", "--yes", "mesa") })
	return p
}

// run runs a program found by the place's PATH.
func (p place) run(name string, args ...string) (string, error) {
	p.t.Helper()
	if !strings.Contains(name, "/") {
		for _, pair := range p.env {
			if path, ok := strings.CutPrefix(pair, "PATH="); ok {
				for _, dir := range filepath.SplitList(path) {
					if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
						name = filepath.Join(dir, name)
						break
					}
				}
			}
		}
	}
	cmd := exec.Command(name, args...)
	cmd.Env = p.env
	out, err := cmd.CombinedOutput()
	if leaks := p.box.Leaks(string(out)); len(leaks) > 0 {
		p.t.Errorf("%s shows %v", name, leaks)
	}
	return string(out), err
}

func (p place) runs(name string, args ...string) string {
	p.t.Helper()
	out, err := p.run(name, args...)
	if err != nil {
		p.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

// fails wants exit status 1.
func (p place) fails(name string, args ...string) string {
	p.t.Helper()
	out, err := p.run(name, args...)
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		p.t.Fatalf("%s %v: %v, want exit status 1\n%s", name, args, err, out)
	}
	return out
}

func (p place) running() bool {
	p.t.Helper()
	var s struct{ Status string }
	if err := json.Unmarshal([]byte(p.runs("chiltepin", "endpoint", "status", "--json", "mesa")), &s); err != nil {
		p.t.Fatal(err)
	}
	return s.Status == "Running"
}

// needs finds a program that a reader of an example has. Where the tests must
// be whole, it must be there.
func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not here", program)
	}
	t.Skipf("%s is not here; install it to run this example", program)
}

func contains(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("it says\n%s\nand not %q", text, w)
		}
	}
}

// saysWhatToDo wants the failure of an endpoint that is not there, and the call
// that lists those that are.
func saysWhatToDo(t *testing.T, text string) {
	t.Helper()
	if !regexp.MustCompile(`not_found: .*\n(next: .*\n)*next: .*endpoint[ /]list`).MatchString(text) {
		t.Errorf("it says\n%s\nand not what failed and what to do next", text)
	}
}

func TestShell(t *testing.T) {
	t.Parallel()
	needs(t, "jq")
	p := newPlace(t)
	contains(t, p.runs("./start.sh", "mesa"), "mesa\tInitialized", "mesa is Running as ")
	if !p.running() {
		t.Error("it does not run")
	}
	saysWhatToDo(t, p.fails("./start.sh", "dry"))
}

func TestNode(t *testing.T) {
	t.Parallel()
	packages := runtimetest.Node(t, runtimetest.RPC)
	p := newPlace(t)
	p.env = append(p.env, "NODE_PATH="+filepath.Join(packages.Dir, "node_modules"))
	contains(t, p.runs(packages.Program, "start.cjs", "mesa"), "mesa\tInitialized", "mesa is now Starting", "mesa is Running as ")
	if !p.running() {
		t.Error("it does not run")
	}
	saysWhatToDo(t, p.fails(packages.Program, "start.cjs", "dry"))
}

// TestNeovim has the editor show the endpoints, start one, and show that it
// runs without being told to look again.
func TestNeovim(t *testing.T) {
	t.Parallel()
	needs(t, "nvim")
	p := newPlace(t)
	told := filepath.Join(t.TempDir(), "told")
	script := filepath.Join(t.TempDir(), "script.lua")
	if err := os.WriteFile(script, []byte(fmt.Sprintf(`
local out = io.open(%q, 'w')
vim.notify = function(text) out:write('notify: ' .. text .. '\n') out:flush() end
local function lines() return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n') end
local function await(what, text)
  if not vim.wait(60000, function() return lines():find(text) ~= nil end, 50) then what = 'NOT ' .. what end
  out:write(what .. '\n') out:flush()
end
vim.cmd('Chiltepin')
await('shown', 'Initialized +mesa')
vim.cmd('Chiltepin start mesa')
await('runs', 'Running +mesa')
vim.cmd('Chiltepin start dry')
vim.wait(60000, function() local f = io.open(%q):read('a') return f:find('dry') ~= nil and f:find('mesa') ~= nil end, 50)
vim.cmd('qall!')
`, told, told)), 0o600); err != nil {
		t.Fatal(err)
	}
	said := p.runs("nvim", "--headless", "--clean", "-c", "luafile chiltepin.lua", "-c", "luafile "+script)
	text, err := os.ReadFile(told)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(text)+said, "shown\n", "runs\n", "notify: mesa: Running", "notify: no endpoint \"dry\"")
	if strings.Contains(string(text), "NOT") {
		t.Errorf("%s%s", text, said)
	}
	if !p.running() {
		t.Error("it does not run")
	}
}

// TestOpenRPC has OpenRPC's own check look at the document that the program
// gives, and finds it right; and a broken one wrong.
func TestOpenRPC(t *testing.T) {
	t.Parallel()
	packages := runtimetest.Node(t, runtimetest.RPC)
	cmd := exec.Command(filepath.Join(bin(t), "chiltepin"), "rpc")
	cmd.Stdin = strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}`)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Result map[string]any }
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	check := func() string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "openrpc.json")
		b, err := json.Marshal(answer.Result)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		node := exec.Command(packages.Program, "-e", `
const { validateOpenRPCDocument, parseOpenRPCDocument } = require('@open-rpc/schema-utils-js');
const document = JSON.parse(require('node:fs').readFileSync(process.argv[1], 'utf8'));
const wrong = validateOpenRPCDocument(document);
console.log(wrong === true ? 'right' : 'wrong');`, file)
		node.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(packages.Dir, "node_modules"))
		said, err := node.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		return strings.TrimSpace(string(said))
	}
	if got := check(); got != "right" {
		t.Errorf("the document is %s", got)
	}
	methods := answer.Result["methods"].([]any)
	if len(methods) < 10 {
		t.Errorf("it has %d methods", len(methods))
	}
	delete(methods[0].(map[string]any), "params")
	if got := check(); got != "wrong" {
		t.Errorf("a method without params is %s", got)
	}
}
