package pool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/google/uuid"

	"chiltepin/globus/pool/pyyaml"
)

func isUUID(s string) bool {
	_, err := uuid.Parse(s)
	return err == nil && len(s) == 36
}

// jsonSchema is an endpoint's user_config_schema.json, ready to be asked.
type schema struct {
	whole *jsonschema.Resolved
	each  map[string]*jsonschema.Resolved
	// closed is true when it takes no other options than each.
	closed bool
	known  []string
}

// parseSchema reads a schema; nil stands for none, and for one that cannot be
// read here, which another check tells.
func parseSchema(text string) *schema {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	var doc jsonschema.Schema
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil
	}
	whole, err := doc.Resolve(nil)
	if err != nil {
		return nil
	}
	s := &schema{whole: whole, each: map[string]*jsonschema.Resolved{}}
	for name, p := range doc.Properties {
		s.known = append(s.known, name)
		if one, err := p.CloneSchemas().Resolve(nil); err == nil {
			s.each[name] = one
		}
	}
	if a := doc.AdditionalProperties; a != nil && a.Not != nil && doc.PatternProperties == nil {
		s.closed = true
	}
	return s
}

// findRefusals returns why options are refused, by their name; "" is the name where
// it is no single one.
func (s *schema) findRefusals(sent map[string]any) map[string]string {
	if s == nil {
		return nil
	}
	// Through JSON, as it goes to the service.
	data, err := json.Marshal(sent)
	if err != nil {
		return map[string]string{"": err.Error()}
	}
	options := map[string]any{}
	if err := json.Unmarshal(data, &options); err != nil || s.whole.Validate(options) == nil {
		return nil
	}
	found := map[string]string{}
	for name, value := range options {
		one := s.each[name]
		switch {
		case one == nil && s.closed:
			found[name] = "it knows no such option"
		case one != nil:
			if err := one.Validate(value); err != nil {
				found[name] = lastReason(err)
			}
		}
	}
	if len(found) == 0 {
		// Two options that do not go together: the one without which the rest
		// is fine is to blame.
		for name := range options {
			rest := map[string]any{}
			for n, v := range options {
				if n != name {
					rest[n] = v
				}
			}
			if name != "provider" && name != "mpi" && s.whole.Validate(rest) == nil {
				found[name] = lastReason(s.whole.Validate(options))
			}
		}
	}
	if len(found) == 0 {
		found[""] = lastReason(s.whole.Validate(options))
	}
	return found
}

// lastReason is the last part of what the library says, the part about the value.
func lastReason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, "validating "); i >= 0 {
		if _, after, ok := strings.Cut(text[i:], ": "); ok {
			text = after
		}
	}
	return regexp.MustCompile(`\s+`).ReplaceAllString(text, " ")
}

// Schema is a JSON Schema (draft 2020-12) of a Chiltepin configuration, for
// editors: completion, and the first mistakes as they are typed.
func Schema() json.RawMessage {
	properties := map[string]any{}
	for _, o := range options() {
		properties[o.name] = o.jsonSchema()
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

// jsonSchema is the schema of one option.
func (o option) jsonSchema() map[string]any {
	s := map[string]any{"description": o.doc}
	switch o.kind {
	case pyyaml.Bool:
		s["type"] = "boolean"
	case pyyaml.Int:
		s["type"], s["minimum"] = "integer", o.min
	case pyyaml.List:
		s["type"], s["items"] = "array", map[string]any{"type": "string"}
	default:
		s["type"] = "string"
		if len(o.words) > 0 {
			s["enum"] = o.words
		}
		switch o.name {
		case "endpoint":
			s["pattern"] = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
		case "walltime":
			s["pattern"] = "^[0-9]+:[0-9]{1,2}:[0-9]{1,2}$"
		}
	}
	if o.def != nil && o.def != "" {
		s["default"] = o.def
	}
	if o.example != nil {
		s["examples"] = []any{o.example}
	}
	return s
}
