package scheduler

import (
	"context"

	"chiltepin/globus/pool/pyyaml"
)

// Local starts blocks as processes on the endpoint's own host. It is what a
// pool has that names no provider.
type Local struct{}

// Facts are its names.
func (Local) Facts() Facts {
	return Facts{Name: "localhost", Title: "the endpoint's own host", Class: "LocalProvider", Spellings: []string{"local", "thread", "none", "fork"}}
}

// Detect finds it everywhere.
func (Local) Detect(context.Context, Commands) (Detection, error) {
	return Detection{Name: none, Why: "every machine can start processes"}, nil
}

// Options are none that are for a batch scheduler. parsl finds the nodes of an
// MPI application by the variables that a scheduler sets (identify_scheduler in
// parsl/executors/high_throughput/mpi_resource_management.py).
func (Local) Options() OptionSupport {
	return OptionSupport{Launcher: DefaultLauncher, NodeVariables: []string{"PBS_NODEFILE", "SLURM_NODELIST"}}
}

// Script is parsl/providers/local/local.py.
func (Local) Script(config ProviderConfig) Script {
	s := Script{Submit: "bash SCRIPT", Header: config.Text("worker_init") + "\nexport JOBNAME=JOB"}
	if v, ok := config["worker_init"]; ok && v.Kind != pyyaml.Text && v.Kind != pyyaml.Null {
		s.addProblem("worker_init is %s, and the provider wants a text", v.Kind.WithArticle())
	}
	return s
}

// SubmittedJob knows none: a block is a process.
func (Local) SubmittedJob(context.Context, Commands, Block) BatchJob { return BatchJob{} }

// Reason is none: nothing waits.
func (Local) Reason(BatchJob) Reason { return Reason{} }

// Cancel does nothing: the user endpoint ends its processes.
func (Local) Cancel(context.Context, Commands, string) error { return nil }

// Explain knows no words.
func (Local) Explain(string, Detection) Explanation { return Explanation{} }
