package operation_test

import (
	"context"
	"encoding/json"
	"fmt"

	"chiltepin/tools/operation"
)

type greetArgs struct {
	Name  string `json:"name" cli:"arg" example:"Ada" jsonschema:"who is greeted"`
	Times int    `json:"times,omitempty" min:"1" max:"3" jsonschema:"how often"`
}

type greeting struct {
	Text string `json:"text" jsonschema:"the greeting"`
}

// An operation is a Go function with a typed argument and a typed result. Every
// face calls it with JSON, and gets JSON or an error with a code.
func ExampleDefine() {
	greet := operation.Define(operation.Spec{
		Name:     "greet",
		Summary:  "Greet somebody",
		Effect:   operation.Reads,
		Examples: []string{"chiltepin greet Ada"},
	}, func(_ context.Context, in greetArgs) (greeting, error) {
		return greeting{Text: "Hello, " + in.Name}, nil
	})

	for _, args := range []string{`{"name":"Ada"}`, `{"name":"Ada","times":7}`} {
		result, err := greet.Call(context.Background(), json.RawMessage(args))
		if err != nil {
			fmt.Println(operation.AsError(err).Code, err)
			continue
		}
		fmt.Println(string(result.JSON))
	}
	// Output:
	// {"text":"Hello, Ada"}
	// invalid times: want a whole number from 1 to 3, got 7
}
