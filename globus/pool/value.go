package pool

import (
	"math"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"chiltepin/endpointfs"
)

// Kind is what PyYAML makes of a value.
type Kind string

// The kinds, by the words of [endpointfs.YAMLKind].
const (
	Null    Kind = "null"
	Bool    Kind = "bool"
	Int     Kind = "int"
	Float   Kind = "float"
	Date    Kind = "date"
	Text    Kind = "text"
	List    Kind = "list"
	Mapping Kind = "mapping"
)

// Value is one value of the file, as Python Chiltepin will see it.
type Value struct {
	Kind Kind
	// Written is the scalar as it stands in the file, without quotation marks.
	Written string
	// Bool and Int are set for these kinds.
	Bool bool
	Int  int64
	// Items are the elements of a list.
	Items []Value
	// Line and Column count from 1.
	Line, Column int
}

// isGiven says whether the value is there and not empty: Python Chiltepin hands
// on an empty text, and nothing comes of it.
func (v Value) isGiven() bool {
	return v.Kind != Null && (v.Kind != Text || v.Written != "") && v.Kind != ""
}

// toJSON returns the value as JSON has it once it is sent.
func (v Value) toJSON() any {
	switch v.Kind {
	case Null, "":
		return nil
	case Bool:
		return v.Bool
	case Int:
		return v.Int
	case Float:
		if f, err := strconv.ParseFloat(strings.ReplaceAll(v.Written, "_", ""), 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f
		}
	case List:
		list := make([]any, len(v.Items))
		for i, item := range v.Items {
			list[i] = item.toJSON()
		}
		return list
	}
	return v.Written
}

// valueOf reads a node; an alias is followed, and keeps the place where it
// stands. depth bounds lists in lists.
func valueOf(n *yaml.Node, depth int) Value {
	v := Value{Line: n.Line, Column: n.Column}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	v.Kind, v.Written = Kind(endpointfs.YAMLKind(n)), n.Value
	switch v.Kind {
	case Bool:
		switch strings.ToLower(n.Value) {
		case "yes", "on", "true":
			v.Bool = true
		}
	case Int:
		v.Int = pythonInt(n.Value)
	case List:
		if depth > 0 {
			for _, item := range n.Content {
				v.Items = append(v.Items, valueOf(item, depth-1))
			}
		}
	}
	return v
}

// pythonInt reads an integer as PyYAML's construct_yaml_int does: YAML 1.1
// with octals, binaries and sexagesimals. One that is too large is clipped.
func pythonInt(s string) int64 {
	s = strings.ReplaceAll(s, "_", "")
	digits := strings.TrimLeft(s, "+-")
	sign := int64(1)
	if strings.HasPrefix(s, "-") {
		sign = -1
	}
	if strings.Contains(digits, ":") {
		var n int64
		for part := range strings.SplitSeq(digits, ":") {
			d, _ := strconv.ParseInt(part, 10, 32) // the pattern of an int has matched
			n = n*60 + d
		}
		return sign * n
	}
	base := 10
	switch {
	case strings.HasPrefix(digits, "0b"):
		digits, base = digits[2:], 2
	case strings.HasPrefix(digits, "0x"):
		digits, base = digits[2:], 16
	case len(digits) > 1 && digits[0] == '0':
		base = 8
	}
	n, _ := strconv.ParseInt(digits, base, 64) // out of range gives the largest
	return sign * n
}
