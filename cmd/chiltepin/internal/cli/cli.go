// Package cli turns the catalogue into a command line: dots become words,
// fields become flags, results become text or, with --json, the same bytes
// that every other face shows.
//
// It names no operation. A command line differs from another face only in how
// it renders: progress as one line on a terminal, consent and login as a
// prompt, errors as a sentence and a hint with an exit status.
package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"chiltepin/tools/operation"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chiltepin/tools"
)

// World is everything of the process that the command line touches.
type World struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// StdinTTY, StdoutTTY and StderrTTY say where a person is.
	StdinTTY, StdoutTTY, StderrTTY bool
	// Terminal opens the terminal of the process, whatever its streams are; an
	// error, or nil, is that there is none.
	Terminal func() (io.ReadWriteCloser, error)
	// StderrSize is the size of the terminal there, in columns and rows; nil
	// where it is not known.
	StderrSize func() (columns, rows int)
	Getenv     func(string) string
	Version    string
	// Resources is what a server offers to read beside the operations.
	Resources operation.Resources
}

// Main runs one command line over the catalogue and returns its exit status.
func Main(ctx context.Context, w World, catalog *operation.Catalog) int {
	c := &command{World: w, wording: commandWording(catalog)}
	root := c.rootCommand(catalog)
	root.SetArgs(w.Args)
	cmd, err := root.ExecuteContextC(ctx)
	c.closeLog()
	if err == nil {
		return 0
	}
	return c.showError(cmd, err)
}

// command is one run of the program.
type command struct {
	World
	json      bool
	config    string
	logLevel  string
	logFile   string
	log       zerolog.Logger // without a level; see withLog
	closeFile func() error
	lines     *bufio.Reader
	// reading is a read of standard input that somebody gave up: whoever reads
	// next gets its line.
	reading <-chan readLine
	wording *operation.Wording
}

// usageError is a wrong command line, as opposed to a wrong argument.
type usageError struct{ error }

// errBare is a command that lacks its subcommand; its usage has been shown.
var errBare = errors.New("a command is needed")

func (c *command) rootCommand(catalog *operation.Catalog) *cobra.Command {
	root := &cobra.Command{
		Use:           "chiltepin",
		Short:         "Manage Globus Compute endpoints on this machine",
		Long:          "chiltepin manages the life of Globus Compute endpoints on this machine:\nlogins, configuration, start, proof that they run, stop, deregistration.",
		Version:       c.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(c.Stdout)
	root.SetErr(c.Stderr)
	root.SetIn(c.Stdin)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if f := cmd.Flag("config"); f != nil && f.Changed && c.config == "" {
			return operation.Invalid("config", "a directory", c.config)
		}
		return nil
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	c.refuseBare(root)
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.StringVarP(&c.config, "config", "c", "", "configuration `directory` (default ~/.globus_compute)")
	flags.BoolVar(&c.json, "json", false, "print the result as one JSON object, errors too")
	flags.StringVar(&c.logLevel, "log-level", "warn", "what to log: debug, info, warn, error, off")
	flags.StringVar(&c.logFile, "log-file", "", "append the log to this `file` instead of standard error")
	for t := range catalog.All() {
		c.addOperation(root, t)
	}
	root.AddCommand(c.mcpCommand(catalog), c.rpcCommand(catalog))
	root.InitDefaultCompletionCmd(c.Args...)
	for _, sub := range root.Commands() {
		if sub.Name() == "completion" {
			c.refuseBare(sub)
		}
	}
	return root
}

// refuseBare makes a command that only groups others: alone it shows its usage and
// fails, and a word it does not know is named.
func (c *command) refuseBare(cmd *cobra.Command) {
	cmd.Args = cobra.ArbitraryArgs
	cmd.SuggestionsMinimumDistance = 2
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			msg := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				msg += fmt.Sprintf("; did you mean %q?", near[0])
			}
			return usageError{errors.New(msg)}
		}
		if c.wantsJSON() {
			return errBare
		}
		cmd.SetOut(c.Stderr)
		if err := cmd.Usage(); err != nil {
			return err
		}
		return errBare
	}
}

// addOperation hangs the operation t into the tree at the place its name says.
func (c *command) addOperation(root *cobra.Command, t *operation.Tool) {
	words := strings.Split(t.Name, ".")
	parent := root
	for _, word := range words[:len(words)-1] {
		parent = c.groupCommand(parent, word)
	}
	word := words[len(words)-1]
	if !c.isNamed(words) {
		// Only lists show it: what it takes and says is made for the one that runs.
		parent.AddCommand(&cobra.Command{Use: word, Short: t.Summary, Run: func(*cobra.Command, []string) {}})
		return
	}
	parent.AddCommand(c.operationCommand(word, t))
}

// isNamed is true when every one of the words is on the command line, wherever.
func (c *command) isNamed(words []string) bool {
	for _, word := range words {
		if !slices.Contains(c.Args, word) {
			return false
		}
	}
	return true
}

func (c *command) groupCommand(parent *cobra.Command, word string) *cobra.Command {
	for _, sub := range parent.Commands() {
		if sub.Name() == word {
			return sub
		}
	}
	g := &cobra.Command{Use: word, Short: tools.GroupSummary(word)}
	c.refuseBare(g)
	parent.AddCommand(g)
	return g
}

func (c *command) operationCommand(word string, t *operation.Tool) *cobra.Command {
	use, positional := word, []operation.Field{}
	for f := range t.Fields() {
		if !f.Positional {
			continue
		}
		positional = append(positional, f)
		if f.Required {
			use += " " + strings.ToUpper(f.Name)
		} else {
			use += " [" + strings.ToUpper(f.Name) + "]"
		}
	}
	cmd := &cobra.Command{
		Use:     use,
		Short:   t.Summary,
		Long:    t.Summary + ".\n\n" + strings.TrimSpace(t.Doc) + "\n\n" + exitStatus(t),
		Example: "  " + strings.Join(t.Examples, "\n  "),
		Args:    cobra.ArbitraryArgs,
	}
	flags := addFlags(cmd.Flags(), t)
	yes := new(bool)
	if t.MayAsk() {
		cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask; without a terminal to ask at it is demanded")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > len(positional) {
			return usageError{fmt.Errorf("%s takes no argument %q", cmd.CommandPath(), args[len(positional)])}
		}
		in := map[string]any{}
		for i, arg := range args {
			in[positional[i].Name] = arg
		}
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if field, ok := flags[f.Name]; ok {
				in[field.Name] = flagValue(field, f)
			}
		})
		if c.config != "" {
			in["config_dir"] = c.config
		}
		return c.callOperation(cmd.Context(), t, in, *yes)
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) < len(positional) {
			if complete := t.Complete[positional[len(args)].Name]; complete != nil {
				return complete(cmd.Context(), c.config), cobra.ShellCompDirectiveNoFileComp
			}
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// exitStatus is the section of the help that says how the command can end.
func exitStatus(t *operation.Tool) string {
	var b strings.Builder
	b.WriteString("Exit status:\n  0    done")
	for _, row := range operation.Codes() {
		if t.CanFailWith(row.Code) {
			fmt.Fprintf(&b, "\n  %-4d %s", row.Exit, row.When)
		}
	}
	return b.String()
}
