package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"chiltepin/tools/operation"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/rogpeppe/go-internal/testscript"

	"chiltepin/globus/runtime/runtimetest"
	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
	"chiltepin/tools"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"chiltepin": main})
}

// TestScripts tells stories of the command line that need no service and no
// Python: files, arguments, errors.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setupHome,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": scriptExits, "jsonlines": scriptJSONLines},
	})
}

// TestReal tells stories with the real daemon against the stand-in, one
// stand-in a story.
func TestReal(t *testing.T) {
	t.Parallel()
	newest, v415 := runtimetest.Env(t, runtimetest.Newest), runtimetest.Env(t, runtimetest.V415)
	testscript.RunT(story{T: t}, testscript.Params{
		Dir:                 "testdata/real",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			if err := setupHome(env); err != nil {
				return err
			}
			told := env.T().(story)
			box := sandboxtest.Start(told.T)
			*told.box = box
			env.Values["box"], env.Values["env"] = box, env
			for _, pair := range append(append(box.Env(), sandboxtest.Patience), box.ClientCredentials()...) {
				name, value, _ := strings.Cut(pair, "=")
				env.Setenv(name, value)
			}
			env.Setenv("CHILTEPIN_RUNTIME", newest.Bin("globus-compute-endpoint"))
			env.Setenv("NEWEST", newest.Bin("globus-compute-endpoint"))
			env.Setenv("PYTHON", newest.Python)
			env.Setenv("PYTHONPROGRAMS", filepath.Dir(newest.Python))
			env.Setenv("V415", v415.Bin("globus-compute-endpoint"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"broker":     scriptBrokerFault,
			"exits":      scriptExits,
			"interrupts": scriptInterrupts,
			"conforms":   scriptConforms,
			"paste":      scriptPaste,
			"fault":      scriptFault,
			"requests":   scriptRequests,
			"kill-9":     scriptKill,
			"within":     scriptWithin,
			"nosecret":   scriptNoSecret,
			"setting":    scriptSetting,
			"alive":      scriptAlive,
		},
	})
}

// story is a script's [testing.T] that scans all that its commands printed, for
// every token, code and password that its stand-in ever gave out.
type story struct {
	*testing.T
	box **sandboxtest.Box
}

// Run runs one script.
func (s story) Run(name string, f func(testscript.T)) {
	s.T.Run(name, func(t *testing.T) { f(story{T: t, box: new(*sandboxtest.Box)}) })
}

// Verbose has the whole output of a script handed to Log, which passes it on
// where it is wanted.
func (s story) Verbose() bool { return true }

// Log scans the output.
func (s story) Log(args ...any) {
	if text := fmt.Sprint(args...); s.box != nil && *s.box != nil {
		// What a script begins with shows its own environment.
		text = regexp.MustCompile(`(?m)^\s*GLOBUS_COMPUTE_CLIENT_SECRET=.*$`).ReplaceAllString(text, "")
		if leaks := (*s.box).Leaks(text); len(leaks) > 0 {
			s.Errorf("the output holds %v", leaks)
			return
		}
	}
	if testing.Verbose() || s.Failed() {
		s.T.Log(args...)
	}
}

// setupHome gives a script a home of its own and takes away what would lead
// it to another directory.
func setupHome(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("XDG_DATA_HOME", filepath.Join(home, "data"))
	for _, name := range []string{"GLOBUS_COMPUTE_USER_DIR", "GLOBUS_COMPUTE_CLIENT_ID", "GLOBUS_COMPUTE_CLIENT_SECRET", "CHILTEPIN_RUNTIME", "NO_COLOR"} {
		env.Setenv(name, "")
	}
	// Under the race detector every child would sleep a second at its end.
	env.Setenv("GORACE", "atexit_sleep_ms=10")
	return nil
}

func boxOf(ts *testscript.TestScript) *sandboxtest.Box { return ts.Value("box").(*sandboxtest.Box) }

// scriptExits runs a command that must end with an exit status: exits STATUS
// COMMAND ARG...
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND ARG...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// scriptJSONLines wants every line of the last standard output to be a JSON-RPC
// message, and exactly one answer for each id: jsonlines ID...
func scriptJSONLines(ts *testscript.TestScript, neg bool, args []string) {
	answers := map[string]int{}
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		var message struct {
			JSONRPC string          `json:"jsonrpc"`
			ID      json.RawMessage `json:"id"`
			Method  string          `json:"method"`
		}
		if err := json.Unmarshal([]byte(line), &message); err != nil || message.JSONRPC != "2.0" {
			ts.Fatalf("a line of standard output is no message: %q", line)
		}
		if message.Method == "" {
			answers[string(message.ID)]++
		}
	}
	for _, id := range args {
		if answers[id] != 1 {
			ts.Fatalf("request %s has %d answers", id, answers[id])
		}
	}
}

// scriptConforms wants the last standard output to be as the output schema of an
// operation says, and small enough for a model: conforms OPERATION.
func scriptConforms(ts *testscript.TestScript, neg bool, args []string) {
	tool := tools.All(tools.Services{}).Lookup(args[0])
	if neg || tool == nil {
		ts.Fatalf("usage: conforms OPERATION")
	}
	var schema jsonschema.Schema
	ts.Check(json.Unmarshal(tool.OutputSchema(), &schema))
	resolved, err := schema.Resolve(nil)
	ts.Check(err)
	text := ts.ReadFile("stdout")
	var result any
	ts.Check(json.Unmarshal([]byte(text), &result))
	ts.Check(resolved.Validate(result))
	if most := 4 << 10; tool.Effect == operation.Reads && len(text) > most {
		ts.Fatalf("%s gave %d bytes, want at most %d", args[0], len(text), most)
	}
}

// scriptInterrupts runs a command, presses ctrl-C after a while, and wants the
// exit status of an interruption: interrupts DURATION COMMAND ARG...
func scriptInterrupts(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: interrupts DURATION COMMAND ARG...")
	}
	after, err := time.ParseDuration(args[0])
	ts.Check(err)
	scriptExits(ts, false, append([]string{"130", "timeout", "--preserve-status", "--foreground", "-s", "INT", fmt.Sprint(after.Seconds())}, args[1:]...))
}

// scriptPaste is a person with a browser: paste PROGRAM ARG... runs a program
// without client credentials, opens each address of Globus Auth that it shows
// and pastes the code. What it printed is shown and scanned for secrets.
func scriptPaste(ts *testscript.TestScript, neg bool, args []string) {
	env := ts.Value("env").(*testscript.Env)
	var vars []string
	for _, pair := range env.Vars {
		if !strings.HasPrefix(pair, "GLOBUS_COMPUTE_CLIENT_") {
			vars = append(vars, pair)
		}
	}
	program := args[0]
	if !filepath.IsAbs(program) {
		for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
			if _, err := os.Stat(filepath.Join(dir, args[0])); err == nil {
				program = filepath.Join(dir, args[0])
				break
			}
		}
	}
	cmd := exec.Command(program, args[1:]...)
	cmd.Env, cmd.Dir = vars, env.WorkDir
	stdin, err := cmd.StdinPipe()
	ts.Check(err)
	shown, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		write.Close()
	}()
	var all strings.Builder
	for lines := bufio.NewScanner(shown); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		if url := strings.TrimSpace(lines.Text()); strings.HasPrefix(url, "https://auth.globus.org/v2/oauth2/authorize") {
			fmt.Fprintln(stdin, boxOf(ts).AuthorizeCode(url))
		}
	}
	err = <-ended
	ts.Logf("%s", all.String())
	if leaks := boxOf(ts).Leaks(all.String()); len(leaks) > 0 {
		ts.Fatalf("%s showed %v", args[0], leaks)
	}
	if (err != nil) != neg {
		ts.Fatalf("%s ended with %v", args[0], err)
	}
}

// scriptFault orders faults of the stand-in, as its control path takes them,
// or ends them: fault JSON, fault clear.
func scriptFault(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fault JSON|clear")
	}
	if args[0] == "clear" {
		boxOf(ts).ClearFaults()
		return
	}
	var f sandbox.Fault
	ts.Check(json.Unmarshal([]byte(args[0]), &f))
	boxOf(ts).Order(f)
}

// scriptRequests checks how often the stand-in was asked: requests METHOD
// PATH COUNT, where * in the path stands for anything but a slash.
func scriptRequests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: requests METHOD PATH COUNT")
	}
	if got := fmt.Sprint(len(boxOf(ts).Requests(args[0], args[1]))); got != args[2] {
		ts.Fatalf("%s %s was asked %s times, want %s", args[0], args[1], got, args[2])
	}
}

// scriptKill kills the process whose id is in a file: kill-9 FILE.
func scriptKill(ts *testscript.TestScript, neg bool, args []string) {
	pid := strings.TrimSpace(ts.ReadFile(args[0]))
	if !regexp.MustCompile(`^[1-9][0-9]*$`).MatchString(pid) {
		ts.Fatalf("no process id in %s: %q", args[0], pid)
	}
	ts.Check(ts.Exec("kill", "-9", pid))
}

// scriptWithin runs a command until its output matches: within DURATION
// PATTERN COMMAND ARG...
func scriptWithin(ts *testscript.TestScript, neg bool, args []string) {
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	pattern := regexp.MustCompile("(?m)" + args[1])
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for {
		_ = ts.Exec(args[2], args[3:]...)
		if out := ts.ReadFile("stdout") + ts.ReadFile("stderr"); pattern.MatchString(out) {
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("no match for %s within %s", pattern, limit)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// scriptNoSecret fails when a token, code or password that the stand-in ever
// gave out stands in the output of the last command, or in a file named.
func scriptNoSecret(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: nosecret [FILE...]")
	}
	for _, file := range append([]string{"stdout", "stderr"}, args...) {
		if leaks := boxOf(ts).Leaks(ts.ReadFile(file)); len(leaks) > 0 {
			ts.Fatalf("%s holds %v", file, leaks)
		}
	}
}
