package operation

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
)

// The struct tags of arguments and results, beside `json`:
//
//	jsonschema:"…"   the description, one phrase
//	enum:"a,b"       the words allowed
//	pattern:"…"      a regular expression a string must match
//	example:"…"      an example value
//	min:"1" max:"9"  bounds of an integer
//	cli:"arg"        positional on the command line
//	cli:"x"          one-letter flag; cli:"x,word" also names the flag
//	cli:"-"          not on the command line
//	wire:"-"         on the command line only, see [Field.Person]
//
// They are a small language on purpose.

// inputSchema derives the closed schema of an argument type.
func inputSchema(t reflect.Type) *jsonschema.Schema {
	s := deriveSchema(t)
	return s
}

// outputSchema derives the schema of a result type and opens it, so that a
// field added later breaks no client that cached the schema.
func outputSchema(t reflect.Type) *jsonschema.Schema {
	s := deriveSchema(t)
	walkSchema(s, func(s *jsonschema.Schema) {
		if s.Type == "object" && len(s.Properties) > 0 {
			s.AdditionalProperties = nil
		}
	})
	return s
}

func deriveSchema(t reflect.Type) *jsonschema.Schema {
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[Duration]():  {Type: "string", Pattern: durationPattern, Examples: []any{"90s", "2m30s"}},
		reflect.TypeFor[time.Time](): {Type: "string", Format: "date-time"},
		reflect.TypeFor[Next]():      {Type: "object"},
	}})
	if err != nil {
		panic(fmt.Sprintf("tools: %s has no schema: %v", t, err))
	}
	applyStructTags(s, t)
	walkSchema(s, dropNull)
	return s
}

// dropNull makes an optional value absent instead of null: results marshal
// empty lists as [] and leave absent values out.
func dropNull(s *jsonschema.Schema) {
	if i := slices.Index(s.Types, "null"); i >= 0 && len(s.Types) == 2 {
		s.Type, s.Types = s.Types[1-i], nil
	}
}

// applyStructTags adds to a derived schema what the struct tags say beyond the
// description.
func applyStructTags(s *jsonschema.Schema, t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer:
		applyStructTags(s, t.Elem())
	case reflect.Slice, reflect.Array:
		if s.Items != nil {
			applyStructTags(s.Items, t.Elem())
		}
	case reflect.Map:
		if s.AdditionalProperties != nil {
			applyStructTags(s.AdditionalProperties, t.Elem())
		}
	case reflect.Struct:
		for f := range fieldsOf(t) {
			p := s.Properties[f.Name]
			if p == nil {
				continue
			}
			applyStructTags(p, f.Type)
			applyTags(p, f)
		}
	}
}

func applyTags(p *jsonschema.Schema, f Field) {
	if len(f.Enum) > 0 {
		at := p
		if p.Items != nil {
			at = p.Items
		}
		for _, word := range f.Enum {
			at.Enum = append(at.Enum, word)
		}
	}
	if f.Pattern != "" {
		p.Pattern = f.Pattern
	}
	if f.Example != "" {
		p.Examples = []any{exampleValue(f)}
	}
	p.Minimum = parseBound(f.tag.Get("min"))
	p.Maximum = parseBound(f.tag.Get("max"))
}

func exampleValue(f Field) any {
	switch f.Type.Kind() {
	case reflect.Int, reflect.Int64:
		if n, err := strconv.Atoi(f.Example); err == nil && f.Type != reflect.TypeFor[Duration]() {
			return n
		}
	case reflect.Bool:
		return f.Example == "true"
	case reflect.Slice:
		return strings.Split(f.Example, ",")
	}
	return f.Example
}

func parseBound(tag string) *float64 {
	if tag == "" {
		return nil
	}
	n, err := strconv.ParseFloat(tag, 64)
	if err != nil {
		panic("tools: bad bound in a struct tag: " + tag)
	}
	return &n
}

// walkSchema calls visit for s and every schema below it.
func walkSchema(s *jsonschema.Schema, visit func(*jsonschema.Schema)) {
	if s == nil {
		return
	}
	visit(s)
	for _, p := range s.Properties {
		walkSchema(p, visit)
	}
	walkSchema(s.Items, visit)
	if s.AdditionalProperties != nil && s.AdditionalProperties.Not == nil {
		walkSchema(s.AdditionalProperties, visit)
	}
}
