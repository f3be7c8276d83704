package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"chiltepin/tools/operation"
)

// askConsent asks the person at the terminal, whatever is redirected. Without
// one nothing is destroyed unless --yes was given, but for what the question
// itself lets a script do.
func (c *command) askConsent(ctx context.Context, q operation.Question, yes bool) error {
	if yes {
		return nil
	}
	terminal, err := c.openTerminal()
	if err != nil {
		if q.Unattended {
			return nil
		}
		missing := ", and --yes was not given"
		if q.Late {
			missing = ""
		}
		return &operation.Error{Code: operation.CodeRefused, Message: "nothing was done: " + q.Text + " There is no terminal to ask at" + missing,
			Next: operation.Do("ask the person whom it concerns; they can run it in a terminal, which asks them")}
	}
	defer terminal.Close() // it was read and written already
	fmt.Fprintf(terminal, "%s [y/N] ", q.Text)
	var answer string
	if c.reading != nil && c.StdinTTY {
		answer, err = c.readLine(ctx) // that read would take the answer
	} else {
		answer, err = awaitLine(ctx, beginReading(bufio.NewReader(terminal)))
	}
	if errors.Is(err, io.EOF) {
		return operation.Declined(q)
	}
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return operation.Declined(q)
}

func (c *command) openTerminal() (io.ReadWriteCloser, error) {
	if c.Terminal == nil {
		return nil, errors.New("there is no terminal")
	}
	return c.Terminal()
}

// readLine is what a read of one line gave.
type readLine struct {
	line string
	err  error
}

// beginReading reads one line; a read that is stuck on a terminal ends with the
// process.
func beginReading(from *bufio.Reader) <-chan readLine {
	done := make(chan readLine, 1)
	go func() {
		line, err := from.ReadString('\n')
		if line != "" {
			err = nil
		}
		done <- readLine{line, err}
	}()
	return done
}

// awaitLine waits for the line of a read, and gives up with the context.
func awaitLine(ctx context.Context, reading <-chan readLine) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-reading:
		return r.line, r.err
	}
}
