// Package operation is the machinery of an operation: how one is declared, with
// its typed argument and result, its schemas and its codes, how a call of it is
// checked and run, what of a catalogue is offered under a policy, and what it
// may ask of the person behind a face.
//
// Every face hands [Tool.Call] JSON and gets JSON, so that decoding, refusal of
// unknown fields and validation happen here and once. What an operation wants of
// the person behind a face (progress, consent, an answer) goes through its
// context: [WithProgress], [WithConsent], [WithPrompt], [WithShow], [WithEmit].
//
// The package declares no operation and knows none of its faces. It never
// prints, reads the environment, opens a file or starts a process, and brings
// no database, OAuth or process code with it: the servers stand on it alone.
package operation

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"
)

// Effect says what an operation does to the world. The zero value is no
// effect at all and is refused by [Define]: an author must decide.
type Effect int

const (
	// Reads changes nothing.
	Reads Effect = iota + 1
	// Idempotent changes something, and doing it twice is doing it once.
	Idempotent
	// Changes changes something, and each call changes it anew.
	Changes
	// Destroys removes what cannot be had back; it asks for consent first.
	Destroys
)

// String returns the word used in the reference page.
func (e Effect) String() string {
	switch e {
	case Reads:
		return "reads"
	case Idempotent:
		return "idempotent"
	case Changes:
		return "changes"
	case Destroys:
		return "destroys"
	}
	return "undecided"
}

// Spec declares an operation beside its function.
type Spec struct {
	// Name is the wire name: lower-case words joined by dots, noun first.
	Name string
	// Title is two or three words for a list that people look at; "" stands
	// for the summary.
	Title string
	// Summary is one line in the imperative, without a full stop.
	Summary string
	// Doc is the prose below the summary: what happens, in which order, what
	// is promised.
	Doc string
	// Effect is what the operation does to the world.
	Effect Effect
	// ChangesBy is the field of the argument, a switch, without which the
	// operation changes nothing; "" for one that always may. A read-only policy
	// offers it without that field.
	ChangesBy string
	// Toolset names the group that server faces offer or leave out as a
	// whole. "" stands for the first word of the name, and for [ToolsetCore]
	// where the name has only one.
	Toolset string
	// Asks is true for an operation that may ask for consent although it does
	// not always destroy: it depends on its arguments.
	Asks bool
	// DestroysBy are the fields of the argument, switches, with which an
	// operation destroys something that does not always do so. It asks for
	// consent when one is set. No step names a call with one of them, and a
	// policy under which nothing is destroyed takes none of them.
	DestroysBy []string
	// Event is set for an operation that goes on until it is cancelled: what
	// it hands out first is its result, and everything after that is an event
	// of this wire name, of the type of EventOf, a struct. It is run with
	// [WithEmit] only.
	Event   string
	EventOf any
	// Examples are command lines, each starting with "chiltepin ".
	Examples []string
	// Errors are the codes this operation can end with besides
	// [CodeInternal], [CodeInvalid] and [CodeCanceled], which any can.
	Errors []Code
	// Complete lists the values an argument field could take, for shells and
	// editors, keyed by the field's JSON name.
	Complete map[string]func(ctx context.Context, configDir string) []string
}

// Tool is one operation of the catalogue. It is safe for concurrent use.
type Tool struct {
	Spec
	in, out reflect.Type
	input   func() *jsonschema.Schema
	output  func() *jsonschema.Schema
	run     Handler
	suggest Suggester
}

// MayAsk says whether t may ask for consent, whatever its arguments.
func (t *Tool) MayAsk() bool { return t.Effect == Destroys || t.Asks || len(t.DestroysBy) > 0 }

// Handler runs an operation on an argument object that was validated, and
// returns its result, a struct.
type Handler func(ctx context.Context, args json.RawMessage) (any, error)

// Suggester returns which of the known words a misspelled one was meant to be,
// "" if none.
type Suggester func(word string, known []string) string

// Wrap has around stand between the callers of t and what it does. It is for
// whoever makes the catalogue, before anybody calls t.
func (t *Tool) Wrap(around func(Handler) Handler) { t.run = around(t.run) }

// Define makes a [Tool] of a declaration and the function that does it. It
// panics on a declaration that breaks a house rule a program could never
// repair: an empty name, no effect, an argument or result that is no struct.
func Define[In, Out any](spec Spec, do func(context.Context, In) (Out, error)) *Tool {
	in, out := reflect.TypeFor[In](), reflect.TypeFor[Out]()
	switch {
	case spec.Name == "":
		panic("tools: an operation without a name")
	case spec.Effect < Reads || spec.Effect > Destroys:
		panic("tools: " + spec.Name + ": no effect is set")
	case in.Kind() != reflect.Struct || out.Kind() != reflect.Struct:
		panic("tools: " + spec.Name + ": argument and result must be structs")
	}
	t := &Tool{Spec: spec, in: in, out: out}
	t.input = sync.OnceValue(func() *jsonschema.Schema { return inputSchema(in) })
	t.output = sync.OnceValue(func() *jsonschema.Schema { return outputSchema(out) })
	t.run = func(ctx context.Context, args json.RawMessage) (value any, err error) {
		defer func() {
			if p := recover(); p != nil {
				value, err = nil, panicError(ctx, spec.Name, p)
			}
		}()
		var arg In
		if err := decodeArgs(args, &arg); err != nil {
			return nil, err
		}
		return do(ctx, arg)
	}
	return t
}

// decodeArgs decodes an argument object and has it check what a schema cannot
// say.
func decodeArgs(args json.RawMessage, arg any) error {
	dec := json.NewDecoder(bytes.NewReader(args))
	dec.DisallowUnknownFields()
	if err := dec.Decode(arg); err != nil {
		return decodingError(err)
	}
	if v, ok := arg.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return (&Error{Code: CodeInvalid, Message: err.Error()}).Because(err)
		}
	}
	return nil
}

// DecodeArgs decodes an argument object into the type that the operation takes.
func (t *Tool) DecodeArgs(args json.RawMessage) (any, error) {
	arg := reflect.New(t.in)
	if err := decodeArgs(args, arg.Interface()); err != nil {
		return nil, err
	}
	return arg.Elem().Interface(), nil
}

// Result is what an operation gave: the bytes that every face shows, and a
// rendering for people.
type Result struct {
	// JSON is one object, the same on every face.
	JSON  json.RawMessage
	value any
}

// Verdict is the code by which a program ends that shows this result, "" for
// one that is as was hoped. A check that found an error succeeded, and has a
// verdict.
func (r Result) Verdict() Code {
	if v, ok := r.value.(interface{ Verdict() Code }); ok {
		return v.Verdict()
	}
	return ""
}

// WriteText renders the result for people; a result without a human form is
// written as indented JSON.
func (r Result) WriteText(p *Printer) error {
	if t, ok := r.value.(interface{ WriteText(*Printer) error }); ok {
		return t.WriteText(p)
	}
	var buf bytes.Buffer
	if err := json.Indent(&buf, r.JSON, "", "  "); err != nil {
		return err
	}
	buf.WriteByte('\n')
	_, err := p.Write(buf.Bytes())
	return err
}

// Call validates args, runs the operation and returns its result. args is one
// JSON object; nothing at all stands for the empty object. The error is
// always an [*Error]. A panic in the operation is an error of that call only.
func (t *Tool) Call(ctx context.Context, args json.RawMessage) (Result, error) {
	if len(bytes.TrimSpace(args)) == 0 {
		args = json.RawMessage("{}")
	}
	if err := t.Validate(args); err != nil {
		return Result{}, err
	}
	dir := dirOf(args)
	ctx = context.WithValue(ctx, callDirKey{}, dir)
	value, failure := t.run(ctx, args)
	if failure != nil {
		return Result{}, wordingOf(ctx).Error(AsError(failure), dir)
	}
	out, err := encodeResult(ctx, value)
	if err != nil {
		return Result{}, (&Error{Code: CodeInternal, Message: fmt.Sprintf("%s: the result could not be encoded", t.Name)}).Because(err)
	}
	return out, nil
}

// callDirKey is where the context of a call has the directory that the call
// named.
type callDirKey struct{}

// encodeResult encodes what an operation gives, the steps in it worded by the face of
// the call.
func encodeResult(ctx context.Context, value any) (Result, error) {
	if w := wordingOf(ctx); w != nil {
		dir, _ := ctx.Value(callDirKey{}).(string)
		value = w.wordValue(value, dir)
	}
	b, err := Marshal(value)
	return Result{JSON: b, value: value}, err
}

// Validate checks an argument object against the schema of t. The error is an
// [*Error] that names the first field which is wrong, and how.
func (t *Tool) Validate(args json.RawMessage) error {
	if err := (validator{suggest: t.suggest}).validateObject(t.input(), args); err != nil {
		return err
	}
	return nil
}

// Input returns the schema of the argument object, with its fields in order;
// the caller does not change it.
func (t *Tool) Input() *jsonschema.Schema { return t.input() }

// Output returns the schema of the result object, with its members in order;
// the caller does not change it.
func (t *Tool) Output() *jsonschema.Schema { return t.output() }

// EventObject returns the schema of an event, with its members in order, nil
// for an operation without.
func (t *Tool) EventObject() *jsonschema.Schema {
	if t.EventOf == nil {
		return nil
	}
	return outputSchema(reflect.TypeOf(t.EventOf))
}

// InputSchema returns the JSON Schema (2020-12) of the argument object:
// closed, described, with patterns, enumerations and examples.
func (t *Tool) InputSchema() json.RawMessage { return mustMarshal(t.input()) }

// OutputSchema returns the JSON Schema of the result object. It is open:
// adding a field to a result is no break.
func (t *Tool) OutputSchema() json.RawMessage { return mustMarshal(t.output()) }

// EventSchema returns the JSON Schema of what an operation with an Event
// hands out after its result, nil for others.
func (t *Tool) EventSchema() json.RawMessage {
	s := t.EventObject()
	if s == nil {
		return nil
	}
	return mustMarshal(s)
}

// Marshal encodes without escaping <, > and &: the bytes are read by programs
// and people, never pasted into HTML.
func Marshal(v any) (json.RawMessage, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

func mustMarshal(s *jsonschema.Schema) json.RawMessage {
	b, err := Marshal(s)
	if err != nil {
		panic("tools: schema does not encode: " + err.Error())
	}
	return b
}

// decodingError turns what encoding/json says into a sentence without Go
// names. Validation has run, so only what a schema cannot say arrives here.
func decodingError(err error) *Error {
	msg := err.Error()
	if e, ok := err.(*json.UnmarshalTypeError); ok {
		msg = fmt.Sprintf("%s: want %s, got %s", e.Field, e.Type.Kind(), e.Value)
	}
	return (&Error{Code: CodeInvalid, Message: strings.TrimPrefix(msg, "json: ")}).Because(err)
}
