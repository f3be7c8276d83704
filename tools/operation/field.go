package operation

import (
	"iter"
	"reflect"
	"strings"
)

// Field is one field of an argument object, as a face needs it to build a
// flag, a form or a page.
type Field struct {
	// Name is the JSON name.
	Name string
	// Flag is the name of its command-line flag, Short its letter or "".
	Flag, Short string
	// Positional is true for an argument that has no flag.
	Positional bool
	// Wire is true for an argument that a command line does not have: it is
	// for callers that cannot be asked while the call lasts.
	Wire bool
	// Person is true for an argument that is the person's alone, who has a
	// command line and starts the servers: no server takes it from its client.
	// What becomes a program that is run is one.
	Person bool
	// Required is true when it must be given.
	Required bool
	// Description is one phrase.
	Description string
	// Enum lists the words allowed, if the values are words: those of the tag
	// enum, or those of a type that is a [Vocabulary].
	Enum []string
	// Pattern is the regular expression a string must match, or "".
	Pattern string
	// Example is one value as a person would type it, or "".
	Example string
	// Type is the Go type: string, bool, int, [Duration] or []string.
	Type reflect.Type

	tag reflect.StructTag
}

// Fields yields the fields of the argument object in the order of their
// declaration; fields of embedded structs stand where the struct stands.
func (t *Tool) Fields() iter.Seq[Field] { return fieldsOf(t.in) }

// Prose is the Doc of t for callers without a command line: a flag is called by
// the name of its field, unless it is the person's alone.
func (t *Tool) Prose() string {
	doc := strings.TrimSpace(t.Doc)
	for f := range t.Fields() {
		if !f.Positional && !f.Person {
			doc = strings.ReplaceAll(doc, "--"+f.Flag, f.Name)
		}
	}
	return doc
}

func fieldsOf(t reflect.Type) iter.Seq[Field] {
	return func(yield func(Field) bool) { yieldFields(t, yield) }
}

// Vocabulary is a kind of string whose words are known to its own package, not
// to the tag of each field. Its zero value tells them.
type Vocabulary interface{ Words() []string }

func yieldFields(t reflect.Type, yield func(Field) bool) bool {
	for i := range t.NumField() {
		sf := t.Field(i)
		name, opts, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if sf.Anonymous && name == "" {
			if !yieldFields(sf.Type, yield) {
				return false
			}
			continue
		}
		if !sf.IsExported() || name == "-" || name == "" {
			continue
		}
		f := Field{
			Name:        name,
			Flag:        strings.ReplaceAll(name, "_", "-"),
			Required:    !strings.Contains(opts, "omitempty") && !strings.Contains(opts, "omitzero"),
			Description: sf.Tag.Get("jsonschema"),
			Pattern:     sf.Tag.Get("pattern"),
			Example:     sf.Tag.Get("example"),
			Type:        sf.Type,
			Person:      sf.Tag.Get("wire") == "-",
			tag:         sf.Tag,
		}
		if words := sf.Tag.Get("enum"); words != "" {
			f.Enum = strings.Split(words, ",")
		} else if w, ok := reflect.Zero(sf.Type).Interface().(Vocabulary); ok {
			f.Enum = w.Words()
		}
		switch cli := sf.Tag.Get("cli"); cli {
		case "":
		case "arg":
			f.Positional = true
		case "-":
			f.Wire = true
		default:
			var long string
			f.Short, long, _ = strings.Cut(cli, ",")
			if long != "" {
				f.Flag = long
			}
		}
		if !yield(f) {
			return false
		}
	}
	return true
}
