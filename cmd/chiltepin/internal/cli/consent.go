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
		return &operation.Error{Code: operation.CodeRefused, Message: "nothing was done: " + q.Text + " There is no terminal to ask at, and --yes was not given",
			Next: operation.Do("ask the person whom it concerns; they can run it in a terminal, which asks them")}
	}
	defer terminal.Close() // it was read and written already
	fmt.Fprintf(terminal, "%s [y/N] ", q.Text)
	answer, err := readLineFrom(ctx, bufio.NewReader(terminal))
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

// readLineFrom reads one line and gives up with the context; a reader that is
// stuck on a terminal ends with the process.
func readLineFrom(ctx context.Context, from *bufio.Reader) (string, error) {
	type read struct {
		line string
		err  error
	}
	done := make(chan read, 1)
	go func() {
		line, err := from.ReadString('\n')
		if line != "" {
			err = nil
		}
		done <- read{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-done:
		return r.line, r.err
	}
}
