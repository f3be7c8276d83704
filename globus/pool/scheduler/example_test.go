package scheduler_test

import (
	"fmt"

	"chiltepin/globus/pool/scheduler"
)

// The script of a block is read off the configuration of a user endpoint, and
// is to the byte what parsl submits.
func ExampleList_Script() {
	script, err := scheduler.All().Script(`
engine:
  type: GlobusComputeEngine
  provider:
    type: PBSProProvider
    queue: debug
    walltime: "01:00:00"
    scheduler_options: "#PBS -W umask=022"
    worker_init: module load python
`)
	fmt.Println(script.Submit, err)
	fmt.Println(script.Header)
	// Output:
	// qsub  -q debug SCRIPT <nil>
	// #!/bin/bash
	//
	// #PBS -S /bin/bash
	// #PBS -N JOB
	// #PBS -m n
	// #PBS -l walltime=01:00:00
	// #PBS -l select=1:ncpus=1
	// #PBS -o SCRIPT.stdout
	// #PBS -e SCRIPT.stderr
	// #PBS -W umask=022
	//
	// module load python
	//
	// export JOBNAME="JOB"
}

func ExampleList_Explain() {
	seen := scheduler.Detection{Partitions: []string{"debug", "batch"}}
	e := scheduler.All().Explain("sbatch: error: invalid partition specified: gpu", seen)
	fmt.Println(e.Cause)
	fmt.Println(e.Next[0].Why)
	// Output:
	// Slurm has no such partition
	// correct partition; there are the partitions debug and batch
}
