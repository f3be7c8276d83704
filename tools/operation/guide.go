package operation

import (
	"fmt"
	"strings"
)

// Guide is a task that a person can hand to a model, worded with the
// operations it takes.
type Guide struct {
	// Name is wire contract, Title two or three words, Summary one line.
	Name, Title, Summary string
	Args                 []GuideArg
	// Text words the task. say gives the word by which the reader calls an
	// operation; args holds what was given, by the names of Args.
	Text func(say func(operation string) string, args map[string]string) string
}

// GuideArg is something that a [Guide] can be told.
type GuideArg struct {
	Name, Doc string
	Required  bool
	// Endpoint is true when it is the name of an endpoint there is.
	Endpoint bool
}

// Render words the task for the arguments given. The error is an [*Error]
// that names an argument which is missing or not known.
func (g Guide) Render(say func(operation string) string, args map[string]string) (string, error) {
	known := map[string]bool{}
	for _, a := range g.Args {
		known[a.Name] = true
		if a.Required && args[a.Name] == "" {
			return "", &Error{Code: CodeInvalid, Message: fmt.Sprintf("%s: is required (%s)", a.Name, a.Doc)}
		}
	}
	safe := map[string]string{}
	for name, value := range args {
		if !known[name] {
			return "", &Error{Code: CodeInvalid, Message: fmt.Sprintf("%s: no such argument", quotePlain(name))}
		}
		safe[name] = strings.TrimSpace(Clean(value))
	}
	return strings.TrimSpace(g.Text(say, safe)), nil
}
