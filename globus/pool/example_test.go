package pool_test

import (
	"context"
	"fmt"

	"chiltepin/globus/pool"
	"chiltepin/globus/pool/scheduler"
)

// A configuration is checked without asking anybody: options that are not
// known, of the wrong type, or ignored.
func ExampleParse() {
	file := pool.Parse([]byte(`gpu:
  provider: slurm
  max_block: 4
  walltime: 2h
`))
	for _, p := range file.Check(scheduler.All()) {
		fmt.Printf("%d:%d: %s: %s\n    %s\n", p.Line, p.Column, p.Severity, p.Message, p.Next[0].Why)
	}
	// Output:
	// 3:3: error: there is no option max_block; Chiltepin ignores it silently
	//     did you mean max_blocks?
	// 4:13: error: walltime is "2h", and should be a time such as "01:00:00"
	//     write HH:MM:SS in quotation marks: "02:00:00"
}

// A checker asks about the endpoints that the pools name, and says as data what
// to do.
func ExampleChecker_Check() {
	checker := pool.Checker{
		Endpoint: func(_ context.Context, id string) pool.EndpointLookup {
			return pool.EndpointLookup{ID: id, Name: "mesa", Here: true, State: "Stopped", Up: -1}
		},
	}
	report, err := checker.Check(context.Background(), []byte("cpu:\n  endpoint: 11111111-1111-1111-1111-111111111111\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range report.Problems {
		fmt.Println(p.Message)
		fmt.Println(p.Next[0].Operation, p.Next[0].Args["name"])
	}
	// Output:
	// endpoint mesa takes no tasks, it is Stopped
	// endpoint.start mesa
}

// What Python Chiltepin sends for a pool has a default for each option that is
// left out.
func ExamplePool_Sent() {
	file := pool.Parse([]byte("mpi:\n  mpi: true\n  provider: slurm\n  nodes_per_block: 2\n"))
	p, _ := file.Pool("mpi")
	sent := p.Sent(scheduler.All())
	fmt.Println(sent["provider"], sent["nodes_per_block"], sent["mpi_launcher"], sent["walltime"])
	// Output: slurm 2 srun 00:10:00
}

func ExampleStages() {
	fmt.Println(pool.Stages())
	// Output: [accepted commanded started submitted running connected returned]
}
