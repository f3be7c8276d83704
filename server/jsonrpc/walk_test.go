package jsonrpc_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"chiltepin/server/jsonrpc"
)

// FuzzWalk holds that walking valid JSON finds what decoding it finds.
func FuzzWalk(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":{"c":"}"},"\u0064":[1,"]"]}`, ` { "a" : null } `, `{}`, `[]`, `[ 1 , {} ,"\\\"" ]`, `"x"`, `-1e3`, `{"a":1,"a":2}`, `{"":[[],{}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) || !json.Valid(text) {
			return
		}
		var object map[string]json.RawMessage
		var array []json.RawMessage
		_ = json.Unmarshal(text, &object)
		_ = json.Unmarshal(text, &array)
		members := map[string]json.RawMessage{}
		jsonrpc.Members(text, func(name []byte, value json.RawMessage) { members[string(name)] = bytes.Clone(value) })
		var elements []json.RawMessage
		jsonrpc.Elements(text, func(value json.RawMessage) { elements = append(elements, bytes.Clone(value)) })
		if d := cmp.Diff(slices.Sorted(maps.Keys(object)), slices.Sorted(maps.Keys(members))); d != "" {
			t.Errorf("names (-decoded +walked):\n%s", d)
		}
		for name, value := range object {
			if !bytes.Equal(bytes.TrimSpace(value), members[name]) {
				t.Errorf("%q is %s, want %s", name, members[name], value)
			}
		}
		if len(array) != len(elements) {
			t.Fatalf("%d elements, want %d", len(elements), len(array))
		}
		for i := range array {
			if !bytes.Equal(bytes.TrimSpace(array[i]), elements[i]) {
				t.Errorf("element %d is %s, want %s", i, elements[i], array[i])
			}
		}
	})
}
