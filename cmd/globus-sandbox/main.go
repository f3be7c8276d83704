// Command globus-sandbox runs the stand-in for Globus Auth, Compute and the
// AMQP broker on this machine, for a person, a demo or another program's
// tests. It listens on 127.0.0.1 only and needs no account and no network.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage:
  globus-sandbox run [flags] -- COMMAND [ARG…]
        run COMMAND with a sandbox of its own; ends with COMMAND's status
  globus-sandbox serve --env FILE [flags]
        stay up; FILE gets export lines for a shell, and goes when it ends
  globus-sandbox consent URL
        do what the browser does with an authorize URL, and print the code
  globus-sandbox state
        print the state of the sandbox that the environment leads to
  globus-sandbox order JSON
        order a fault of that sandbox, such as '{"path":"/v3/endpoints","status":423,"times":1}'

flags of run and serve:
  --journal FILE         write every request, AMQP method and event as a line of JSON
  --client-credentials   register a confidential client and export its id and secret
  --consent auto|ask|deny  what the person in the browser does (auto)
  --access-lifetime D    of access tokens (48h)
  --stop-leftovers       run: end the processes that COMMAND left behind
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	w := world{args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ(), getenv: os.Getenv}
	status, err := w.dispatchCommand(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "globus-sandbox:", err)
	}
	stop()
	os.Exit(status)
}
