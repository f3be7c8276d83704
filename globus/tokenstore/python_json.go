package tokenstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// orderedObject is a JSON object that keeps the order of its members, as a Python
// dict does, so that a file written by Python and rewritten here differs in
// what was changed alone.
type orderedObject struct {
	names   []string
	members map[string]any
}

func newOrderedObject() *orderedObject { return &orderedObject{members: map[string]any{}} }

func (o *orderedObject) setMember(name string, value any) {
	if _, ok := o.members[name]; !ok {
		o.names = append(o.names, name)
	}
	o.members[name] = value
}

// takeMember removes a member and returns it, nil when there is none.
func (o *orderedObject) takeMember(name string) any {
	value, ok := o.members[name]
	if !ok {
		return nil
	}
	delete(o.members, name)
	for i, n := range o.names {
		if n == name {
			o.names = append(o.names[:i:i], o.names[i+1:]...)
			break
		}
	}
	return value
}

func (o *orderedObject) objectMember(name string) *orderedObject {
	member, _ := o.members[name].(*orderedObject)
	return member
}

// maxDepth is as deep as Python's json reads by default, roughly.
const maxDepth = 500

// parseJSON reads one JSON value: *object, []any, string, json.Number, bool or
// nil. Of members with the same name the last counts, as in Python.
func parseJSON(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	value, err := parseValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the value")
	}
	return value, nil
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("nested too deeply")
	}
	token, err := d.Token()
	if err == io.EOF {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	var value any
	if delim == '{' {
		value, err = parseObject(d, depth)
	} else {
		value, err = parseArray(d, depth)
	}
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("not closed: %w", err)
	}
	return value, nil
}

func parseObject(d *json.Decoder, depth int) (*orderedObject, error) {
	o := newOrderedObject()
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		o.setMember(name.(string), value)
	}
	return o, nil
}

func parseArray(d *json.Decoder, depth int) ([]any, error) {
	list := []any{}
	for d.More() {
		value, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, nil
}

// appendJSON writes what json.dumps writes by default: a space after each
// colon and comma, and nothing outside ASCII.
func appendJSON(b []byte, value any) []byte {
	switch v := value.(type) {
	case *orderedObject:
		b = append(b, '{')
		for i, name := range v.names {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(appendString(b, name), ": "...)
			b = appendJSON(b, v.members[name])
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i, element := range v {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendJSON(b, element)
		}
		return append(b, ']')
	case string:
		return appendString(b, v)
	case json.Number:
		return append(b, v...)
	case bool:
		return fmt.Append(b, v)
	}
	return append(b, "null"...)
}

func appendString(b []byte, s string) []byte {
	const short = "\b\f\n\r\t\"\\"
	const letter = "bfnrt\"\\"
	b = append(b, '"')
	for _, r := range s {
		if i := bytes.IndexRune([]byte(short), r); i >= 0 {
			b = append(b, '\\', letter[i])
			continue
		}
		switch {
		case r >= ' ' && r <= '~':
			b = append(b, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return append(b, '"')
}
