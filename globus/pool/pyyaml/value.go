// Package pyyaml knows what PyYAML makes of the values of a YAML file: by the
// rules of YAML 1.1, by which 10:00:00 is a number and yes is true. Python
// Chiltepin, the daemon and parsl read their configurations with it. The package
// reads nodes that somebody else has parsed, and writes nothing.
package pyyaml

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

// Value is one value of a file, as a program that uses PyYAML sees it. Its zero
// value is one that is not there.
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

// IsGiven says whether the value is there and not empty: Python Chiltepin hands
// on an empty text, and nothing comes of it.
func (v Value) IsGiven() bool {
	return v.Kind != Null && (v.Kind != Text || v.Written != "") && v.Kind != ""
}

// JSON returns the value as encoding/json takes it, once it is sent.
func (v Value) JSON() any {
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
			list[i] = item.JSON()
		}
		return list
	}
	return v.Written
}

// ValueOf reads a node; an alias is followed, and keeps the place where it
// stands. depth bounds lists in lists.
func ValueOf(n *yaml.Node, depth int) Value {
	v := Value{Line: n.Line, Column: n.Column}
	n = FollowAlias(n)
	v.Kind, v.Written = KindOf(n), n.Value
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
				v.Items = append(v.Items, ValueOf(item, depth-1))
			}
		}
	}
	return v
}

// KindOf returns the kind of a node that is no alias.
func KindOf(n *yaml.Node) Kind { return Kind(endpointfs.YAMLKind(n)) }

// FollowAlias returns the node that an alias stands for, any other as it is.
func FollowAlias(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// WithArticle is the kind in a sentence, such as "a text".
func (k Kind) WithArticle() string {
	switch k {
	case Null:
		return "empty"
	case Bool:
		return "true or false"
	case Int, Float:
		return "a number"
	case "":
		return "nothing"
	}
	return "a " + string(k)
}

// Format is the value as Python's format has it.
func (v Value) Format() string {
	switch v.Kind {
	case Null:
		return "None"
	case Bool:
		return map[bool]string{true: "True", false: "False"}[v.Bool]
	case Int:
		return strconv.FormatInt(v.Int, 10)
	}
	return v.Written
}

// IsTrue is the truth of the value as Python has it: not None, false, 0 or
// empty.
func (v Value) IsTrue() bool {
	switch v.Kind {
	case "", Null:
		return false
	case Bool:
		return v.Bool
	case Int:
		return v.Int != 0
	}
	return v.Written != ""
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
