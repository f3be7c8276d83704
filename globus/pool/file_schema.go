package pool

import (
	"bytes"
	"encoding/json"
	"fmt"

	"chiltepin/globus/pool/pyyaml"
	"chiltepin/globus/pool/scheduler"
)

// Schema is a JSON Schema (draft 2020-12) of a Chiltepin configuration, for
// editors: completion, and the first mistakes as they are typed.
func Schema() json.RawMessage {
	properties := map[string]any{}
	for _, o := range scheduler.All().Catalogue() {
		properties[o.Name] = optionSchema(o)
	}
	doc := map[string]any{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "Chiltepin configuration",
		"description": "Resource pools by their names.",
		"type":        "object",
		"additionalProperties": map[string]any{
			"anyOf": []any{
				map[string]any{"$ref": "#/$defs/pool"},
				map[string]any{"description": "commands that pools refer to by an anchor", "type": "array", "items": map[string]any{"type": "string"}},
			},
		},
		"$defs": map[string]any{"pool": map[string]any{
			"title":                "Resource pool",
			"description":          "One kind of block, and where it comes from.",
			"type":                 "object",
			"properties":           properties,
			"additionalProperties": false,
		}},
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		panic(fmt.Sprintf("pool: the schema does not encode: %v", err)) // it is maps and texts
	}
	return bytes.TrimSpace(b.Bytes())
}

// optionSchema is the schema of one option.
func optionSchema(o scheduler.Option) map[string]any {
	s := map[string]any{"description": o.Doc}
	switch o.Kind {
	case pyyaml.Bool:
		s["type"] = "boolean"
	case pyyaml.Int:
		s["type"], s["minimum"] = "integer", o.Min
	case pyyaml.List:
		s["type"], s["items"] = "array", map[string]any{"type": "string"}
	default:
		s["type"] = "string"
		if len(o.Words) > 0 {
			s["enum"] = o.Words
		}
		if o.Pattern != "" {
			s["pattern"] = o.Pattern
		}
	}
	if o.Default != nil && o.Default != "" {
		s["default"] = o.Default
	}
	if o.Example != nil {
		s["examples"] = []any{o.Example}
	}
	return s
}
