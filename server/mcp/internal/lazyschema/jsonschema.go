// Package jsonschema stands in for github.com/santhosh-tekuri/jsonschema/v6
// where mcp-go wants it, over the JSON Schema library that the rest of the
// program uses already.
//
// The original compiles the meta-schemas of every draft when a program
// starts, used or not: five milliseconds and 21,000 allocations for each
// chiltepin command, most of what a short command takes. Schemas compile here
// when they are asked for. It has what mcp-go calls and nothing else; it
// never loads a schema from anywhere.
package jsonschema

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/google/jsonschema-go/jsonschema"
)

// UnmarshalJSON decodes one JSON value and keeps the digits of its numbers.
func UnmarshalJSON(r io.Reader) (any, error) {
	dec := json.NewDecoder(r)
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("invalid character after top-level value")
	}
	return v, nil
}

// Compiler compiles the documents that were added to it.
type Compiler struct{ documents map[string]any }

// NewCompiler returns a compiler without documents.
func NewCompiler() *Compiler { return &Compiler{documents: map[string]any{}} }

// AddResource adds a decoded schema under an address.
func (c *Compiler) AddResource(url string, doc any) error {
	c.documents[url] = doc
	return nil
}

// Compile compiles the document that was added under url.
func (c *Compiler) Compile(url string) (*Schema, error) {
	doc, ok := c.documents[url]
	if !ok {
		return nil, fmt.Errorf("no schema was added as %s", url)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		return nil, err
	}
	return &Schema{resolved}, nil
}

// Schema is a compiled schema.
type Schema struct{ resolved *jsonschema.Resolved }

// Validate checks a value that [UnmarshalJSON] decoded. The error is a
// *[ValidationError].
func (s *Schema) Validate(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		return err
	}
	if err := s.resolved.Validate(plain); err != nil {
		return &ValidationError{ErrorKind: err.Error()}
	}
	return nil
}

// ValidationError is a value that does not fit its schema.
type ValidationError struct {
	// InstanceLocation is where the value is, if that is known.
	InstanceLocation []string
	// Causes are errors below this one.
	Causes []*ValidationError
	// ErrorKind says what is wrong.
	ErrorKind string
}

// Error says what is wrong.
func (e *ValidationError) Error() string { return e.ErrorKind }
