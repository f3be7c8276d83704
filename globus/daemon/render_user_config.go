package daemon

import (
	"regexp"
	"strings"
)

// RenderArguments are the arguments with which the program renders a user
// endpoint's configuration of options, a template and, where they are not "", a
// schema and the configuration of the endpoint: files all of them. An endpoint is
// never named: the program would run the config.py in its directory.
func RenderArguments(dir, options, template, schema, parent string) []string {
	args := []string{directoryArgument(dir), "render-user-config", "--user-options=" + options, "--template=" + template}
	if schema != "" {
		args = append(args, "--user-schema="+schema)
	}
	if parent != "" {
		args = append(args, "--parent-config="+parent)
	}
	return args
}

// RenderRefusal is why the program would not render a configuration.
type RenderRefusal struct {
	// Cause is its sentence, Exception the class of Python's exception, Option
	// the option that the schema refuses under the name by which it is sent;
	// the last two are empty where it names none.
	Cause, Exception, Option string
	// Lines are all that it printed about it.
	Lines []string
}

// IsUndefined is true for a variable that the template uses and nobody gives.
func (r RenderRefusal) IsUndefined() bool { return strings.HasSuffix(r.Exception, "UndefinedError") }

// IsTemplate is true for a template that is wrong.
func (r RenderRefusal) IsTemplate() bool { return strings.HasPrefix(r.Exception, "jinja2.") }

// ParseRenderRefusal reads what the program prints on its standard error:
//
//	Error: Failed to render user configuration template.
//		(jinja2.exceptions.UndefinedError) 'foo' is undefined
func ParseRenderRefusal(printed string) RenderRefusal {
	_, text, found := strings.Cut(printed, "Error: ")
	if !found {
		text = printed
	}
	r := RenderRefusal{Lines: strings.Split(strings.TrimRight(text, "\n"), "\n")}
	r.Cause = strings.TrimSpace(r.Lines[0])
	if m := regexp.MustCompile(`(?m)^\s*\(([A-Za-z0-9_.]+)\) (.*)$`).FindStringSubmatch(text); m != nil {
		r.Exception, r.Cause = m[1], m[2]
	}
	if m := regexp.MustCompile(`On instance\['([^']+)'\]`).FindStringSubmatch(text); m != nil {
		r.Option = m[1]
	}
	return r
}
