package cli

import (
	"chiltepin/tools/operation"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"chiltepin/server/mcp"
	"chiltepin/server/stdio"
	"chiltepin/tools"
)

// mcpCommand is the command by which an assistant runs this program as a server.
func (c *command) mcpCommand(catalog *operation.Catalog) *cobra.Command {
	o := mcp.Options{Catalog: catalog, Resources: c.Resources, Guides: tools.Guides(), Instructions: tools.Instructions, Version: c.Version}
	var consent string
	var trace bool
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Serve an AI assistant on standard input and output (MCP)",
		Long: `Serve an AI assistant on standard input and output, by the Model Context Protocol, every
revision from 2024-11-05 to 2026-07-28. An assistant runs this command itself, here or as
"ssh HOST chiltepin mcp"; the README shows how to tell it to.

No call chooses the directory that it works in or a program that is run: whoever starts the
server does, with -c, --config-root and --runtime or CHILTEPIN_RUNTIME.

What destroys something asks a person through the assistant, who types the endpoint's
name; an assistant that cannot ask is told the command for a terminal. The server ends with
its input, once what is under way has finished.

CHILTEPIN_MCP_PROTOCOL=legacy hides the newest revision from clients that cannot cope
with being offered it.`,
		Example: "  chiltepin mcp\n  chiltepin mcp --read-only\n  chiltepin mcp --toolsets endpoint -c /scratch/me/gc\n  ssh login.example.org chiltepin mcp --no-destructive",
		Args:    noArgs,
	}
	flags := cmd.Flags()
	person := policyFlags(flags, &o.Policy, "or all; not admin and pool if not given")
	flags.StringVar(&consent, "consent", "ask", "`who` is asked before something is destroyed: ask (a person, through the assistant) or host (which confirms every call with its person itself)")
	flags.BoolVar(&trace, "trace", false, "log every message, secrets masked")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, err := c.serverContext(cmd.Context(), &o.Policy, person)
		if err != nil {
			return err
		}
		if trace {
			o.Trace = c.traceMessages()
		}
		o.Consent = mcp.Consent(consent)
		o.LegacyOnly = c.Getenv("CHILTEPIN_MCP_PROTOCOL") == "legacy"
		out, restore, err := protocolOutput(c.Stdout)
		if err != nil {
			return err
		}
		defer restore()
		o.In, o.Out = c.Stdin, out
		return mcp.Serve(ctx, o)
	}
	return cmd
}

// noArgs refuses words after the command, as a wrong command line.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes no argument %q", cmd.CommandPath(), args[0])}
	}
	return nil
}

// traceMessages logs every message of a server, secrets masked. It was asked for,
// whatever the level, off too.
func (c *command) traceMessages() func(sent bool, message []byte) {
	return func(sent bool, message []byte) {
		direction := "received"
		if sent {
			direction = "sent"
		}
		c.log.Log().RawJSON("message", stdio.Mask(message)).Msg(direction)
	}
}

// protocolOutput takes standard output away from everything else in the
// process, for it belongs to the protocol alone: what a library or a child
// prints there goes to standard error.
func protocolOutput(out io.Writer) (io.Writer, func(), error) {
	f, ok := out.(*os.File)
	if !ok {
		return out, func() {}, nil
	}
	kept, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err == nil {
		err = unix.Dup3(int(os.Stderr.Fd()), int(f.Fd()), 0)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("taking standard output for the protocol: %w", err)
	}
	wire := os.NewFile(uintptr(kept), "protocol")
	restore := func() {
		_ = errors.Join(unix.Dup3(kept, int(f.Fd()), 0), wire.Close()) // the process is about to end
	}
	return wire, restore, nil
}
