package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chiltepin/tools/operation"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"chiltepin/tools"
)

// face is one way to make a call: it returns the bytes of the result, or those
// of the error.
type face func(t *testing.T, name, args string) (result string, failure operation.Error)

// TestParity makes the same calls through the command line, MCP and JSON-RPC:
// the results are the same bytes, and the errors say the same.
func TestParity(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	dir := filepath.Join(home, ".globus_compute")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	recorded := filepath.Join("..", "..", "testdata", "endpoints", "4.19", "stopped")
	if err := os.CopyFS(dir, os.DirFS(recorded)); err != nil {
		t.Fatal(err)
	}
	const name = "cluster"
	pools := filepath.Join(home, "pools.yaml")
	id, err := os.ReadFile(filepath.Join(dir, name, "endpoint.json"))
	if err != nil {
		t.Fatal(err)
	}
	var known struct {
		ID string `json:"endpoint_id"`
	}
	if err := json.Unmarshal(id, &known); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pools, []byte("small:\n  endpoint: "+known.ID+"\n  mpi: <yes>\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	faces := map[string]face{"mcp": overMCP(t, home), "rpc": overRPC(t, home)}

	type call struct{ operation, args, undo string }
	calls := []call{
		{"endpoint.list", `{}`, ""},
		{"endpoint.list", fmt.Sprintf(`{"config_dir":%q}`, filepath.Join(home, "nothing")), ""},
		{"endpoint.status", fmt.Sprintf(`{"name":%q,"offline":true}`, name), ""},
		{"endpoint.status", `{"name":"no-such"}`, ""},
		{"endpoint.status", `{"name":"a/b"}`, ""},
		{"endpoint.logs", fmt.Sprintf(`{"name":%q}`, name), ""},
		{"endpoint.logs", fmt.Sprintf(`{"name":%q,"tail":3,"level":"INFO"}`, name), ""},
		{"endpoint.logs", fmt.Sprintf(`{"name":%q,"since":"soon"}`, name), ""},
		{"pool.check", fmt.Sprintf(`{"file":%q,"offline":true}`, pools), ""},
		{"pool.check", `{"file":"/no/such/file"}`, ""},
		{"pool.schema", `{}`, ""},
		{"pool.snippet", fmt.Sprintf(`{"name":%q}`, name), ""},
		{"pool.render", fmt.Sprintf(`{"file":%q,"name":"small"}`, pools), ""}, // there is no runtime here
		{"whoami", `{}`, ""},
		{"runtime.status", `{}`, ""},
		{"endpoint.configure", `{"name":"<&>ü","email":"me@example.org"}`, filepath.Join(dir, "<&>ü")},
		{"endpoint.configure", `{"name":"two words"}`, ""},
		{"endpoint.configure", `{"name":"new","email":"me@example.org"}`, filepath.Join(dir, "new")},
		{"endpoint.configure", fmt.Sprintf(`{"name":%q}`, name), ""},
		{"endpoint.stop", fmt.Sprintf(`{"name":%q}`, name), ""},
		{"endpoint.start", `{"name":"no-such"}`, ""},
		{"endpoint.list", `{"remote":true}`, ""},
		{"history", `{"tail":2}`, ""},
		{"history", `{"since":"soon"}`, ""},
	}
	for tool := range tools.All(tools.Services{}).All() {
		if tool.Effect == operation.Reads && tool.Event == "" && !slices.ContainsFunc(calls, func(c call) bool { return c.operation == tool.Name }) {
			t.Errorf("%s is not compared", tool.Name)
		}
	}
	for _, c := range calls {
		undo := func() {
			if c.undo != "" {
				if err := os.RemoveAll(c.undo); err != nil {
					t.Fatal(err)
				}
			}
		}
		want, wantErr := overCommandLine(home)(t, c.operation, c.args)
		for face, do := range faces {
			undo()
			got, err := do(t, c.operation, c.args)
			got, want := withoutWords(t, got), withoutWords(t, want)
			if got != want {
				t.Errorf("%s %s: over %s\n%s\non the command line\n%s", c.operation, c.args, face, got, want)
			}
			if c.operation == "endpoint.logs" || c.operation == "endpoint.configure" || wantErr.Code == operation.CodeInvalid {
				err.Next, wantErr.Next = nil, nil // each face has its own words for its help
			}
			// What to do is the same on every face, and each words it.
			if d := cmp.Diff(wantErr, err, cmp.AllowUnexported(operation.Error{}), cmpopts.IgnoreUnexported(operation.Next{})); d != "" {
				t.Errorf("%s %s: over %s (-command line +it):\n%s", c.operation, c.args, face, d)
			}
		}
		undo()
	}
}

// quietEnv is the environment of every face: nobody is logged in, and nothing
// is on the network.
func quietEnv(home string) []string {
	return []string{"HOME=" + home, "XDG_DATA_HOME=" + filepath.Join(home, "data"), "PATH=/usr/bin:/bin", "GORACE=atexit_sleep_ms=10"}
}

func overCommandLine(home string) face {
	return func(t *testing.T, name, args string) (string, operation.Error) {
		t.Helper()
		var in map[string]any
		if err := json.Unmarshal([]byte(args), &in); err != nil {
			t.Fatal(err)
		}
		argv := append(strings.Split(name, "."), "--json")
		for tool := range tools.All(tools.Services{}).All() {
			if tool.Name != name {
				continue
			}
			for f := range tool.Fields() {
				switch v, given := in[f.Name]; {
				case !given:
				case f.Positional:
					argv = append(argv, fmt.Sprint(v))
				case f.Name == "config_dir":
					argv = append(argv, "-c", fmt.Sprint(v))
				default:
					argv = append(argv, fmt.Sprintf("--%s=%v", f.Flag, v))
				}
			}
		}
		program, err := exec.LookPath("chiltepin")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, argv...)
		cmd.Env = quietEnv(home)
		var out, said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &said
		var e struct{ Error operation.Error }
		// A result can have an exit status of its own; then nothing is said.
		if cmd.Run() != nil && out.Len() == 0 {
			if err := json.Unmarshal(said.Bytes(), &e); err != nil {
				t.Fatalf("%v says %q", argv, said.String())
			}
		}
		return strings.TrimSuffix(out.String(), "\n"), e.Error
	}
}

func overMCP(t *testing.T, home string) face {
	s := startServer(t, home, quietEnv(home), "mcp", "--toolsets", "all", "--config-root", home)
	s.send(t, legacyHello)
	s.answer(t, "0")
	return func(t *testing.T, name, args string) (string, operation.Error) {
		t.Helper()
		c := s.call(t, "1", strings.ReplaceAll(name, ".", "_"), args)
		if !c.IsError {
			return string(c.StructuredContent), operation.Error{}
		}
		var e struct{ Error operation.Error }
		if err := json.Unmarshal(c.StructuredContent, &e); err != nil {
			t.Fatal(err)
		}
		return "", e.Error
	}
}

func overRPC(t *testing.T, home string) face {
	s := startServer(t, home, quietEnv(home), "rpc", "--config-root", home)
	return func(t *testing.T, name, args string) (string, operation.Error) {
		t.Helper()
		m := s.ask(t, "1", strings.ReplaceAll(name, ".", "/"), args)
		if m.Error == nil {
			return string(m.Result), operation.Error{}
		}
		f := s.failure(t)
		var data struct {
			Error struct{ Data map[string]json.RawMessage }
		}
		if err := json.Unmarshal([]byte(s.seen[len(s.seen)-1]), &data); err != nil {
			t.Fatal(err)
		}
		e := operation.Error{Code: operation.Code(f.Data.Code), Message: f.Message, Next: f.Data.Next}
		if e.Code.Info().RPC != f.Code {
			t.Errorf("%s: the code %d is not that of %s", name, f.Code, e.Code)
		}
		delete(data.Error.Data, "code")
		delete(data.Error.Data, "next")
		if len(data.Error.Data) > 0 {
			e.Data = new(operation.ErrorData)
			b, err := json.Marshal(data.Error.Data)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(b, e.Data); err != nil {
				t.Fatal(err)
			}
		}
		return "", e
	}
}

// withoutWords is a result without the words by which each face says what to do
// next: why and the rest stay.
func withoutWords(t *testing.T, result string) string {
	t.Helper()
	if !strings.Contains(result, `"next":[`) {
		return result
	}
	var v any
	if err := json.Unmarshal([]byte(result), &v); err != nil {
		t.Fatal(err)
	}
	var strip func(v any)
	strip = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				strip(one)
			}
		case map[string]any:
			for name, one := range v {
				if list, ok := one.([]any); ok && name == "next" {
					for _, step := range list {
						for _, words := range []string{"command", "tool", "arguments", "method", "params"} {
							delete(step.(map[string]any), words)
						}
					}
				}
				strip(one)
			}
		}
	}
	strip(v)
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
