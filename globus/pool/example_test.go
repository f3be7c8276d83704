package pool_test

import (
	"fmt"

	"chiltepin/globus/pool"
	"chiltepin/globus/pool/scheduler"
)

// A mistake in a file of pools is found before anything is submitted.
func ExampleFile_Check() {
	file := pool.Parse([]byte(`gpu:
  endpoint: 12345678-1234-4234-8234-123456789abc
  provider: slurm
  cores_per_nod: 8
`))
	for _, p := range file.Check(scheduler.All()) {
		fmt.Printf("%d:%d: %s: %s\n", p.Line, p.Column, p.Severity, p.Message)
	}
	// Output:
	// 4:3: error: there is no option cores_per_nod; Chiltepin ignores it silently
}
