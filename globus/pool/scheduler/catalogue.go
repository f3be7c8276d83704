package scheduler

import (
	"slices"

	"chiltepin/globus/pool/pyyaml"
)

// All are the schedulers that are known, the default one first.
func All() List { return List{Local{}, Slurm{}, PBSPro{}} }

// DefaultLauncher starts MPI applications where a scheduler has no launcher of
// its own.
const DefaultLauncher = "mpiexec"

// Option is one option that a pool can have, as chiltepin/configure.py of 0.1.7
// reads it.
type Option struct {
	// Name is its name, Doc says what it is for.
	Name, Doc string
	// Kind is what a value must be: [pyyaml.Bool], [pyyaml.Int],
	// [pyyaml.Text], or [pyyaml.List] of texts.
	Kind pyyaml.Kind
	// Min is the least number.
	Min int64
	// Words are the only texts allowed, if there are any; Pattern is what a text
	// must match.
	Words   []string
	Pattern string
	// Example is a value for snippets and schemas; Default is what Python
	// Chiltepin takes when the option is left out, nil for nothing.
	Example, Default any
	// Spellings are names that people write for it who know another program, in
	// lower case and without blanks, dashes and underscores.
	Spellings []string
	// WordSpellings are, for Words, what people write for one of them.
	WordSpellings map[string]string
	// Local is true for an option that is read only where there is no endpoint,
	// MPI for one that does nothing without mpi.
	Local, MPI bool
	// Block is true for an option that parsl's provider is given, Batch for one
	// that only a batch scheduler takes (see [OptionSupport.Takes]).
	Block, Batch bool
}

// Catalogue returns the options of a pool in the order in which people write
// them, with these schedulers as providers.
func (l List) Catalogue() []Option {
	var titles []string
	spelled := map[string]string{}
	for _, s := range l {
		titles = append(titles, s.Facts().Title)
		for _, word := range s.Facts().Spellings {
			spelled[word] = s.Facts().Name
		}
	}
	local := Local{}.Facts().Name
	return []Option{
		{Name: "endpoint", Kind: pyyaml.Text, Doc: "UUID of the endpoint that runs the tasks; without one they run where the workflow runs", Example: "12345678-1234-1234-1234-123456789abc",
			Pattern: "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", Spellings: []string{"endpointid", "uuid"}},
		{Name: "mpi", Kind: pyyaml.Bool, Doc: "true for a pool of MPI applications", Example: true, Default: false},
		{Name: "max_mpi_apps", Kind: pyyaml.Int, Min: 1, MPI: true, Doc: "how many MPI applications run at once in a block; only with mpi", Example: 2, Default: int64(1)},
		{Name: "mpi_launcher", Kind: pyyaml.Text, MPI: true, Words: []string{"srun", "mpiexec", "aprun"}, Doc: "what starts an MPI application: srun for slurm, mpiexec otherwise, if not given; only with mpi", Example: "srun",
			Spellings: []string{"launcher"}, WordSpellings: map[string]string{"mpirun": DefaultLauncher, "mpiexechydra": DefaultLauncher}},
		{Name: "provider", Kind: pyyaml.Text, Words: l.Names(), Doc: "where blocks come from: " + joinWords(titles, "or"), Example: l.exampleName(), Default: local, Spellings: []string{"scheduler"}, WordSpellings: spelled},
		{Name: "partition", Kind: pyyaml.Text, Block: true, Batch: true, Doc: "partition of Slurm; the cluster's default if not given", Example: "compute", Default: ""},
		{Name: "queue", Kind: pyyaml.Text, Block: true, Batch: true, Doc: "queue of PBS Professional, or quality of service (QOS) of Slurm", Example: "normal", Default: "", Spellings: []string{"qos"}},
		{Name: "account", Kind: pyyaml.Text, Block: true, Batch: true, Doc: "account that is charged; not for localhost", Example: "myproject", Default: "", Spellings: []string{"project", "allocation", "charge"}},
		{Name: "cores_per_node", Kind: pyyaml.Int, Min: 1, Block: true, Batch: true, Doc: "cores of each node to use; not for localhost, nor with mpi", Example: 36, Default: int64(1),
			Spellings: []string{"cores", "ncpus", "cpuspernode", "ppn", "taskspernode", "corespernodes"}},
		{Name: "nodes_per_block", Kind: pyyaml.Int, Min: 1, Block: true, Batch: true, Doc: "nodes of a block, which is one job of the scheduler; not for localhost", Example: 2, Default: int64(1), Spellings: []string{"nodes", "numnodes", "nodesperjob"}},
		{Name: "init_blocks", Kind: pyyaml.Int, Block: true, Doc: "blocks to ask for at once", Example: 0, Default: int64(0)},
		{Name: "min_blocks", Kind: pyyaml.Int, Block: true, Doc: "blocks to keep even without work", Example: 0, Default: int64(0)},
		{Name: "max_blocks", Kind: pyyaml.Int, Min: 1, Block: true, Doc: "blocks to have at most", Example: 4, Default: int64(1), Spellings: []string{"blocks", "maxjobs"}},
		{Name: "walltime", Kind: pyyaml.Text, Block: true, Batch: true, Pattern: "^[0-9]+:[0-9]{1,2}:[0-9]{1,2}$", Doc: "how long a block may last, \"HH:MM:SS\" in quotation marks; not for localhost", Example: "01:00:00", Default: "00:10:00",
			Spellings: []string{"time", "timelimit", "maxwalltime", "wallclock"}},
		{Name: "exclusive", Kind: pyyaml.Bool, Block: true, Batch: true, Doc: "whether nodes are shared with no other job; only for slurm", Example: false, Default: true},
		{Name: "environment", Kind: pyyaml.List, Doc: "shell commands that each block runs before its workers start", Example: []any{"module load python"}, Spellings: []string{"env", "workerinit", "setup", "modules", "environments"}},
		{Name: "cores_per_worker", Kind: pyyaml.Int, Min: 1, Local: true, Doc: "cores of a worker; only without an endpoint", Example: 1, Default: int64(1)},
		{Name: "max_workers_per_node", Kind: pyyaml.Int, Min: 1, Local: true, Doc: "workers on a node at most; only without an endpoint", Example: 4, Spellings: []string{"maxworkers", "workerspernode"}},
	}
}

// exampleName is the word of the first batch scheduler, or of any.
func (l List) exampleName() string {
	for _, s := range slices.Concat(l.Batch(), l) {
		return s.Facts().Name
	}
	return ""
}
