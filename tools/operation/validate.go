package operation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// maxDepth bounds the nesting of an argument object; ours nest two deep.
const maxDepth = 32

// validator checks argument objects; a nil suggester suggests nothing.
type validator struct {
	suggest Suggester
	// offered are the fields that a caller is told of, nil for all there are.
	offered []string
}

func (s Suggester) nearest(word string, known []string) string {
	if s == nil {
		return ""
	}
	return s(word, known)
}

// validateObject checks args against the closed schema of an argument object, and
// speaks of the first fault in a sentence by which a person or a model can
// correct the call: the field, what is wanted, what was given.
func (c validator) validateObject(s *jsonschema.Schema, args json.RawMessage) *Error {
	value, err := decodeStrict(args)
	if err != nil {
		return (&Error{Code: CodeInvalid, Message: "arguments: " + err.Error()}).Because(err)
	}
	if _, ok := value.(map[string]any); !ok {
		return &Error{Code: CodeInvalid, Message: "arguments: want an object, got " + Quote(value)}
	}
	if problem := c.checkValue(s, "", value); problem != nil {
		return problem
	}
	return nil
}

// CheckMembers refuses JSON in which a member is given twice, that is nested too
// deeply, or that is none. It is for a face that takes members out of an
// argument object before [Tool.Call] sees it. The error is an [*Error].
func CheckMembers(args json.RawMessage) error {
	if _, err := decodeStrict(args); err != nil {
		return (&Error{Code: CodeInvalid, Message: "arguments: " + err.Error()}).Because(err)
	}
	return nil
}

// decodeStrict decodes one JSON value: numbers keep their digits, a member
// given twice is refused (readers disagree on which one counts), nesting is
// bounded, and nothing may follow.
func decodeStrict(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := decodeValue(dec, 0)
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errors.New("the JSON ends too early")
		}
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("not JSON at byte %d", syntax.Offset)
		}
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return v, nil
}

func decodeValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return tok, nil
	}
	if delim == '[' {
		list := []any{}
		for dec.More() {
			v, err := decodeValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := dec.Token()
		return list, err
	}
	object := map[string]any{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("%s is given twice", Quote(name))
		}
		v, err := decodeValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		object[name] = v
	}
	_, err = dec.Token()
	return object, err
}

// checkValue walks the subset of JSON Schema that the catalogue uses.
func (c validator) checkValue(s *jsonschema.Schema, at string, v any) *Error {
	switch s.Type {
	case "object":
		return c.checkObject(s, at, v)
	case "array":
		list, ok := v.([]any)
		if !ok {
			return Invalid(at, "a list", v)
		}
		for i, item := range list {
			if err := c.checkValue(s.Items, fmt.Sprintf("%s[%d]", at, i), item); err != nil {
				return err
			}
		}
	case "string":
		return checkString(s, at, v)
	case "integer":
		return checkInteger(s, at, v)
	case "boolean":
		if _, ok := v.(bool); !ok {
			return Invalid(at, "true or false", v)
		}
	}
	return nil
}

func (c validator) checkObject(s *jsonschema.Schema, at string, v any) *Error {
	object, ok := v.(map[string]any)
	if !ok {
		return Invalid(at, "an object", v)
	}
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	// A name that is misspelled says more than one that is missing.
	for _, name := range names {
		if s.Properties[name] == nil {
			return c.unknownField(s, at, name)
		}
	}
	for _, name := range s.Required {
		if _, given := object[name]; !given {
			return &Error{Code: CodeInvalid, Message: fmt.Sprintf("%s: is required%s", joinPath(at, name), describeField(s.Properties[name]))}
		}
	}
	for _, name := range names {
		if err := c.checkValue(s.Properties[name], joinPath(at, name), object[name]); err != nil {
			return err
		}
	}
	return nil
}

func (c validator) unknownField(s *jsonschema.Schema, at, name string) *Error {
	known := slices.Clone(s.PropertyOrder)
	if at == "" && c.offered != nil {
		known = slices.Clone(c.offered)
	}
	if len(known) == 0 {
		return &Error{Code: CodeInvalid, Message: fmt.Sprintf("%s: no such field, none is taken here", joinPath(at, quotePlain(name)))}
	}
	msg := fmt.Sprintf("%s: no such field; known are %s", joinPath(at, quotePlain(name)), strings.Join(known, ", "))
	if near := c.suggest.nearest(name, known); near != "" {
		msg = fmt.Sprintf("%s: no such field; did you mean %s?", joinPath(at, quotePlain(name)), near)
	}
	return &Error{Code: CodeInvalid, Message: msg}
}

func checkString(s *jsonschema.Schema, at string, v any) *Error {
	text, ok := v.(string)
	if !ok {
		return Invalid(at, wantString(s), v)
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, any(text)) {
		return Invalid(at, wantString(s), text)
	}
	if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(text) {
		return Invalid(at, wantString(s), text)
	}
	return nil
}

func wantString(s *jsonschema.Schema) string {
	switch {
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, w := range s.Enum {
			words[i] = fmt.Sprint(w)
		}
		return "one of " + strings.Join(words, ", ")
	case s.Pattern == durationPattern:
		return `a duration such as "90s"`
	case len(s.Examples) > 0:
		return "a text such as " + Quote(s.Examples[0])
	}
	return "a text"
}

func checkInteger(s *jsonschema.Schema, at string, v any) *Error {
	want := "a whole number"
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		want = fmt.Sprintf("a whole number from %.0f to %.0f", *s.Minimum, *s.Maximum)
	case s.Minimum != nil:
		want = fmt.Sprintf("a whole number, at least %.0f", *s.Minimum)
	}
	n, ok := v.(json.Number)
	if !ok {
		return Invalid(at, want, v)
	}
	i, err := n.Int64()
	if err != nil || int64(int(i)) != i {
		return Invalid(at, want, v)
	}
	f := float64(i)
	if s.Minimum != nil && f < *s.Minimum || s.Maximum != nil && f > *s.Maximum {
		return Invalid(at, want, v)
	}
	return nil
}

func describeField(s *jsonschema.Schema) string {
	if s == nil || s.Description == "" {
		return ""
	}
	return " (" + s.Description + ")"
}

func joinPath(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// Quote shows a value that came from outside: short, on one line, with
// control characters escaped.
func Quote(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case json.Number:
		return quotePlain(v.String())
	case string:
		return fmt.Sprintf("%q", clipText(v))
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	return fmt.Sprint(v)
}

// quotePlain shows a name that came from outside without quotation marks.
func quotePlain(s string) string {
	q := fmt.Sprintf("%q", clipText(s))
	return q[1 : len(q)-1]
}

func clipText(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
