package pool

import (
	"strings"

	"chiltepin/globus/pool/pyyaml"
)

// providerName is what Python Chiltepin takes for the provider.
func (c *poolCheck) providerName() string { return c.pool.textOption("provider", "localhost") }

// textOption is an option as a text, or def where it is left out or no text.
func (p Pool) textOption(name, def string) string {
	if o, ok := p.Options[name]; ok && o.Kind == pyyaml.Text {
		return o.Written
	}
	return def
}

// numberOption is an option as a number, or def where it is left out or none.
func (p Pool) numberOption(name string, def int64) int64 {
	if o, ok := p.Options[name]; ok && o.Kind == pyyaml.Int {
		return o.Int
	}
	return def
}

// boolOption is an option as true or false.
func (p Pool) boolOption(name string, def bool) bool {
	if o, ok := p.Options[name]; ok && o.Kind == pyyaml.Bool {
		return o.Bool
	}
	return def
}

func (p Pool) isSet(name string) bool { return p.Options[name].IsGiven() }

// Endpoint is the UUID of its endpoint in lower case, "" for a pool that runs
// where the workflow runs.
func (p Pool) Endpoint() string { return strings.ToLower(p.textOption("endpoint", "")) }

// checkCombinations looks at options that must agree.
func (c *poolCheck) checkCombinations() {
	c.checkBlocks()
	c.checkIgnored()
	c.checkMPI()
	if c.pool.isSet("endpoint") {
		for _, name := range []string{"cores_per_worker", "max_workers_per_node"} {
			if c.pool.isSet(name) {
				c.addProblem(name, Warning, "remove it", "%s is not sent to an endpoint; it is for pools without one", name)
			}
		}
	}
}

func (c *poolCheck) checkBlocks() {
	most := c.pool.numberOption("max_blocks", 1)
	for _, name := range []string{"min_blocks", "init_blocks"} {
		n := c.pool.numberOption(name, 0)
		if n <= most || most < 1 {
			continue
		}
		if c.pool.isSet("max_blocks") {
			c.addProblem(name, Error, "lower "+name+" or raise max_blocks", "%s is %d, more than max_blocks, which is %d", name, n, most)
		} else {
			c.addProblem(name, Error, "set max_blocks too", "%s is %d, more than max_blocks, which is 1 when it is not given", name, n)
		}
	}
}

func (c *poolCheck) checkIgnored() {
	var scheduler []string
	for _, name := range c.pool.Order {
		if forScheduler(name) && c.pool.isSet(name) && c.known[name].name != "" {
			scheduler = append(scheduler, name)
		}
	}
	_, named := c.pool.Options["provider"]
	switch {
	case !named && len(scheduler) > 0:
		c.addProblem(scheduler[0], Error, "add provider: slurm or provider: pbspro, or remove "+strings.Join(scheduler, ", "),
			"provider is not given, so blocks run on the %s own host, and %s ignored", c.hostOwner(), namesWithVerb(scheduler))
	case c.providerName() == "localhost" && c.pool.Options["provider"].Kind == pyyaml.Text:
		for _, name := range scheduler {
			c.addProblem(name, Warning, "remove it, or set provider to slurm or pbspro", "the provider localhost ignores %s", name)
		}
	case c.providerName() == "pbspro":
		if c.pool.isSet("partition") {
			c.addProblem("partition", Warning, "PBS Professional has queues: set queue instead", "the provider pbspro ignores partition")
		}
		if c.pool.isSet("exclusive") {
			c.addProblem("exclusive", Warning, "remove it", "the provider pbspro ignores exclusive")
		}
	}
}

// hostOwner is whose host a block of localhost runs on.
func (c *poolCheck) hostOwner() string {
	if c.pool.isSet("endpoint") {
		return "endpoint's"
	}
	return "workflow's"
}

func namesWithVerb(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return joinAnd(names) + " are"
}

func joinAnd(names []string) string {
	n := len(names)
	return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
}

func (c *poolCheck) checkMPI() {
	if !c.pool.boolOption("mpi", false) {
		if c.pool.isSet("mpi") && c.pool.Options["mpi"].Kind != pyyaml.Bool {
			return // which of the two it is has been asked already
		}
		for _, name := range []string{"max_mpi_apps", "mpi_launcher"} {
			if c.pool.isSet(name) {
				c.addProblem(name, Warning, "add mpi: true, or remove it", "%s does nothing without mpi: true", name)
			}
		}
		return
	}
	for _, name := range []string{"cores_per_worker", "max_workers_per_node"} {
		if c.pool.isSet(name) && !c.pool.isSet("endpoint") {
			c.addProblem(name, Warning, "remove it", "%s does nothing with mpi: true", name)
		}
	}
	if c.pool.isSet("cores_per_node") && c.providerName() != "localhost" {
		c.addProblem("cores_per_node", Note, "it may stay", "cores_per_node does nothing with mpi: true, which takes whole nodes")
	}
	if c.providerName() == "localhost" && !strings.Contains(c.pool.workerInit(), "PBS_NODEFILE") && !strings.Contains(c.pool.workerInit(), "SLURM_NODELIST") && Worst(c.found) != Error {
		// identify_scheduler in parsl/executors/high_throughput/mpi_resource_management.py
		c.addProblem("mpi", Warning, "set provider to slurm or pbspro, or have environment export PBS_NODEFILE, the name of a file with a host a line",
			"MPI applications get their nodes from a scheduler, and the provider is localhost: the workers would not start")
	}
	launcher, provider := c.pool.textOption("mpi_launcher", ""), c.providerName()
	if launcher == "srun" && (provider == "localhost" || provider == "pbspro") {
		c.addProblem("mpi_launcher", Warning, "set it to mpiexec, or remove it", "srun is Slurm's launcher, and the provider is %s", provider)
	}
	if apps, nodes := c.pool.numberOption("max_mpi_apps", 1), c.pool.numberOption("nodes_per_block", 1); provider != "localhost" && apps > nodes && nodes > 0 {
		c.addProblem("max_mpi_apps", Note, "raise nodes_per_block for more at once", "an application takes a node or more, so at most %d of the %d run at once in a block", nodes, apps)
	}
}
