package operation

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Policy is what whoever started a server lets its client do. The zero value
// offers every operation but those of [ToolsetAdmin] and [ToolsetPool].
type Policy struct {
	// ReadOnly offers only operations that change nothing.
	ReadOnly bool
	// NoDestructive offers no operation that destroys, and no other one may
	// destroy anything, whatever its arguments and whoever consents.
	NoDestructive bool
	// Tools, if not empty, are the only operations offered, by wire name; an
	// underscore may stand for the dot.
	Tools []string
	// Toolsets, if not empty, are the toolsets offered, beside [ToolsetCore].
	Toolsets []string
	// ConfigDir is the configuration directory of calls that name none, "" the
	// default one.
	ConfigDir string
	// ConfigRoots are the directories at or below which a call may name a
	// directory of its own, absolute paths. Without any, no call names one.
	ConfigRoots []string
	// RealPath returns a path without links, those of its directories that exist
	// resolved. It is needed where there are ConfigRoots.
	RealPath func(path string) (string, error)
	// Settings are values for fields that are the person's alone, by name, in
	// every call of an operation that has the field. See [Field.Person].
	Settings map[string]string
	// Follows offers operations that go on telling; a face sets it which can
	// hand out what they tell.
	Follows bool
}

// Offer is a catalogue under a policy: what a client is shown, and what it
// may call. It is safe for concurrent use.
type Offer struct {
	policy  Policy
	tools   []*Tool
	absent  map[string]string // name → why it is not offered
	catalog *Catalog
	dir     string // of calls that name none
	roots   []string
	narrow  sync.Map // *Tool → schema without what is hidden
}

// Offer applies p to c. The error is an [*Error] that names a tool or toolset
// which does not exist.
func (p Policy) Offer(c *Catalog) (*Offer, error) {
	o := &Offer{policy: p, absent: map[string]string{}, catalog: c}
	if p.ConfigDir != "" {
		o.dir = filepath.Clean(p.ConfigDir)
	}
	if err := o.setRoots(p.ConfigRoots); err != nil {
		return nil, err
	}
	wanted, err := p.wantedTools(c)
	if err != nil {
		return nil, err
	}
	sets, err := p.wantedToolsets(c)
	if err != nil {
		return nil, err
	}
	for t := range c.All() {
		switch {
		case t.Event != "" && !p.Follows:
			o.absent[t.Name] = "not available over MCP: this operation streams"
		case p.ReadOnly && t.Effect != Reads && t.ChangesBy == "":
			o.absent[t.Name] = "the server was started with --read-only"
		case p.NoDestructive && t.Effect == Destroys:
			o.absent[t.Name] = "the server was started with --no-destructive"
		case len(wanted) > 0 && !wanted[t.Name]:
			o.absent[t.Name] = "the server was started with --tools, without it"
		case len(wanted) == 0 && !sets[ToolsetOf(t)]:
			o.absent[t.Name] = "its toolset " + ToolsetOf(t) + " is not among those that the server was started with"
		default:
			o.tools = append(o.tools, t)
		}
	}
	return o, nil
}

func (p Policy) wantedTools(c *Catalog) (map[string]bool, error) {
	var known []string
	for t := range c.All() {
		known = append(known, t.Name)
	}
	wanted := map[string]bool{}
	for _, name := range p.Tools {
		i := slices.IndexFunc(known, func(k string) bool { return k == name || underscoreName(k) == name })
		if i < 0 {
			return nil, noSuch(c, "tools", "tool", name, known)
		}
		wanted[known[i]] = true
	}
	return wanted, nil
}

func (p Policy) wantedToolsets(c *Catalog) (map[string]bool, error) {
	known := Toolsets(c)
	sets := map[string]bool{ToolsetCore: true}
	for _, name := range p.Toolsets {
		if name != ToolsetAll && !slices.Contains(known, name) {
			return nil, noSuch(c, "toolsets", "toolset", name, append(known, ToolsetAll))
		}
		sets[name] = true
	}
	for _, name := range known {
		if sets[ToolsetAll] || len(p.Toolsets) == 0 && name != ToolsetAdmin && name != ToolsetPool {
			sets[name] = true
		}
	}
	return sets, nil
}

func noSuch(c *Catalog, field, what, name string, known []string) *Error {
	msg := fmt.Sprintf("%s: there is no %s %s; known are %s", field, what, Quote(name), strings.Join(known, ", "))
	if near := c.Nearest(strings.ReplaceAll(name, "_", "."), known); near != "" {
		msg = fmt.Sprintf("%s: there is no %s %s; did you mean %s?", field, what, Quote(name), near)
	}
	return &Error{Code: CodeInvalid, Message: msg}
}

func underscoreName(name string) string { return strings.ReplaceAll(name, ".", "_") }
