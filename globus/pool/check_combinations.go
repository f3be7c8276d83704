package pool

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"chiltepin/globus/pool/pyyaml"
	"chiltepin/globus/pool/scheduler"
)

// blockSource is where the blocks of a pool come from.
type blockSource struct {
	// name is what the pool says, or what Python Chiltepin takes when it says
	// nothing; known is false for a word that is no provider.
	name  string
	known bool
	// given is true when the pool says it.
	given   bool
	facts   scheduler.Facts
	options scheduler.OptionSupport
}

// newSource finds the source of that name. What is no provider counts as a
// batch scheduler of which nothing else is known.
func newSource(name string, given bool, schedulers scheduler.List) blockSource {
	s := blockSource{name: name, given: given, facts: scheduler.Facts{Batch: true}}
	if found, ok := schedulers.Lookup(name); ok {
		s.known, s.facts, s.options = true, found.Facts(), found.Options()
	}
	return s
}

// providerName is the provider that Python Chiltepin takes.
func (p Pool) providerName() string {
	return p.textOption("provider", scheduler.Local{}.Facts().Name)
}

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

// checkIgnored looks for options that the provider ignores.
func (c *poolCheck) checkIgnored() {
	var ignored []string
	for _, name := range c.pool.Order {
		if c.known[name].Batch && c.pool.isSet(name) && !slices.Contains(c.source.options.Takes, name) {
			ignored = append(ignored, name)
		}
	}
	if !c.source.known || len(ignored) == 0 {
		return
	}
	batch := c.schedulers.Batch().Names()
	if !c.source.given {
		var lines []string
		for _, name := range batch {
			lines = append(lines, "provider: "+name)
		}
		c.addProblem(ignored[0], Error, "add "+joinOr(lines)+", or remove "+strings.Join(ignored, ", "),
			"provider is not given, so blocks run on the %s own host, and %s ignored", c.hostOwner(), namesWithVerb(ignored))
		return
	}
	if c.pool.Options["provider"].Kind != pyyaml.Text {
		return
	}
	for _, name := range ignored {
		remedy := cmp.Or(c.source.options.Instead[name], "remove it")
		if !c.source.facts.Batch {
			remedy = "remove it, or set provider to " + joinOr(batch)
		}
		c.addProblem(name, Warning, remedy, "the provider %s ignores %s", c.source.name, name)
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
			return // its kind is a problem already
		}
		for _, o := range c.options {
			if o.MPI && c.pool.isSet(o.Name) {
				c.addProblem(o.Name, Warning, "add mpi: true, or remove it", "%s does nothing without mpi: true", o.Name)
			}
		}
		return
	}
	for _, name := range []string{"cores_per_worker", "max_workers_per_node"} {
		if c.pool.isSet(name) && !c.pool.isSet("endpoint") {
			c.addProblem(name, Warning, "remove it", "%s does nothing with mpi: true", name)
		}
	}
	if c.pool.isSet("cores_per_node") && c.source.facts.Batch {
		c.addProblem("cores_per_node", Note, "it may stay", "cores_per_node does nothing with mpi: true, which takes whole nodes")
	}
	c.checkMPINodes()
	c.checkLauncher()
	if apps, nodes := c.pool.numberOption("max_mpi_apps", 1), c.pool.numberOption("nodes_per_block", 1); c.source.facts.Batch && apps > nodes && nodes > 0 {
		c.addProblem("max_mpi_apps", Note, "raise nodes_per_block for more at once", "an application takes a node or more, so at most %d of the %d run at once in a block", nodes, apps)
	}
}

// checkMPINodes looks whether MPI applications will find their nodes.
func (c *poolCheck) checkMPINodes() {
	variables := c.source.options.NodeVariables
	set := slices.ContainsFunc(variables, func(name string) bool { return strings.Contains(c.pool.workerInit(), name) })
	if len(variables) == 0 || set || Worst(c.found) == Error {
		return
	}
	c.addProblem("mpi", Warning, fmt.Sprintf("set provider to %s, or let environment export %s, the name of a file with one host a line", joinOr(c.schedulers.Batch().Names()), variables[0]),
		"MPI applications get their nodes from a scheduler, and the provider is %s, so the workers would not start", c.source.name)
}

// checkLauncher looks whether the launcher is one of another scheduler.
func (c *poolCheck) checkLauncher() {
	launcher, own := c.pool.textOption("mpi_launcher", ""), c.source.options.Launcher
	if !c.source.known || launcher == own || launcher == scheduler.DefaultLauncher {
		return
	}
	for _, s := range c.schedulers {
		if s.Options().Launcher == launcher {
			c.addProblem("mpi_launcher", Warning, "set it to "+own+", or remove it", "%s is %s's launcher, and the provider is %s", launcher, s.Facts().Title, c.source.name)
			return
		}
	}
}
