// Command chiltepin manages the life of Globus Compute endpoints on the
// machine it runs on. Here the world comes in: arguments, environment,
// standard streams, signals and the exit status; nowhere else.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"golang.org/x/term"

	"chiltepin/cmd/chiltepin/internal/cli"
	"chiltepin/cmd/chiltepin/internal/machine"
	"chiltepin/globus/next"
	"chiltepin/tools"
)

// version is set when a release is built.
var version string

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// A second signal ends the process the usual way.
	context.AfterFunc(ctx, stop)

	m := machine.Host{Environ: os.Environ(), Getenv: os.Getenv, Version: buildVersion()}
	m.Command = func(step next.Step, dir string) string {
		return cli.CommandLine(tools.All(tools.Services{}), step, dir) // only when a page is shown
	}
	return cli.Main(ctx, cli.World{
		Args:      os.Args[1:],
		Stdin:     os.Stdin,
		Stdout:    os.Stdout,
		Stderr:    os.Stderr,
		StdinTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		StdoutTTY: term.IsTerminal(int(os.Stdout.Fd())),
		StderrTTY: term.IsTerminal(int(os.Stderr.Fd())),
		Terminal:  func() (io.ReadWriteCloser, error) { return os.OpenFile("/dev/tty", os.O_RDWR, 0) },
		StderrSize: func() (columns, rows int) {
			columns, rows, err := term.GetSize(int(os.Stderr.Fd()))
			if err != nil {
				return 0, 0
			}
			return columns, rows
		},
		Getenv:    os.Getenv,
		Version:   m.Version,
		Resources: tools.EndpointResources(m.Services()),
	}, tools.All(m.Services()))
}

// buildVersion is what the release set, or what the build recorded.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
