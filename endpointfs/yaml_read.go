package endpointfs

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// YAMLKind says what PyYAML, which reads the files of the Python programs, makes
// of a node: "null", "bool", "int", "float", "date", "text", "list" or
// "mapping". Aliases are followed.
func YAMLKind(n *yaml.Node) string { return kindOf(n) }

// kindOf says what PyYAML, with which the daemon reads its files, makes of a
// node: "null", "bool", "int", "float", "date", "text", "list" or "mapping".
// PyYAML reads YAML 1.1, in which yes is a bool and 1:30 the number 90.
func kindOf(n *yaml.Node) string {
	n = resolveAlias(n)
	switch n.Kind {
	case yaml.SequenceNode:
		return "list"
	case yaml.MappingNode:
		return "mapping"
	}
	if n.Style&yaml.TaggedStyle != 0 {
		switch n.ShortTag() {
		case "!!null", "!!bool", "!!int", "!!float":
			return n.ShortTag()[2:]
		case "!!timestamp":
			return "date"
		}
		return "text"
	}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return "text"
	}
	return kindOfPlain(n.Value)
}

func kindOfPlain(s string) string {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return "null"
	}
	lower := strings.ToLower(s)
	if s == lower || s == strings.ToUpper(s) || s == strings.ToUpper(lower[:1])+lower[1:] {
		switch lower {
		case "yes", "no", "on", "off", "true", "false":
			return "bool"
		case ".nan", ".inf", "-.inf", "+.inf":
			return "float"
		}
	}
	if s[0] != '0' && strings.Trim(s, "0123456789") == "" {
		return "int" // nearly every number, without the patterns
	}
	// The patterns of PyYAML's resolver, compiled only for what begins like a
	// number.
	if strings.IndexByte("-+.0123456789", s[0]) < 0 {
		return "text"
	}
	for _, p := range []struct{ kind, pattern string }{
		{"int", `^[-+]?(0b[01_]+|0[0-7_]+|(0|[1-9][0-9_]*)|0x[0-9a-fA-F_]+|[1-9][0-9_]*(:[0-5]?[0-9])+)$`},
		{"float", `^([-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*)$`},
		{"date", `^\d\d\d\d-\d\d?-\d\d?([Tt]|[ \t]+|$)`},
	} {
		if regexp.MustCompile(p.pattern).MatchString(s) {
			return p.kind
		}
	}
	return "text"
}

// resolveAlias follows an alias to what it stands for.
func resolveAlias(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// yamlError turns an error of the YAML library into one with a line of its
// own. The library counts some lines from 0.
func yamlError(err error) *FormatError {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	e := &FormatError{Problem: "it is not YAML: " + text, Remedy: "correct the line; strings with special characters need quotation marks, and indentation is by spaces", Err: err}
	if m := regexp.MustCompile(`^line (\d+): (.*)`).FindStringSubmatch(text); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.Problem = "it is not YAML: " + m[2]
	}
	return e
}
