package operation

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"
)

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

// ConfigDir returns the directory of calls that name none, "" for the default
// one.
func (o *Offer) ConfigDir() string { return o.dir }

// Takes says whether a call of t may have that field: it has one of the name,
// and the policy leaves it to its caller.
func (o *Offer) Takes(t *Tool, field string) bool {
	return t.input().Properties[field] != nil && o.refuseField(t, field) == ""
}

// refuseField is why a caller may not give that field of t, "" where it may.
func (o *Offer) refuseField(t *Tool, field string) string {
	switch {
	case t.isPersons(field):
		return "only the person who runs the server decides this; leave it out"
	case field == ConfigDirField && len(o.roots) == 0:
		return "the server was started for one directory, and a call cannot name another; leave it out"
	case o.policy.ReadOnly && field == t.ChangesBy:
		return "the server was started with --read-only; leave it out"
	case o.policy.ReadOnly && slices.Contains(t.DestroysBy, field):
		return "the server was started with --read-only; leave it out"
	case o.policy.NoDestructive && slices.Contains(t.DestroysBy, field):
		return "it destroys what cannot be had back, and the server was started with --no-destructive; leave it out"
	}
	return ""
}

// isPersons says whether a field of t is the person's alone.
func (t *Tool) isPersons(field string) bool {
	for f := range t.Fields() {
		if f.Name == field {
			return f.Person
		}
	}
	return false
}

// InputSchema is that of t without what the policy takes out of its caller's
// hands.
func (o *Offer) InputSchema(t *Tool) json.RawMessage { return mustMarshal(o.input(t)) }

func (o *Offer) input(t *Tool) *jsonschema.Schema {
	if known, ok := o.narrow.Load(t); ok {
		return known.(*jsonschema.Schema)
	}
	made, _ := o.narrow.LoadOrStore(t, o.narrowSchema(t))
	return made.(*jsonschema.Schema)
}

func (o *Offer) narrowSchema(t *Tool) *jsonschema.Schema {
	s := t.input()
	hidden := func(field string) bool { return o.refuseField(t, field) != "" }
	if !slices.ContainsFunc(s.PropertyOrder, hidden) {
		return s
	}
	narrow := s.CloneSchemas()
	narrow.Properties = make(map[string]*jsonschema.Schema, len(s.Properties))
	for name, p := range s.Properties {
		if !hidden(name) {
			narrow.Properties[name] = p
		}
	}
	narrow.PropertyOrder = slices.DeleteFunc(slices.Clone(s.PropertyOrder), hidden)
	return narrow
}

// Call is [Tool.Call] under the policy. It holds whether or not t was listed.
func (o *Offer) Call(ctx context.Context, t *Tool, args json.RawMessage) (Result, error) {
	if offered, why := o.Lookup(t.Name); offered == nil {
		return Result{}, &Error{Code: CodeRefused, Message: t.Name + " is not offered here: " + why}
	}
	if o.policy.NoDestructive || o.policy.ReadOnly {
		outer := ctx
		ctx = WithConsent(ctx, func(_ context.Context, q Question) error {
			if q.Keeps {
				return Consent(outer, q)
			}
			return &Error{Code: CodeRefused, Message: q.Operation + " would destroy something, and this server was started not to", Next: q.AskPerson()}
		})
	}
	args, err := o.admitArgs(t, args)
	if err != nil {
		return Result{}, err
	}
	return t.Call(ctx, args)
}

// admitArgs refuses what the policy leaves to nobody who calls, and adds what the
// person has set for every call. What is no object is left to the validation,
// which knows better how to say so.
func (o *Offer) admitArgs(t *Tool, args json.RawMessage) (json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(args)) > 0 {
		if err := json.Unmarshal(args, &fields); err != nil || fields == nil {
			return args, nil
		}
	}
	for _, name := range t.input().PropertyOrder {
		given, ok := fields[name]
		if !ok || name == ConfigDirField && o.isOwnDir(given) {
			continue
		}
		if why := o.refuseField(t, name); why != "" {
			return nil, &Error{Code: CodeRefused, Message: name + ": " + why}
		}
	}
	offered := append([]string{}, o.input(t).PropertyOrder...)
	if len(bytes.TrimSpace(args)) == 0 {
		args = json.RawMessage("{}")
	}
	if err := (validator{t.suggest, offered}).validateObject(t.input(), args); err != nil {
		return nil, err
	}
	if given, ok := fields[ConfigDirField]; ok && o.Takes(t, ConfigDirField) {
		dir, err := o.admitDir(given)
		if err != nil {
			return nil, err
		}
		if fields[ConfigDirField], err = Marshal(dir); err != nil {
			return nil, err
		}
	}
	return o.addSettings(t, fields, args)
}

// addSettings puts into a call what is set for all of them.
func (o *Offer) addSettings(t *Tool, fields map[string]json.RawMessage, args json.RawMessage) (json.RawMessage, error) {
	set := map[string]string{}
	if o.dir != "" {
		set[ConfigDirField] = o.dir
	}
	for name, value := range o.policy.Settings {
		if t.isPersons(name) {
			set[name] = value
		}
	}
	_, dirGiven := fields[ConfigDirField]
	for name, value := range set {
		if _, given := fields[name]; given || t.input().Properties[name] == nil {
			continue
		}
		text, err := Marshal(value)
		if err != nil {
			return nil, err
		}
		fields[name] = text
	}
	if len(set) == 0 && !dirGiven {
		return args, nil
	}
	return Marshal(fields)
}
