package operation

import (
	"context"
	"encoding/json"
	"reflect"
	"sync"
)

// Wording is how a face says what to do next. Its fields are set before its
// first use; it is safe for concurrent use.
type Wording struct {
	// Lookup returns the operation of that wire name, nil for one that the face
	// does not offer: no step names it then.
	Lookup func(name string) *Tool
	// Takes says whether a call of t may have that field, nil that it may have
	// all of them. A step that needs another is advice to a person.
	Takes func(t *Tool, field string) bool
	// Say words a call of t on args, in which the configuration directory is
	// where the call needs one. host and user are where and as whom it has to
	// run, "" for here and for the caller.
	Say func(t *Tool, args map[string]any, host, user string) Words

	walks sync.Map // reflect.Type → walk, nil for one that holds no step
}

// WithWording returns a context whose calls have the steps in their results and
// errors worded by w.
func WithWording(ctx context.Context, w *Wording) context.Context {
	return context.WithValue(ctx, wordingKey{}, w)
}

type wordingKey struct{}

func wordingOf(ctx context.Context) *Wording {
	w, _ := ctx.Value(wordingKey{}).(*Wording)
	return w
}

// Error words the steps of an error that a face makes itself; configDir is the
// directory that its call named, "" for the default one. The error given stays
// as it is.
func (w *Wording) Error(e *Error, configDir string) *Error {
	if w == nil || len(e.Next) == 0 {
		return e
	}
	worded := *e
	worded.Next = w.wordSteps(e.Next, configDir)
	return &worded
}

// wordSteps words each step. One whose operation is not offered here, or destroys
// something, is left with what it is good for, as advice to a person.
func (w *Wording) wordSteps(list []Next, configDir string) []Next {
	out := make([]Next, 0, len(list))
	for _, n := range list {
		if n.Operation == "" {
			out = append(out, n)
			continue
		}
		t := w.Lookup(n.Operation)
		if t == nil || t.destroysWith(n.Args) || !w.takesAll(t, n.Args) {
			if n.Why != "" {
				out = append(out, Next{Why: n.Why})
			}
			continue
		}
		args := map[string]any{}
		for name, value := range n.Args {
			args[name] = value
		}
		if configDir != "" && args[ConfigDirField] == nil && w.takes(t, ConfigDirField) {
			args[ConfigDirField] = configDir
		}
		words := w.Say(t, args, n.Host, n.User)
		n.words = &words
		out = append(out, n)
	}
	return out
}

// takes says whether a call of t may have that field on the face.
func (w *Wording) takes(t *Tool, field string) bool {
	return t.input().Properties[field] != nil && (w.Takes == nil || w.Takes(t, field))
}

// takesAll says whether a call of t may have all those fields on the face.
func (w *Wording) takesAll(t *Tool, args map[string]any) bool {
	for field := range args {
		if t.input().Properties[field] != nil && !w.takes(t, field) {
			return false
		}
	}
	return true
}

// destroysWith is true for a call that destroys something, by its operation or
// by its arguments.
func (t *Tool) destroysWith(args map[string]any) bool {
	if t.Effect == Destroys {
		return true
	}
	for _, field := range t.DestroysBy {
		if args[field] == true {
			return true
		}
	}
	return false
}

// wordValue returns a result with the steps in it worded.
func (w *Wording) wordValue(v any, configDir string) any {
	t := reflect.TypeOf(v)
	visit := w.walkOf(t)
	if visit == nil {
		return v
	}
	copied := reflect.New(t).Elem()
	copied.Set(reflect.ValueOf(v))
	visit(copied, configDir)
	return copied.Interface()
}

// walk words the steps in a value that can be set.
type walk func(v reflect.Value, configDir string)

var stepsType = reflect.TypeFor[[]Next]()

// walkOf returns how to find the steps in values of a type, nil where there are
// none: results of a thousand entries are not searched in vain.
func (w *Wording) walkOf(t reflect.Type) walk {
	if known, ok := w.walks.Load(t); ok {
		return known.(walk)
	}
	made := w.makeWalk(t)
	w.walks.Store(t, made)
	return made
}

func (w *Wording) makeWalk(t reflect.Type) walk {
	switch {
	case t == stepsType:
		return func(v reflect.Value, dir string) {
			if v.Len() > 0 {
				v.Set(reflect.ValueOf(w.wordSteps(v.Interface().([]Next), dir)))
			}
		}
	case t.Kind() == reflect.Pointer:
		if inner := w.walkOf(t.Elem()); inner != nil {
			return func(v reflect.Value, dir string) {
				if !v.IsNil() {
					inner(v.Elem(), dir)
				}
			}
		}
	case t.Kind() == reflect.Slice:
		if inner := w.walkOf(t.Elem()); inner != nil {
			return func(v reflect.Value, dir string) {
				for i := range v.Len() {
					inner(v.Index(i), dir)
				}
			}
		}
	case t.Kind() == reflect.Struct:
		return w.structWalk(t)
	}
	return nil
}

func (w *Wording) structWalk(t reflect.Type) walk {
	fields := map[int]walk{}
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			continue
		}
		if inner := w.walkOf(t.Field(i).Type); inner != nil {
			fields[i] = inner
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return func(v reflect.Value, dir string) {
		for i, inner := range fields {
			inner(v.Field(i), dir)
		}
	}
}

// dirOf is the configuration directory that a call named, "" for the default
// one.
func dirOf(args json.RawMessage) string {
	var in struct {
		ConfigDir string `json:"config_dir"`
	}
	_ = json.Unmarshal(args, &in) // it was validated
	return in.ConfigDir
}

// CallWords are the words of a face that calls an operation by a name and an
// argument object, in members that it names itself.
func CallWords(member, name, argsMember string, args map[string]any, host, user string) Words {
	w := Words{Members: map[string]any{member: name}, Text: name}
	if len(args) > 0 {
		w.Members[argsMember] = args
		if b, err := Marshal(args); err == nil {
			w.Text += " " + string(b)
		}
	}
	if user != "" {
		w.Text = "as " + user + ": " + w.Text
	}
	if host != "" {
		w.Text = "on " + host + ": " + w.Text
	}
	return w
}
