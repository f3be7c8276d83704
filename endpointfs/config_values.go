package endpointfs

import (
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// These say whether pydantic, in the lax way in which the daemon uses it,
// takes a value. In doubt they say so: it is better to leave an error to the
// daemon than to refuse what it takes.

func isText(n *yaml.Node) bool    { return kindOf(n) == "text" }
func isMapping(n *yaml.Node) bool { return kindOf(n) == "mapping" }

// isUUIDNode takes an empty text too, as the daemon does.
func isUUIDNode(n *yaml.Node) bool {
	return kindOf(n) == "text" && (n.Value == "" || looksLikeUUID(n.Value))
}

// isUUIDListNode takes what is empty, whatever it is: the daemon goes through it.
func isUUIDListNode(n *yaml.Node) bool {
	switch kindOf(n) {
	case "text":
		return n.Value == ""
	case "mapping":
		return len(n.Content) == 0
	case "list":
		return !slices.ContainsFunc(n.Content, func(v *yaml.Node) bool { return !isUUIDNode(resolveAlias(v)) || resolveAlias(v).Value == "" })
	}
	return false
}

func isBool(n *yaml.Node) bool {
	switch kindOf(n) {
	case "bool":
		return true
	case "text":
		return slices.Contains([]string{"0", "off", "f", "false", "n", "no", "1", "on", "t", "true", "y", "yes"}, strings.ToLower(n.Value))
	case "int":
		v, err := strconv.ParseInt(n.Value, 0, 64)
		return err == nil && (v == 0 || v == 1)
	case "float":
		v, err := strconv.ParseFloat(strings.ReplaceAll(n.Value, "_", ""), 64)
		return err == nil && (v == 0 || v == 1)
	}
	return false
}

func isInt(n *yaml.Node) bool {
	switch kindOf(n) {
	case "int", "bool":
		return true
	case "text", "float":
		v, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(n.Value), "_", ""), 64)
		return err == nil && v == float64(int64(v))
	}
	return false
}

func isNumber(n *yaml.Node) bool {
	switch kindOf(n) {
	case "int", "float", "bool":
		return true
	case "text":
		_, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(n.Value), "_", ""), 64)
		return err == nil
	}
	return false
}
