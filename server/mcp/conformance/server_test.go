package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"chiltepin/server/mcp"
	"chiltepin/tools/operation"
)

// serving is the variable by which this program knows that it is to be the
// server under test.
const serving = "CHILTEPIN_CONFORMANCE_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serving) == "" {
		os.Exit(m.Run())
	}
	err := mcp.Serve(context.Background(), mcp.Options{
		Catalog: operations(), Resources: resources(), Version: "test", In: os.Stdin, Out: os.Stdout,
		Fixtures: &mcp.Fixtures{
			Tools:     slices.Concat(contentTools(), askingTools()),
			Prompts:   slices.Concat(prompts(), askingPrompts()),
			Resources: binaryResources(),
		},
	})
	if err != nil && !errors.Is(err, io.EOF) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type nothing struct{}

type said struct {
	Text string `json:"text" jsonschema:"what there is to say"`
}

// operations are the fixtures that an operation of the catalogue can be: they
// try what every operation is served by.
func operations() *operation.Catalog {
	define := func(name string, effect operation.Effect, do func(context.Context) error) *operation.Tool {
		return operation.Define(operation.Spec{Name: name, Summary: "Do what the conformance suite wants of " + name, Effect: effect},
			func(ctx context.Context, _ nothing) (said, error) { return said{"done"}, do(ctx) })
	}
	consent := func(name string) *operation.Tool {
		return define(name, operation.Destroys, func(ctx context.Context) error {
			return operation.Consent(ctx, operation.Question{Operation: name, Subject: "mesa", Text: "Go on?"})
		})
	}
	return operation.NewCatalog(
		define("test_tool_with_progress", operation.Reads, func(ctx context.Context) error {
			for done := int64(0); done <= 100; done += 50 {
				operation.Report(ctx, operation.Progress{Stage: fmt.Sprint("at ", done), Text: "working", Done: done, Total: 100})
				time.Sleep(50 * time.Millisecond)
			}
			return nil
		}),
		define("test_error_handling", operation.Reads, func(context.Context) error {
			return &operation.Error{Code: operation.CodeFailed, Message: "This tool intentionally returns an error for testing"}
		}),
		consent("test_streaming_elicitation"),
		consent("test_input_required_result_request_state"),
		consent("test_input_required_result_tampered_state"),
	)
}

// resources are the fixtures that a resource of the catalogue can be.
func resources() operation.Resources {
	text := func(uri, name, mime string, read func(name string) string) operation.Resource {
		return operation.Resource{URI: uri, Name: name, Title: "Resource " + name, Doc: "What the conformance suite reads.", MIME: mime,
			Read: func(_ context.Context, _, name string) (string, error) { return read(name), nil }}
	}
	return operation.Resources{
		List: []operation.Resource{
			text("test://static-text", "static-text", "text/plain", func(string) string { return "This is the content of the static text resource." }),
			text("test://watched-resource", "watched-resource", "text/plain", func(string) string { return "Nothing happens here." }),
			text("test://template/{name}/data", "template", "application/json", func(name string) string {
				b, err := json.Marshal(map[string]any{"id": name, "templateTest": true, "data": "Data for ID: " + name})
				if err != nil {
					return err.Error()
				}
				return string(b)
			}),
		},
		Names: func(context.Context, string) ([]string, error) { return nil, nil },
	}
}
