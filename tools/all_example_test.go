package tools_test

import (
	"context"
	"fmt"
	"time"

	"chiltepin/globus/endpoint"
	"chiltepin/tools"
)

// The catalogue is one list, which every face reads.
func ExampleAll() {
	catalog := tools.All(tools.Services{})
	start := catalog.Lookup("endpoint.start")
	fmt.Println(start.Summary)
	for field := range start.Fields() {
		fmt.Println(field.Name, field.Required)
	}
	// Output:
	// Start an endpoint and wait until it is proven to run
	// name true
	// config_dir false
	// timeout false
	// runtime false
}

// Classify gives errors of the packages below the catalogue the code that every
// face shows.
func ExampleClassify() {
	fmt.Println(tools.Classify(context.DeadlineExceeded).Code)
	fmt.Println(tools.Classify(&endpoint.RunningError{Name: "mesa", Operation: "deleting"}).Code)
	fmt.Println(tools.Classify(fmt.Errorf("after %s: %w", time.Minute, context.Canceled)).Code)
	// Output:
	// timeout
	// conflict
	// canceled
}
