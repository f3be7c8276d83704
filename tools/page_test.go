package tools

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// TestGoldenPage keeps docs/reference.md as the catalogue has it.
func TestGoldenPage(t *testing.T) {
	golden(t, filepath.Join("..", "docs", "reference.md"), []byte(page(catalog())))
}

// page is the reference of every operation, for people.
func page(c *Catalog) string {
	var b strings.Builder
	b.WriteString("# Reference\n\nMade from the catalogue by `make update`; a test fails when it is stale.\n\n" +
		"Every operation is a command, an MCP tool, a JSON-RPC method (slashes for the dots) and a JSON object in and out. `config_dir` is `-c` on the command line.\n\n" +
		"| operation | MCP tool | effect | does |\n|---|---|---|---|\n")
	for t := range c.All() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", t.Name, strings.ReplaceAll(t.Name, ".", ""), onMCP(t), t.Effect, t.Summary)
	}
	for t := range c.All() {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n%s\n\n", t.Name, t.Summary, t.Doc)
		fmt.Fprintf(&b, "Toolset `%s`, effect: %s", ToolsetOf(t), t.Effect)
		if t.Asks || t.Effect == Destroys {
			b.WriteString("; asks a person")
			if t.Asks {
				b.WriteString(" when its arguments make it destroy something")
			}
		}
		b.WriteString(".\n\n```console\n")
		for _, x := range t.Examples {
			fmt.Fprintf(&b, "$ %s\n", x)
		}
		b.WriteString("```\n\n| argument | on the command line | type | |\n|---|---|---|---|\n")
		for f := range t.Fields() {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, onCommandLine(f), typeOf(t.input().Properties[f.Name]), describeField(f))
		}
		b.WriteString("\n| result | type | |\n|---|---|---|\n")
		rows(&b, "", t.output())
		if t.Event != "" {
			b.WriteString("\nThen, for each change (on JSON-RPC the notification `" + strings.ReplaceAll(t.Event, ".", "/") + "`):\n\n| member | type | |\n|---|---|---|\n")
			rows(&b, "", outputSchema(reflect.TypeOf(t.EventOf)))
		}
		codes := []string{}
		for _, row := range Codes() {
			if t.CanFailWith(row.Code) {
				codes = append(codes, fmt.Sprintf("`%s` (%d)", row.Code, row.Exit))
			}
		}
		fmt.Fprintf(&b, "\nCan fail with (exit status): %s.\n", strings.Join(codes, ", "))
	}
	return b.String()
}

func onMCP(t *Tool) string {
	if t.Event != "" {
		return "none: it goes on"
	}
	return "`" + underscored(t.Name) + "`"
}

func onCommandLine(f Field) string {
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

func describeField(f Field) string {
	text := f.Description
	if f.Required {
		text += "; required"
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
	if s.Pattern == durationPattern {
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
		path := join(at, name)
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", path, typeOf(p), text)
		switch {
		case p.Type == "object" && len(p.Properties) > 0:
			rows(b, path, p)
		case p.Type == "array" && len(p.Items.Properties) > 0:
			rows(b, path+"[]", p.Items)
		}
	}
}
