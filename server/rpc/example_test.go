package rpc_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"chiltepin/server/rpc"
	"chiltepin/tools/operation"
)

// A script writes one call a line and closes the pipe; it gets one answer a
// line.
func ExampleServe() {
	type args struct {
		Name string `json:"name" jsonschema:"who is greeted"`
	}
	type result struct {
		Text string `json:"text" jsonschema:"the greeting"`
	}
	greet := operation.Define(operation.Spec{Name: "person.greet", Summary: "Greet somebody", Effect: operation.Reads},
		func(_ context.Context, in args) (result, error) {
			return result{fmt.Sprintf("Hello, %s", in.Name)}, nil
		})

	err := rpc.Serve(context.Background(), rpc.Options{
		Catalog: operation.NewCatalog(greet),
		In:      strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"person/greet","params":{"name":"Ada"}}` + "\n"),
		Out:     os.Stdout,
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// {"jsonrpc":"2.0","id":1,"result":{"text":"Hello, Ada"}}
}
