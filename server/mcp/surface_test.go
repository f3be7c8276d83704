package mcp_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"chiltepin/server/mcp"
	"chiltepin/tools"
)

// TestSurface holds the list of tools that the product shows by default to
// what a model can afford, and to what every client can take.
func TestSurface(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	in := strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	if err := mcp.Serve(t.Context(), mcp.Options{Catalog: tools.All(tools.Services{}), Instructions: tools.Instructions, In: in, Out: &out, Version: "test"}); err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Result struct {
			Tools []struct {
				Name, Title, Description  string
				Annotations               map[string]bool
				InputSchema, OutputSchema map[string]any
			} `json:"tools"`
		} `json:"result"`
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	list := answer.Result.Tools
	if n := len(list); n < 8 || n > 16 {
		t.Errorf("%d tools are listed by default, want 8 to 16", n)
	}
	if n := out.Len(); n > 16_000 {
		t.Errorf("the list is %d bytes, want at most 16000", n)
	}
	for _, tool := range list {
		if tool.Title == "" || tool.Description == "" || strings.ContainsAny(tool.Name, ". ") {
			t.Errorf("%q: title %q, description %q", tool.Name, tool.Title, tool.Description)
		}
		if strings.Contains(tool.Description, "--") {
			t.Errorf("%s speaks of the command line: %s", tool.Name, tool.Description)
		}
		for _, hint := range []string{"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"} {
			if _, set := tool.Annotations[hint]; !set {
				t.Errorf("%s: %s is not set", tool.Name, hint)
			}
		}
		for _, s := range []map[string]any{tool.InputSchema, tool.OutputSchema} {
			if s["type"] != "object" || s["anyOf"] != nil || s["oneOf"] != nil || s["allOf"] != nil {
				t.Errorf("%s: some providers refuse this schema: %v", tool.Name, s)
			}
		}
		if tool.InputSchema["additionalProperties"] != false {
			t.Errorf("%s: the schema of its arguments is open", tool.Name)
		}
	}
}
