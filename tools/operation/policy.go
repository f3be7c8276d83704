package operation

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
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
	// ConfigDir, if not "", is the configuration directory of every call, and
	// no call can name another.
	ConfigDir string
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
	fixed   string
}

// Offer applies p to c. The error is an [*Error] that names a tool or toolset
// which does not exist.
func (p Policy) Offer(c *Catalog) (*Offer, error) {
	o := &Offer{policy: p, absent: map[string]string{}, catalog: c}
	if p.ConfigDir != "" {
		o.fixed = filepath.Clean(p.ConfigDir)
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

// All yields the operations offered, in the order of the catalogue.
func (o *Offer) All() iter.Seq[*Tool] { return slices.Values(o.tools) }

// Lookup returns the operation offered under that wire name, or nil and why
// it is not: "" for a name that nobody knows.
func (o *Offer) Lookup(name string) (*Tool, string) {
	for _, t := range o.tools {
		if t.Name == name {
			return t, ""
		}
	}
	return nil, o.absent[name]
}

// Nearest is [Catalog.Nearest] of the catalogue behind the offer.
func (o *Offer) Nearest(word string, known []string) string { return o.catalog.Nearest(word, known) }

// ConfigDir returns the directory that every call works in, "" where a call
// may choose.
func (o *Offer) ConfigDir() string { return o.fixed }

// InputSchema is that of t without what the policy takes out of its caller's
// hands.
func (o *Offer) InputSchema(t *Tool) json.RawMessage {
	s := t.input()
	hidden := func(field string) bool {
		return field == ConfigDirField && o.fixed != "" || o.policy.ReadOnly && field == t.ChangesBy
	}
	if !slices.ContainsFunc(s.PropertyOrder, hidden) {
		return mustMarshal(s)
	}
	narrow := s.CloneSchemas()
	narrow.Properties = make(map[string]*jsonschema.Schema, len(s.Properties))
	for name, p := range s.Properties {
		if !hidden(name) {
			narrow.Properties[name] = p
		}
	}
	narrow.PropertyOrder = slices.DeleteFunc(slices.Clone(s.PropertyOrder), hidden)
	return mustMarshal(narrow)
}

// Call is [Tool.Call] under the policy. It holds whether or not t was listed.
func (o *Offer) Call(ctx context.Context, t *Tool, args json.RawMessage) (Result, error) {
	if offered, why := o.Lookup(t.Name); offered == nil {
		return Result{}, &Error{Code: CodeRefused, Message: t.Name + " is not offered here: " + why}
	}
	if o.policy.NoDestructive || o.policy.ReadOnly {
		ctx = WithConsent(ctx, func(_ context.Context, q Question) error {
			return &Error{Code: CodeRefused, Message: q.Operation + " would destroy something, and this server was started not to", Next: q.AskPerson()}
		})
	}
	if o.policy.ReadOnly && t.ChangesBy != "" && hasField(args, t.ChangesBy) {
		return Result{}, &Error{Code: CodeRefused, Message: t.ChangesBy + ": the server was started with --read-only; leave it out"}
	}
	if o.fixed != "" && t.input().Properties[ConfigDirField] != nil {
		var err error
		if args, err = o.fixConfigDir(args); err != nil {
			return Result{}, err
		}
	}
	if o.fixed != "" {
		ctx = context.WithValue(ctx, fixedDirKey{}, true)
	}
	return t.Call(ctx, args)
}

// fixedDirKey is set in calls whose directory their caller can neither choose
// nor name.
type fixedDirKey struct{}

func fixedDir(ctx context.Context) bool { return ctx.Value(fixedDirKey{}) != nil }

// hasField says whether args has a field, whatever its value.
func hasField(args json.RawMessage, field string) bool {
	fields := map[string]json.RawMessage{}
	if json.Unmarshal(args, &fields) != nil {
		return false // it will be refused
	}
	_, ok := fields[field]
	return ok
}

// ConfigDirField is the argument by which a call names its directory.
const ConfigDirField = "config_dir"

// fixConfigDir puts the fixed directory into args. What is no object is left to the
// validation, which knows better how to say so.
func (o *Offer) fixConfigDir(args json.RawMessage) (json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	if len(args) > 0 {
		if err := json.Unmarshal(args, &fields); err != nil || fields == nil {
			return args, nil
		}
	}
	if given, ok := fields[ConfigDirField]; ok {
		var dir string
		if err := json.Unmarshal(given, &dir); err != nil || filepath.Clean(dir) != o.fixed {
			return nil, &Error{Code: CodeRefused, Message: ConfigDirField + ": the server was started for one directory, and a call cannot name another; leave it out"}
		}
	}
	dir, err := Marshal(o.fixed)
	if err != nil {
		return nil, err
	}
	fields[ConfigDirField] = dir
	return Marshal(fields)
}
