package operation

import (
	"slices"
	"strings"
)

const (
	// ToolsetCore holds what every selection of toolsets needs: logins.
	ToolsetCore = "core"
	// ToolsetAdmin holds what is rarely wanted; it is offered on demand only.
	ToolsetAdmin = "admin"
	// ToolsetPool holds the work on a Chiltepin configuration, which many
	// assistants never do; it is offered on demand only.
	ToolsetPool = "pool"
	// ToolsetAll stands for every toolset.
	ToolsetAll = "all"
)

// ToolsetOf returns the toolset that t belongs to.
func ToolsetOf(t *Tool) string {
	if t.Toolset != "" {
		return t.Toolset
	}
	if first, _, dotted := strings.Cut(t.Name, "."); dotted {
		return first
	}
	return ToolsetCore
}

// Toolsets returns the names of the toolsets in c, sorted.
func Toolsets(c *Catalog) []string {
	var names []string
	for t := range c.All() {
		if name := ToolsetOf(t); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
