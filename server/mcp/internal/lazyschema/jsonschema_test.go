package jsonschema

import (
	"strings"
	"testing"
)

// TestCompile checks the calls that mcp-go makes, in its order.
func TestCompile(t *testing.T) {
	doc, err := UnmarshalJSON(strings.NewReader(`{"type":"object","properties":{"n":{"type":"integer","maximum":9}},"required":["n"]}`))
	if err != nil {
		t.Fatal(err)
	}
	c := NewCompiler()
	if err := c.AddResource("mem:///x", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem:///x")
	if err != nil {
		t.Fatal(err)
	}
	for text, fits := range map[string]bool{`{"n":3}`: true, `{"n":10}`: false, `{}`: false, `{"n":"3"}`: false, `[]`: false} {
		v, err := UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); (err == nil) != fits {
			t.Errorf("Validate(%s) = %v", text, err)
		}
	}
	if _, err := c.Compile("mem:///y"); err == nil {
		t.Error("a schema that nobody added was compiled")
	}
	if _, err := UnmarshalJSON(strings.NewReader(`{} {}`)); err == nil {
		t.Error("two values were taken for one")
	}
}
