package operation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/rs/zerolog"
)

// Progress is one thing that happened on the way to a result.
type Progress struct {
	// Stage is a word that stays the same from release to release, such as
	// "launching" or "draining".
	Stage string
	// Text is one sentence for people, without a full stop.
	Text string
	// Done and Total count units of work where they are known, zero otherwise.
	Done, Total int64
}

// WithProgress returns a context whose operations report to watch.
func WithProgress(ctx context.Context, watch func(Progress)) context.Context {
	return context.WithValue(ctx, progressKey{}, watch)
}

type progressKey struct{}

// Report hands p to whoever watches the calls of ctx, if anybody does.
func Report(ctx context.Context, p Progress) {
	if watch := ProgressOf(ctx); watch != nil {
		watch(p)
	}
}

// ProgressOf returns what the calls of ctx report to, nil where nobody watches.
func ProgressOf(ctx context.Context) func(Progress) {
	watch, _ := ctx.Value(progressKey{}).(func(Progress))
	return watch
}

// Question is what a person must agree to before something is destroyed.
type Question struct {
	// Operation is the wire name of the asking operation.
	Operation string
	// Subject is the name that a person may be asked to type: the endpoint's.
	Subject string
	// ID and ConfigDir bind the answer to one endpoint in one directory.
	ID, ConfigDir string
	// Unattended is true where a command line without a terminal may do it
	// without having asked, for the sake of scripts that always could.
	Unattended bool
	// Keeps is true where a yes destroys nothing.
	Keeps bool
	// Late is true where the question arose in the middle of the call: whoever
	// confirmed the call before it was made could not know it.
	Late bool
	// Text says what is at stake and asks: one or two sentences.
	Text string
}

// WithConsent returns a context in which ask decides about questions. A nil
// error is a yes; anything else stops the operation. An argument is never
// consent, and a context without WithConsent consents to nothing.
func WithConsent(ctx context.Context, ask func(context.Context, Question) error) context.Context {
	return context.WithValue(ctx, consentKey{}, ask)
}

type consentKey struct{}

// Consent asks the person behind ctx about q and returns nil for a yes. An
// operation asks before it holds any lock, for a person takes time, and asks
// again when it is run again: a face may have to end the call to ask.
func Consent(ctx context.Context, q Question) error {
	ask, ok := ctx.Value(consentKey{}).(func(context.Context, Question) error)
	if !ok {
		return &Error{Code: CodeRefused, Message: "this needs the word of a person, and nobody can be asked here", Next: q.AskPerson()}
	}
	return ask(ctx, q)
}

// ErrPostponed is in the chain of the error of a face that ends its call to ask
// the person: the same call comes again with the answer.
var ErrPostponed = errors.New("the person is asked, and the call is made again")

// Declined is the error of a person who said no to q.
func Declined(Question) error {
	return &Error{Code: CodeRefused, Message: "nothing was done: consent was declined"}
}

// AskPerson is what a caller does next who could ask nobody. It names no
// command: whoever runs what it is told would have destroyed without a person.
func (q Question) AskPerson() []Next {
	return Do("ask the person whom it concerns; they can do it in a terminal of theirs, which asks them: " + q.Text)
}

// WithPrompt returns a context in which ask shows a login URL to a person and
// returns the code the person brought back from it. An empty URL asks for what
// the person pastes without showing anything anew: the login comes back by
// itself to a page on this machine, and only where that page cannot be reached
// does its address have to be pasted. ask must give up when its ctx ends.
//
// A face without a terminal does not set it. A login then ends with a result
// that tells how to go on, once [WithShow] and waiting a little have not
// brought it to an end.
func WithPrompt(ctx context.Context, ask func(ctx context.Context, url string) (code string, err error)) context.Context {
	return context.WithValue(ctx, promptKey{}, ask)
}

type promptKey struct{}

// Prompt returns the way to show a login URL to the person behind ctx, nil
// where there is none.
func Prompt(ctx context.Context) func(ctx context.Context, url string) (code string, err error) {
	ask, _ := ctx.Value(promptKey{}).(func(context.Context, string) (string, error))
	return ask
}

// WithShow returns a context in which show puts a login URL before the person,
// in a browser of theirs, and returns nil once it has. An [*Error] ends the
// call, such as that of a person who does not want to; any other error means
// that it could not be shown, and the result then holds it. It is called at most
// once a call and, without [WithPrompt], not at all when a browser was opened on
// this machine.
func WithShow(ctx context.Context, show func(ctx context.Context, url string) error) context.Context {
	return context.WithValue(ctx, showKey{}, show)
}

type showKey struct{}

// Show returns the way to put a login URL before the person behind ctx without
// a terminal, nil where there is none.
func Show(ctx context.Context) func(ctx context.Context, url string) error {
	show, _ := ctx.Value(showKey{}).(func(context.Context, string) error)
	return show
}

// WithEmit returns a context in which an operation that goes on for ever
// (following a log) hands out what it has, piece by piece, before it ends.
func WithEmit(ctx context.Context, emit func(Result) error) context.Context {
	return context.WithValue(ctx, emitKey{}, emit)
}

type emitKey struct{}

// Emit hands out one piece of a result ahead of its end; nothing happens where
// the face takes none.
func Emit(ctx context.Context, v any) error {
	if emit := Emitter(ctx); emit != nil {
		return emit(v)
	}
	return nil
}

// Emitter returns the way to hand out pieces of a result, nil where the face
// takes none.
func Emitter(ctx context.Context) func(any) error {
	emit, ok := ctx.Value(emitKey{}).(func(Result) error)
	if !ok {
		return nil
	}
	return func(v any) error {
		r, err := encodeResult(ctx, v)
		if err != nil {
			return err
		}
		return emit(r)
	}
}

// WithPerson returns a context whose result is shown to a person as text, who
// can take a longer page than a program that pays for each line.
func WithPerson(ctx context.Context) context.Context {
	return context.WithValue(ctx, personKey{}, true)
}

type personKey struct{}

// ForPerson is true when the result is shown to a person as text.
func ForPerson(ctx context.Context) bool {
	yes, _ := ctx.Value(personKey{}).(bool)
	return yes
}

// WithFace returns a context whose operations are noted as called through
// that face: "cli", "mcp" or "rpc".
func WithFace(ctx context.Context, face string) context.Context {
	return context.WithValue(ctx, faceKey{}, face)
}

type faceKey struct{}

// FaceOf returns the face that the call came through, "" if none has said.
func FaceOf(ctx context.Context) string {
	face, _ := ctx.Value(faceKey{}).(string)
	return face
}

// Printer is where a result is written for people.
type Printer struct {
	io.Writer
	// Terminal is true when a person is looking; headings are for them.
	Terminal bool
	// Color is true when colours are wanted.
	Color bool
}

// Printf writes formatted text; a write error stays with the Writer.
func (p *Printer) Printf(format string, args ...any) { fmt.Fprintf(p.Writer, format, args...) }

// Paint wraps s in an SGR sequence where colours are wanted.
func (p *Printer) Paint(sgr, s string) string {
	if !p.Color {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

// panicError logs the panic with its stack and returns a neutral error: what a
// panic says may hold anything, so it is never shown.
func panicError(ctx context.Context, name string, p any) *Error {
	zerolog.Ctx(ctx).Error().Str("operation", name).Interface("panic", p).Bytes("stack", debug.Stack()).Msg("operation panicked")
	return &Error{Code: CodeInternal, Message: name + " failed inside; this is a bug", Next: Do("report it, with what the log of level debug says")}
}
