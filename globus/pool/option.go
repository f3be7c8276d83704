package pool

import (
	"strings"

	"chiltepin/endpointfs/spell"
	"chiltepin/globus/pool/pyyaml"
)

// option is one option that an entry may have, as chiltepin/configure.py of
// 0.1.7 reads it.
type option struct {
	name, doc string
	// kind is what a value must be: [pyyaml.Bool], [pyyaml.Int], [pyyaml.Text], or [pyyaml.List] of texts.
	kind pyyaml.Kind
	// min is the least number.
	min int64
	// words are the only texts allowed, if there are any.
	words []string
	// example is a value for snippets and schemas; def is what Python Chiltepin
	// takes when the option is left out, nil for nothing.
	example, def any
	// lookUpLocal is true for an option that is read only where there is no endpoint.
	local bool
}

// options returns the options in the order in which people write them.
func options() []option {
	return []option{
		{name: "endpoint", kind: pyyaml.Text, doc: "UUID of the endpoint that runs the tasks; without one they run where the workflow runs", example: "12345678-1234-1234-1234-123456789abc"},
		{name: "mpi", kind: pyyaml.Bool, doc: "true for a pool of MPI applications", example: true, def: false},
		{name: "max_mpi_apps", kind: pyyaml.Int, min: 1, doc: "how many MPI applications run at once in a block; only with mpi", example: 2, def: int64(1)},
		{name: "mpi_launcher", kind: pyyaml.Text, words: []string{"srun", "mpiexec", "aprun"}, doc: "what starts an MPI application: srun for slurm, mpiexec otherwise, if not given; only with mpi", example: "srun"},
		{name: "provider", kind: pyyaml.Text, words: []string{"localhost", "slurm", "pbspro"}, doc: "where blocks come from: the endpoint's own host, Slurm or PBS Professional", example: "slurm", def: "localhost"},
		{name: "partition", kind: pyyaml.Text, doc: "partition of Slurm; the cluster's default if not given", example: "compute", def: ""},
		{name: "queue", kind: pyyaml.Text, doc: "queue of PBS Professional, or quality of service (QOS) of Slurm", example: "normal", def: ""},
		{name: "account", kind: pyyaml.Text, doc: "account that is charged; not for localhost", example: "myproject", def: ""},
		{name: "cores_per_node", kind: pyyaml.Int, min: 1, doc: "cores of each node to use; not for localhost, nor with mpi", example: 36, def: int64(1)},
		{name: "nodes_per_block", kind: pyyaml.Int, min: 1, doc: "nodes of a block, which is one job of the scheduler; not for localhost", example: 2, def: int64(1)},
		{name: "init_blocks", kind: pyyaml.Int, doc: "blocks to ask for at once", example: 0, def: int64(0)},
		{name: "min_blocks", kind: pyyaml.Int, doc: "blocks to keep even without work", example: 0, def: int64(0)},
		{name: "max_blocks", kind: pyyaml.Int, min: 1, doc: "blocks to have at most", example: 4, def: int64(1)},
		{name: "walltime", kind: pyyaml.Text, doc: "how long a block may last, \"HH:MM:SS\" in quotation marks; not for localhost", example: "01:00:00", def: "00:10:00"},
		{name: "exclusive", kind: pyyaml.Bool, doc: "whether nodes are shared with no other job; only for slurm", example: false, def: true},
		{name: "environment", kind: pyyaml.List, doc: "shell commands that each block runs before its workers start", example: []any{"module load python"}},
		{name: "cores_per_worker", kind: pyyaml.Int, min: 1, local: true, doc: "cores of a worker; only without an endpoint", example: 1, def: int64(1)},
		{name: "max_workers_per_node", kind: pyyaml.Int, min: 1, local: true, doc: "workers on a node at most; only without an endpoint", example: 4},
	}
}

// forScheduler says whether only a scheduler's provider takes the option.
func forScheduler(name string) bool {
	switch name {
	case "partition", "queue", "account", "cores_per_node", "nodes_per_block", "walltime", "exclusive":
		return true
	}
	return false
}

// nearestOption returns the option that name was meant to be, or "".
func nearestOption(name string) string {
	folded := foldName(name)
	// What people write who know the words of another program.
	switch folded {
	case "endpointid", "uuid":
		return "endpoint"
	case "nodes", "numnodes", "nodesperjob":
		return "nodes_per_block"
	case "cores", "ncpus", "cpuspernode", "ppn", "taskspernode", "corespernodes":
		return "cores_per_node"
	case "time", "timelimit", "maxwalltime", "wallclock":
		return "walltime"
	case "qos":
		return "queue"
	case "project", "allocation", "charge":
		return "account"
	case "env", "workerinit", "setup", "modules", "environments":
		return "environment"
	case "launcher":
		return "mpi_launcher"
	case "blocks", "maxjobs":
		return "max_blocks"
	case "scheduler":
		return "provider"
	case "maxworkers", "workerspernode":
		return "max_workers_per_node"
	}
	best, found, most := 3, "", max(1, len(folded)/3)
	for _, o := range options() {
		if d := spell.Distance(folded, foldName(o.name)); d < best && d <= most {
			best, found = d, o.name
		}
	}
	return found
}

// nearestWord is [nearestOption] among the words of an option.
func nearestWord(name string, words []string) string {
	folded := foldName(name)
	switch folded {
	case "local", "thread", "none", "fork":
		folded = "localhost"
	case "pbs", "torque", "openpbs", "qsub":
		folded = "pbspro"
	case "sbatch":
		folded = "slurm"
	case "mpirun", "mpiexechydra":
		folded = "mpiexec"
	}
	best, found := 3, ""
	for _, w := range words {
		if d := spell.Distance(folded, w); d < best {
			best, found = d, w
		}
	}
	return found
}

// foldName takes away what does not tell two names apart: case, blanks, dashes
// and underscores.
func foldName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '_' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}
