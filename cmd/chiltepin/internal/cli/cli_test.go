package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"chiltepin/tools/operation"

	"chiltepin/tools"
)

// nothing is a catalogue of every operation over services that cannot be had:
// what gets as far as them was a right command line.
func nothing() *operation.Catalog {
	none := errors.New("nothing here")
	return tools.All(tools.Services{
		Endpoints: func(context.Context, tools.Place) (tools.Endpoints, error) { return nil, none },
		Accounts:  func(context.Context, string) (tools.Accounts, error) { return nil, none },
		Runtimes:  func(context.Context, string) (tools.Runtimes, error) { return nil, none },
		Doctors:   func(context.Context, tools.Place) (tools.Doctors, error) { return nil, none },
		Journal:   func(context.Context, string) (tools.Journal, error) { return nil, none },
		Pools:     func(context.Context, tools.Place) (tools.Pools, error) { return nil, none },
	})
}

func run(t *testing.T, catalog *operation.Catalog, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = Main(t.Context(), World{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Getenv: func(string) string { return "" }}, catalog)
	return code, out.String(), err.String()
}

// TestExamplesParse runs every example of the catalogue: each must be a
// command line that this program takes.
func TestExamplesParse(t *testing.T) {
	t.Parallel()
	seen := 0
	for tool := range nothing().All() {
		for _, example := range tool.Examples {
			code, _, stderr := run(t, nothing(), strings.Fields(example)[1:]...)
			if code != 1 || !strings.Contains(stderr, "nothing here") {
				t.Errorf("%s: exit %d: %s", example, code, stderr)
			}
			seen++
		}
	}
	if seen < 20 {
		t.Errorf("only %d examples were run", seen)
	}
}

// TestHelpOfEveryCommand shows the help of every operation, with its exit
// statuses and examples.
func TestHelpOfEveryCommand(t *testing.T) {
	t.Parallel()
	for tool := range nothing().All() {
		code, out, _ := run(t, nothing(), append(strings.Split(tool.Name, "."), "--help")...)
		for _, want := range []string{tool.Summary, "Exit status:", "130  interrupted", tool.Examples[0]} {
			if code != 0 || !strings.Contains(out, want) {
				t.Errorf("%s --help: exit %d, lacks %q:\n%s", tool.Name, code, want, out)
			}
		}
	}
}

// TestCompletion offers the subcommands to a shell.
func TestCompletion(t *testing.T) {
	t.Parallel()
	code, out, _ := run(t, nothing(), "__complete", "endpoint", "st")
	if code != 0 || !strings.Contains(out, "start\t") || !strings.Contains(out, "status\t") || strings.Contains(out, "list") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

// paper is a terminal on which somebody has typed already.
type paper struct {
	io.Reader
	io.Writer
}

func (paper) Close() error { return nil }

// TestConsent asks at the terminal, whatever is redirected; without one nothing
// is destroyed but with --yes, or where the question lets a script do it.
func TestConsent(t *testing.T) {
	t.Parallel()
	type args struct {
		Name string `json:"name" cli:"arg" jsonschema:"name"`
	}
	type result struct {
		Done bool `json:"done" jsonschema:"done"`
	}
	catalog := operation.NewCatalog(operation.Define(operation.Spec{Name: "thing.destroy", Effect: operation.Destroys}, func(ctx context.Context, in args) (result, error) {
		return result{true}, operation.Consent(ctx, operation.Question{Operation: "thing.destroy", Subject: in.Name, Text: "Destroy " + in.Name + "?", Unattended: in.Name == "old"})
	}))
	for _, tt := range []struct {
		name, answer string
		tty          bool
		args         []string
		code         int
	}{
		{"NoTerminal", "", false, []string{"x"}, 10},
		{"NoTerminalFlag", "", false, []string{"--yes", "x"}, 0},
		{"NoTerminalScript", "", false, []string{"old"}, 0},
		{"Yes", "y\n", true, []string{"x"}, 0},
		{"No", "n\n", true, []string{"x"}, 10},
		{"NoToScript", "n\n", true, []string{"old"}, 10},
		{"Enter", "\n", true, []string{"x"}, 10},
		{"End", "", true, []string{"x"}, 10},
		{"Flag", "n\n", true, []string{"--yes", "x"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out, errs, terminal bytes.Buffer
			// What is piped in is no answer.
			w := World{Args: append([]string{"thing", "destroy", "--json"}, tt.args...), Stdin: strings.NewReader("y\n"), Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
			if tt.tty {
				w.Terminal = func() (io.ReadWriteCloser, error) { return paper{strings.NewReader(tt.answer), &terminal}, nil }
			}
			if code := Main(t.Context(), w, catalog); code != tt.code {
				t.Errorf("exit %d, want %d; stderr %s", code, tt.code, errs.String())
			}
			if want := `{"done":true}` + "\n"; (out.String() == want) != (tt.code == 0) {
				t.Errorf("stdout %q", out.String())
			}
			if asked := strings.Contains(terminal.String(), "Destroy "); asked != (tt.tty && len(tt.args) == 1) {
				t.Errorf("asked: %v", asked)
			}
			if !tt.tty && tt.code == 10 && !strings.Contains(errs.String(), "--yes was not given") {
				t.Errorf("it does not say what is demanded: %s", errs.String())
			}
		})
	}
}
