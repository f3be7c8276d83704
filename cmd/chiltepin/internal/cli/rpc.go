package cli

import (
	"errors"

	"chiltepin/tools/operation"

	"github.com/spf13/cobra"

	"chiltepin/server/rpc"
)

// errExit ends the program with exit status 1 and nothing to say.
var errExit = errors.New("exit without shutdown")

// rpcCommand is the command by which an editor or a script runs this program as a
// server.
func (c *command) rpcCommand(catalog *operation.Catalog) *cobra.Command {
	o := rpc.Options{Catalog: catalog, Version: c.Version, Process: processEnd}
	var trace bool
	cmd := &cobra.Command{
		Use:   "rpc",
		Short: "Serve an editor or a script on standard input and output (JSON-RPC 2.0)",
		Long: `Serve an editor or a script on standard input and output, by JSON-RPC 2.0: one JSON object
a line, or Content-Length headers as in the Language Server Protocol; the server answers as
it is spoken to. A method is a command with slashes, such as endpoint/start; its parameters
and its result are the same JSON that the command prints with --json. The method
rpc.discover gives an OpenRPC document of everything.

No call chooses the directory that it works in or a program that is run: whoever starts the
server does, with -c, --config-root and --runtime or CHILTEPIN_RUNTIME.

What destroys something needs the parameter "confirm", the endpoint's name. A client that
does not send initialize has its calls run one after the other. The server ends with its
input, once what is under way has finished.`,
		Example: `  echo '{"jsonrpc":"2.0","id":1,"method":"endpoint/list"}' | chiltepin rpc
  chiltepin rpc --read-only
  ssh login.example.org chiltepin rpc -c /scratch/me/gc`,
		Args: noArgs,
	}
	person := policyFlags(cmd.Flags(), &o.Policy, "all if not given")
	cmd.Flags().BoolVar(&trace, "trace", false, "log every message, secrets masked")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, err := c.serverContext(cmd.Context(), &o.Policy, person)
		if err != nil {
			return err
		}
		if trace {
			o.Trace = c.traceMessages()
		}
		out, restore, err := protocolOutput(c.Stdout)
		if err != nil {
			return err
		}
		defer restore()
		o.In, o.Out = c.Stdin, out
		if err := rpc.Serve(ctx, o); !errors.Is(err, rpc.ErrNoShutdown) {
			return err
		}
		return errExit
	}
	return cmd
}
