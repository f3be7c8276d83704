// Command python-env builds one of the Python environments of the tests and
// prints its directory, for make and for a demonstration:
//
//	go run ./globus/runtime/runtimetest/cmd/python-env newest
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"chiltepin/globus/progress"
	"chiltepin/globus/runtime/runtimetest"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintf(os.Stderr, "usage: python-env %s|%s|%s|%s\n", runtimetest.Newest, runtimetest.V415, runtimetest.V46, runtimetest.UV)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	stage := ""
	ctx = progress.With(ctx, func(e progress.Event) {
		if e.Stage != stage {
			fmt.Fprintln(os.Stderr, e.Text)
		}
		stage = e.Stage
	})
	env, err := runtimetest.Build(ctx, runtimetest.Set(os.Args[1]))
	if err != nil {
		fmt.Fprintln(os.Stderr, "python-env:", err)
		os.Exit(1)
	}
	fmt.Println(env.Dir)
}
