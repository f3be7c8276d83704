package pool

import (
	"strings"
)

// provider is what Python Chiltepin takes for the provider.
func (c *check) provider() string { return c.pool.text("provider", "localhost") }

// text is an option as a text, or def where it is left out or no text.
func (p Pool) text(name, def string) string {
	if o, ok := p.Options[name]; ok && o.Kind == Text {
		return o.Written
	}
	return def
}

// number is an option as a number, or def where it is left out or none.
func (p Pool) number(name string, def int64) int64 {
	if o, ok := p.Options[name]; ok && o.Kind == Int {
		return o.Int
	}
	return def
}

// flag is an option as true or false.
func (p Pool) flag(name string, def bool) bool {
	if o, ok := p.Options[name]; ok && o.Kind == Bool {
		return o.Bool
	}
	return def
}

func (p Pool) has(name string) bool { return p.Options[name].given() }

// Endpoint is the UUID of its endpoint in lower case, "" for a pool that runs
// where the workflow runs.
func (p Pool) Endpoint() string { return strings.ToLower(p.text("endpoint", "")) }

// together looks at options that must agree.
func (c *check) together() {
	c.blocks()
	c.ignoredByProvider()
	c.mpi()
	if c.pool.has("endpoint") {
		for _, name := range []string{"cores_per_worker", "max_workers_per_node"} {
			if c.pool.has(name) {
				c.at(name, Warning, "remove it", "%s is not sent to an endpoint; it is for pools without one", name)
			}
		}
	}
}

func (c *check) blocks() {
	most := c.pool.number("max_blocks", 1)
	for _, name := range []string{"min_blocks", "init_blocks"} {
		n := c.pool.number(name, 0)
		if n <= most || most < 1 {
			continue
		}
		if c.pool.has("max_blocks") {
			c.at(name, Error, "lower "+name+" or raise max_blocks", "%s is %d, more than max_blocks, which is %d", name, n, most)
		} else {
			c.at(name, Error, "set max_blocks too", "%s is %d, more than max_blocks, which is 1 when it is not given", name, n)
		}
	}
}

func (c *check) ignoredByProvider() {
	var scheduler []string
	for _, name := range c.pool.Order {
		if forScheduler(name) && c.pool.has(name) && c.known[name].name != "" {
			scheduler = append(scheduler, name)
		}
	}
	_, named := c.pool.Options["provider"]
	switch {
	case !named && len(scheduler) > 0:
		c.at(scheduler[0], Error, "add provider: slurm or provider: pbspro, or remove "+strings.Join(scheduler, ", "),
			"provider is not given, so blocks run on the %s own host, and %s ignored", c.owner(), are(scheduler))
	case c.provider() == "localhost" && c.pool.Options["provider"].Kind == Text:
		for _, name := range scheduler {
			c.at(name, Warning, "remove it, or set provider to slurm or pbspro", "the provider localhost ignores %s", name)
		}
	case c.provider() == "pbspro":
		if c.pool.has("partition") {
			c.at("partition", Warning, "PBS Professional has queues: set queue instead", "the provider pbspro ignores partition")
		}
		if c.pool.has("exclusive") {
			c.at("exclusive", Warning, "remove it", "the provider pbspro ignores exclusive")
		}
	}
}

// owner is whose host a block of localhost runs on.
func (c *check) owner() string {
	if c.pool.has("endpoint") {
		return "endpoint's"
	}
	return "workflow's"
}

func are(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return oneOfAnd(names) + " are"
}

func oneOfAnd(names []string) string {
	n := len(names)
	return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
}

func (c *check) mpi() {
	if !c.pool.flag("mpi", false) {
		if c.pool.has("mpi") && c.pool.Options["mpi"].Kind != Bool {
			return // which of the two it is has been asked already
		}
		for _, name := range []string{"max_mpi_apps", "mpi_launcher"} {
			if c.pool.has(name) {
				c.at(name, Warning, "add mpi: true, or remove it", "%s does nothing without mpi: true", name)
			}
		}
		return
	}
	for _, name := range []string{"cores_per_worker", "max_workers_per_node"} {
		if c.pool.has(name) && !c.pool.has("endpoint") {
			c.at(name, Warning, "remove it", "%s does nothing with mpi: true", name)
		}
	}
	if c.pool.has("cores_per_node") && c.provider() != "localhost" {
		c.at("cores_per_node", Note, "it may stay", "cores_per_node does nothing with mpi: true, which takes whole nodes")
	}
	if c.provider() == "localhost" && !strings.Contains(c.pool.workerInit(), "PBS_NODEFILE") && !strings.Contains(c.pool.workerInit(), "SLURM_NODELIST") && Worst(c.found) != Error {
		// identify_scheduler in parsl/executors/high_throughput/mpi_resource_management.py
		c.at("mpi", Warning, "set provider to slurm or pbspro, or have environment export PBS_NODEFILE, the name of a file with a host a line",
			"MPI applications get their nodes from a scheduler, and the provider is localhost: the workers would not start")
	}
	launcher, provider := c.pool.text("mpi_launcher", ""), c.provider()
	if launcher == "srun" && (provider == "localhost" || provider == "pbspro") {
		c.at("mpi_launcher", Warning, "set it to mpiexec, or remove it", "srun is Slurm's launcher, and the provider is %s", provider)
	}
	if apps, nodes := c.pool.number("max_mpi_apps", 1), c.pool.number("nodes_per_block", 1); provider != "localhost" && apps > nodes && nodes > 0 {
		c.at("max_mpi_apps", Note, "raise nodes_per_block for more at once", "an application takes a node or more, so at most %d of the %d run at once in a block", nodes, apps)
	}
}
