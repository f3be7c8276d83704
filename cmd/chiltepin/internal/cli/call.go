package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"chiltepin/tools/operation"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"chiltepin/tools"
)

// callOperation hands the operation its arguments as JSON, as every face does, and
// renders what comes back.
func (c *command) callOperation(ctx context.Context, t *operation.Tool, in map[string]any, yes bool) error {
	ctx, err := c.withLog(ctx)
	if err != nil {
		return err
	}
	args, err := json.Marshal(in)
	if err != nil {
		return err
	}
	line := &progressLine{w: c.Stderr, on: c.StderrTTY && !c.json}
	ctx = operation.WithWording(ctx, c.wording)
	ctx = operation.WithProgress(operation.WithFace(ctx, "cli"), line.show)
	ctx = operation.WithConsent(ctx, func(ctx context.Context, q operation.Question) error {
		line.clear()
		return c.askConsent(ctx, q, yes)
	})
	ctx = operation.WithPrompt(ctx, func(ctx context.Context, url string) (string, error) {
		line.clear()
		return c.askCode(ctx, url)
	})
	if !c.json {
		ctx = operation.WithPerson(ctx)
	}
	ctx = operation.WithShow(ctx, func(_ context.Context, url string) error {
		line.clear()
		c.showAddress(url)
		return nil
	})
	ctx = operation.WithEmit(ctx, func(r operation.Result) error {
		line.clear()
		return c.printResult(r)
	})
	began := time.Now()
	res, err := t.Call(ctx, args)
	line.clear()
	zerolog.Ctx(ctx).Info().Str("operation", t.Name).Dur("ms", time.Since(began)).Err(errors.Unwrap(err)).Msg("called")
	if err != nil {
		return err
	}
	if err := c.printResult(res); err != nil {
		return err
	}
	if code := res.Verdict(); code != "" {
		return verdict(code)
	}
	return nil
}

// verdict ends the program with the status of a code, for a result that has
// been shown and says it all.
type verdict operation.Code

// Error is for logs; a person has seen the result.
func (v verdict) Error() string { return string(v) }

func (c *command) printResult(r operation.Result) error {
	var err error
	if c.json {
		_, err = c.Stdout.Write(append(r.JSON, '\n'))
	} else {
		err = r.WriteText(c.resultPrinter(c.StdoutTTY))
	}
	if err != nil {
		return &operation.Error{Code: operation.CodeInternal, Message: "writing the result: " + err.Error()}
	}
	return nil
}

func (c *command) resultPrinter(tty bool) *operation.Printer {
	return &operation.Printer{Writer: c.Stdout, Terminal: tty, Color: tty && c.Getenv("NO_COLOR") == "" && c.Getenv("TERM") != "dumb"}
}

// readLine reads one line of standard input.
func (c *command) readLine(ctx context.Context) (string, error) {
	if c.lines == nil {
		c.lines = bufio.NewReader(c.Stdin)
	}
	reading := c.reading
	if c.reading = nil; reading == nil {
		reading = beginReading(c.lines)
	}
	line, err := awaitLine(ctx, reading)
	if ctx.Err() != nil {
		c.reading = reading
	}
	if err != nil && ctx.Err() == nil {
		return "", &operation.Error{Code: operation.CodeRefused, Message: "no answer: standard input is at its end", Next: operation.Do("run it in a terminal, or give the answer on standard input")}
	}
	return line, err
}

// showError shows an error and returns the exit status of the design's table.
func (c *command) showError(cmd *cobra.Command, err error) int {
	var e *operation.Error
	var usage usageError
	var shown verdict
	switch {
	case errors.Is(err, errExit):
		return 1
	case errors.As(err, &shown):
		return operation.Code(shown).Info().Exit
	case errors.Is(err, errBare) && !c.wantsJSON():
		return operation.CodeInvalid.Info().Exit
	case errors.Is(err, errBare):
		e = &operation.Error{Code: operation.CodeInvalid, Message: cmd.CommandPath() + " needs a command", Next: operation.Do(cmd.CommandPath() + " --help")}
	case errors.As(err, &usage):
		e = &operation.Error{Code: operation.CodeInvalid, Message: usage.Error(), Next: operation.Do(cmd.CommandPath() + " --help")}
	case !errors.As(err, &e):
		e = c.wording.Error(tools.Classify(err), c.config)
	}
	if e.Code == operation.CodeInvalid && len(e.Next) == 0 {
		withNext := *e
		withNext.Next = operation.Do(cmd.CommandPath() + " --help")
		e = &withNext
	}
	if c.wantsJSON() {
		b, encodeErr := json.Marshal(struct {
			Error *operation.Error `json:"error"`
		}{e})
		if encodeErr == nil {
			fmt.Fprintf(c.Stderr, "%s\n", b)
			return e.Code.Info().Exit
		}
	}
	fmt.Fprintf(c.Stderr, "chiltepin: %s\n", e.Message)
	if e.Data != nil {
		for _, line := range e.Data.Lines {
			fmt.Fprintf(c.Stderr, "  | %s\n", line)
		}
		for _, step := range e.Data.Steps {
			fmt.Fprintf(c.Stderr, "  %s: %s\n", step.Step, step.Outcome)
		}
	}
	for _, n := range e.Next {
		fmt.Fprintf(c.Stderr, "hint: %s\n", n)
	}
	return e.Code.Info().Exit
}

// wantsJSON looks at the words themselves too: a command line that could not
// be parsed may have asked for JSON all the same.
func (c *command) wantsJSON() bool {
	if c.json {
		return true
	}
	for _, arg := range c.Args {
		if arg == "--" {
			return false
		}
		if arg == "--json" || arg == "--json=true" {
			return true
		}
	}
	return false
}

// withLog builds the logger that travels in the context.
func (c *command) withLog(ctx context.Context) (context.Context, error) {
	level := zerolog.Disabled
	if c.logLevel != "off" {
		var err error
		if level, err = zerolog.ParseLevel(c.logLevel); err != nil || level == zerolog.NoLevel {
			return nil, operation.Invalid("log-level", "one of debug, info, warn, error, off", c.logLevel)
		}
	}
	out := c.Stderr
	if c.logFile != "" {
		f, err := os.OpenFile(c.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, operation.Invalid("log-file", "a file that can be written", c.logFile)
		}
		c.closeFile = f.Close
		out = f
	} else if c.StderrTTY {
		out = zerolog.ConsoleWriter{Out: c.Stderr, NoColor: c.Getenv("NO_COLOR") != "", TimeFormat: time.TimeOnly}
	}
	c.log = zerolog.New(out).With().Timestamp().Logger()
	log := c.log.Level(level)
	return log.WithContext(ctx), nil
}

func (c *command) closeLog() {
	if c.closeFile != nil {
		_ = c.closeFile()
	}
}
