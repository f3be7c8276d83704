package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"chiltepin/tools/operation"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// catalog is the whole catalogue over services that are never asked.
func catalog() *operation.Catalog { return All(Services{}) }

func TestHouseRules(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z]+(\.[a-z]+)*$`)
	for tool := range catalog().All() {
		t.Run(tool.Name, func(t *testing.T) {
			t.Parallel()
			if !name.MatchString(tool.Name) {
				t.Error("the name must be lower-case words joined by dots")
			}
			if s := tool.Summary; s == "" || strings.HasSuffix(s, ".") || len(s) > 70 || s[:1] != strings.ToUpper(s[:1]) {
				t.Errorf("summary %q: want one short line with a capital and without a full stop", s)
			}
			if tool.Title == "" || len(tool.Title) > 30 {
				t.Errorf("title %q: want two or three words", tool.Title)
			}
			if len(tool.Doc) < 80 || strings.HasSuffix(tool.Doc, "\n") {
				t.Error("the prose must say what happens")
			}
			for line := range strings.SplitSeq(tool.Doc, "\n") {
				if len(line) > 92 {
					t.Errorf("line of prose too long for a terminal: %q", line)
				}
			}
			if len(tool.Examples) == 0 {
				t.Error("no example")
			}
			for _, x := range tool.Examples {
				if !strings.HasPrefix(x, "chiltepin ") {
					t.Errorf("example %q must be a command line", x)
				}
			}
			for _, c := range tool.Errors {
				if c.Info().Code != c || c == operation.CodeInternal || c == operation.CodeInvalid || c == operation.CodeCanceled {
					t.Errorf("error %q: want a code of the table that not every operation has", c)
				}
			}
			for f := range tool.Fields() {
				if f.Description == "" {
					t.Errorf("field %s has no description", f.Name)
				}
				if strings.HasSuffix(f.Description, ".") {
					t.Errorf("field %s: the description is a phrase, without a full stop", f.Name)
				}
				if f.Pattern != "" && !regexp.MustCompile(f.Pattern).MatchString(f.Example) {
					t.Errorf("field %s: the example %q does not match the pattern", f.Name, f.Example)
				}
			}
			if tool.ChangesBy != "" && !slices.ContainsFunc(slices.Collect(tool.Fields()), func(f operation.Field) bool {
				return f.Name == tool.ChangesBy && f.Type.Kind() == reflect.Bool && !f.Required
			}) {
				t.Errorf("it changes something by %s, which is no switch", tool.ChangesBy)
			}
			for field := range tool.Complete {
				if !slices.ContainsFunc(slices.Collect(tool.Fields()), func(f operation.Field) bool { return f.Name == field }) {
					t.Errorf("completion of a field that is not there: %s", field)
				}
			}
		})
	}
}

// TestSchemasArePortable keeps out what clients of language models refuse or
// misread: combinations at the top, references, unnamed objects.
func TestSchemasArePortable(t *testing.T) {
	t.Parallel()
	for tool := range catalog().All() {
		for kind, raw := range map[string]json.RawMessage{"input": tool.InputSchema(), "output": tool.OutputSchema()} {
			var s map[string]any
			if err := json.Unmarshal(raw, &s); err != nil {
				t.Fatal(err)
			}
			if s["type"] != "object" {
				t.Errorf("%s: %s schema is no object", tool.Name, kind)
			}
			for _, word := range []string{"anyOf", "oneOf", "allOf", "$ref", "null"} {
				if bytes.Contains(raw, []byte(`"`+word+`"`)) {
					t.Errorf("%s: %s schema has %s", tool.Name, kind, word)
				}
			}
			if closed := s["additionalProperties"] == false; closed != (kind == "input") {
				t.Errorf("%s: input schemas are closed and output schemas open; %s is not", tool.Name, kind)
			}
		}
	}
}

// TestGoldenSchemas compares what the world sees with testdata/tools, both
// ways: an operation without a golden fails, and so does a golden without an
// operation.
func TestGoldenSchemas(t *testing.T) {
	dir := filepath.Join("..", "testdata", "tools")
	seen := map[string]bool{}
	for tool := range catalog().All() {
		seen[tool.Name+".json"] = true
		got, err := json.MarshalIndent(map[string]any{
			"name": tool.Name, "title": tool.Title, "summary": tool.Summary, "effect": tool.Effect.String(), "toolset": operation.ToolsetOf(tool),
			"errors": tool.Errors, "input": tool.InputSchema(), "output": tool.OutputSchema(),
		}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join(dir, tool.Name+".json"), append(got, '\n'))
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !seen[f.Name()] {
			t.Errorf("%s is the golden of no operation; remove it", f.Name())
		}
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with: make update", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what is shown now (-golden +now); if that is meant: make update\n%s", path, diff)
	}
}

// TestCodesAreTotal holds the table to the design: every code once, every
// number once, application codes outside what JSON-RPC reserves, and the
// README with the same rows.
func TestCodesAreTotal(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	exits, rpcs := map[int]bool{}, map[int]bool{}
	for _, row := range operation.Codes() {
		if exits[row.Exit] || rpcs[row.RPC] {
			t.Errorf("%s shares a number", row.Code)
		}
		exits[row.Exit], rpcs[row.RPC] = true, true
		if row.RPC < 0 && row.RPC != -32603 && row.RPC != -32602 && row.RPC != -32800 {
			t.Errorf("%s: %d is reserved", row.Code, row.RPC)
		}
		line := "| " + itoa(row.Exit) + " | `" + string(row.Code) + "` | " + row.When + " |"
		if !strings.Contains(string(readme), line) {
			t.Errorf("README.md lacks the row %s", line)
		}
	}
	if len(exits) != 12 {
		t.Errorf("%d codes, want 12", len(exits))
	}
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

// TestDestroyersAsk runs every operation that destroys for a person who says
// no, and fails when anything was changed.
func TestDestroyersAsk(t *testing.T) {
	t.Parallel()
	asked := 0
	for _, call := range []struct{ tool, args string }{
		{"endpoint.delete", `{"name":"mesa","force":true}`},
		{"endpoint.delete", `{"name":"mesa","force":true,"local_only":true}`},
		{"endpoint.stop", `{"name":"mesa","now":true}`},
		{"endpoint.restart", `{"name":"mesa","now":true}`},
		{"endpoint.prune", `{}`},
	} {
		fake := &fakeEndpoints{}
		cat := All(fake.services())
		ctx := operation.WithConsent(t.Context(), func(_ context.Context, q operation.Question) error {
			asked++
			subject, id := "mesa", fakeID
			if call.tool == "endpoint.prune" {
				// There the answer is bound to the whole plan.
				subject, id = "prune", "11703eded4d977803ac71c944d5d002f"
			}
			if q.Subject != subject || q.ID != id || q.ConfigDir != "/etc/gc" || !strings.HasSuffix(q.Text, ".") && !strings.HasSuffix(q.Text, "?") || q.Operation != call.tool {
				t.Errorf("%s asks %+v", call.tool, q)
			}
			return operation.Declined(q)
		})
		_, err := cat.Lookup(call.tool).Call(ctx, json.RawMessage(call.args))
		var e *operation.Error
		if !errors.As(err, &e) || e.Code != operation.CodeRefused {
			t.Errorf("%s %s: declined, and got %v", call.tool, call.args, err)
		}
		if len(fake.changed) > 0 {
			t.Errorf("%s %s: declined, and did %v", call.tool, call.args, fake.changed)
		}
		if _, err := cat.Lookup(call.tool).Call(t.Context(), json.RawMessage(call.args)); err == nil || len(fake.changed) > 0 {
			t.Errorf("%s %s: nobody could be asked, and it was done", call.tool, call.args)
		}
	}
	if asked != 5 {
		t.Errorf("asked %d times, want 5", asked)
	}
	for tool := range catalog().All() {
		if tool.Effect == operation.Destroys && tool.Name != "endpoint.delete" && tool.Name != "endpoint.prune" {
			t.Errorf("%s destroys and is not in this test", tool.Name)
		}
	}
}
