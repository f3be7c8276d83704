package pool

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// schema is an endpoint's user_config_schema.json, ready to be asked.
type schema struct {
	whole *jsonschema.Resolved
	each  map[string]*jsonschema.Resolved
	// closed is true when it takes no other options than each.
	closed bool
	known  []string
}

// parseSchema reads a schema; nil stands for none, and for one that cannot be
// read here, which another check reports.
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
