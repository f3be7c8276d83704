package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"chiltepin/globus/sandbox"
)

// world is what the command uses of its process: arguments, streams and
// environment.
type world struct {
	args           []string
	stdin          *os.File
	stdout, stderr io.Writer
	environ        []string
	getenv         func(string) string
}

const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

func (w world) dispatchCommand(ctx context.Context) (int, error) {
	if len(w.args) == 0 {
		fmt.Fprint(w.stderr, usage)
		return exitUsage, nil
	}
	verb := w.args[0]
	w.args = w.args[1:]
	switch verb {
	case "run":
		return w.runProgram()
	case "serve":
		return w.serveUntilSignal(ctx)
	case "consent":
		return w.giveConsent(ctx)
	case "state":
		return w.printState(ctx)
	case "order":
		return w.orderFault(ctx)
	case "help", "-h", "--help":
		fmt.Fprint(w.stdout, usage)
		return exitOK, nil
	}
	return exitUsage, fmt.Errorf("no such command: %s (globus-sandbox help lists them)", verb)
}

// sandboxFlags are what run and serve have in common.
type sandboxFlags struct {
	journal           string
	clientCredentials bool
	consent           string
	accessLifetime    time.Duration
}

func (w world) newFlagSet(name string, f *sandboxFlags) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.journal, "journal", "", "")
	set.BoolVar(&f.clientCredentials, "client-credentials", false, "")
	set.StringVar(&f.consent, "consent", "auto", "")
	set.DurationVar(&f.accessLifetime, "access-lifetime", 0, "")
	return set
}

// parseFlags parses the arguments; it returns false when the command ends here.
func (w world) parseFlags(set *flag.FlagSet) (int, error, bool) {
	switch err := set.Parse(w.args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(w.stdout, usage)
		return exitOK, nil, false
	case err != nil:
		return exitUsage, err, false
	}
	return exitOK, nil, true
}

// startedSandbox is a started sandbox with its journal and the variables that
// programs in it get besides its own.
type startedSandbox struct {
	*sandbox.Sandbox
	journal *os.File
	extra   []string
}

func (f sandboxFlags) startSandbox() (*startedSandbox, error) {
	if !slices.Contains([]string{"auto", "ask", "deny"}, f.consent) {
		return nil, fmt.Errorf("--consent: want auto, ask or deny, got %q", f.consent)
	}
	b := &startedSandbox{}
	o := sandbox.Options{Settings: sandbox.Settings{Consent: f.consent, AccessLifetime: f.accessLifetime}}
	if f.journal != "" {
		file, err := os.OpenFile(f.journal, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		b.journal, o.Journal = file, file
	}
	b.Sandbox = sandbox.New(o)
	if err := b.Start(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	if f.clientCredentials {
		c := b.NewConfidentialClient("globus-sandbox")
		b.extra = []string{"GLOBUS_COMPUTE_CLIENT_ID=" + c.ID, "GLOBUS_COMPUTE_CLIENT_SECRET=" + c.Secret}
	}
	return b, nil
}

// Close ends the sandbox and its journal.
func (b *startedSandbox) Close() error {
	err := b.Sandbox.Close()
	if b.journal != nil {
		err = errors.Join(err, b.journal.Close())
	}
	return err
}
