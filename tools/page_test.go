package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"chiltepin/tools/operation"

	"github.com/google/jsonschema-go/jsonschema"
)

// TestGoldenPage keeps docs/reference.md as the catalogue has it.
func TestGoldenPage(t *testing.T) {
	golden(t, filepath.Join("..", "docs", "reference.md"), []byte(page(catalog())))
}

// page is the reference of every operation, for people.
func page(c *operation.Catalog) string {
	var b strings.Builder
	b.WriteString("# Reference\n\nMade from the catalogue by `make update`; a test fails when it is stale.\n\n" +
		"Every operation is a command, an MCP tool, a JSON-RPC method (slashes for the dots) and a JSON object in and out. `config_dir` is `-c` on the command line; a server takes it only where it was started with `--config-root`.\n\n" +
		"| operation | MCP tool | effect | does |\n|---|---|---|---|\n")
	for t := range c.All() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", t.Name, strings.ReplaceAll(t.Name, ".", ""), onMCP(t), t.Effect, t.Summary)
	}
	for t := range c.All() {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n%s\n\n", t.Name, t.Summary, t.Doc)
		fmt.Fprintf(&b, "Toolset `%s`, effect: %s", operation.ToolsetOf(t), t.Effect)
		if t.MayAsk() {
			b.WriteString("; asks a person")
			if t.Effect != operation.Destroys {
				b.WriteString(" when its arguments make it destroy something")
			}
		}
		b.WriteString(".\n\n```console\n")
		for _, x := range t.Examples {
			fmt.Fprintf(&b, "$ %s\n", x)
		}
		b.WriteString("```\n\n| argument | on the command line | type | |\n|---|---|---|---|\n")
		for f := range t.Fields() {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, onCommandLine(f), typeOf(t.Input().Properties[f.Name]), describeField(f))
		}
		b.WriteString("\n| result | type | |\n|---|---|---|\n")
		rows(&b, "", t.Output())
		if t.Event != "" {
			b.WriteString("\nThen, for each change (on JSON-RPC the notification `" + strings.ReplaceAll(t.Event, ".", "/") + "`):\n\n| member | type | |\n|---|---|---|\n")
			rows(&b, "", t.EventObject())
		}
		codes := []string{}
		for _, row := range operation.Codes() {
			if t.CanFailWith(row.Code) {
				codes = append(codes, fmt.Sprintf("`%s` (%d)", row.Code, row.Exit))
			}
		}
		fmt.Fprintf(&b, "\nCan fail with (exit status): %s.\n", strings.Join(codes, ", "))
	}
	return b.String()
}

func onMCP(t *operation.Tool) string {
	if t.Event != "" {
		return "none: it streams"
	}
	return "`" + strings.ReplaceAll(t.Name, ".", "_") + "`"
}

func onCommandLine(f operation.Field) string {
	switch {
	case f.Wire:
		return ""
	case f.Positional:
		return "`" + strings.ToUpper(f.Name) + "`"
	case f.Short != "":
		return fmt.Sprintf("`-%s`, `--%s`", f.Short, f.Flag)
	}
	return "`--" + f.Flag + "`"
}

func describeField(f operation.Field) string {
	text := f.Description
	if f.Required {
		text += "; required"
	}
	if f.Person {
		text += "; on the command line only"
	}
	if len(f.Enum) > 0 {
		text += ": " + strings.Join(f.Enum, ", ")
	}
	return text
}

func typeOf(s *jsonschema.Schema) string {
	if s.Type == "array" {
		return "list of " + s.Items.Type
	}
	if s.Pattern == spans().Pattern {
		return "duration"
	}
	return s.Type
}

// rows writes a line for each member of a result, and for those of its
// objects below it.
func rows(b *strings.Builder, at string, s *jsonschema.Schema) {
	for _, name := range s.PropertyOrder {
		p := s.Properties[name]
		text := p.Description
		if len(p.Enum) > 0 {
			words, _ := json.Marshal(p.Enum)
			text += ": " + strings.NewReplacer(`"`, "", "[", "", "]", "", ",", ", ").Replace(string(words))
		}
		path := strings.TrimPrefix(at+"."+name, ".")
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", path, typeOf(p), text)
		switch {
		case p.Type == "object" && len(p.Properties) > 0:
			rows(b, path, p)
		case p.Type == "array" && len(p.Items.Properties) > 0:
			rows(b, path+"[]", p.Items)
		}
	}
}

// spans is the schema of a [Duration], which the page names as such.
var spans = sync.OnceValue(func() *jsonschema.Schema {
	type args struct {
		Span operation.Duration `json:"span" jsonschema:"a span"`
	}
	return operation.Define(operation.Spec{Name: "span", Effect: operation.Reads}, func(context.Context, args) (struct{}, error) { return struct{}{}, nil }).Input().Properties["span"]
})
