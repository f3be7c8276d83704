package pool

import "strings"

// Sent is what Python Chiltepin sends for a pool: the user_endpoint_config of
// its Executor (create_globus_compute_executor in chiltepin/configure.py),
// always the same fifteen options, with a default for each that is left out.
func (p Pool) Sent() map[string]any {
	launcher := "mpiexec"
	if p.textOption("provider", "localhost") == "slurm" {
		launcher = "srun"
	}
	sent := map[string]any{"mpi_launcher": p.sentValue("mpi_launcher", launcher), "worker_init": p.workerInit()}
	for _, o := range options() {
		if o.def != nil && !o.local && o.name != "environment" {
			sent[o.name] = p.sentValue(o.name, o.def)
		}
	}
	return sent
}

// toJSON is an option as it is sent, or def where it is left out.
func (p Pool) sentValue(name string, def any) any {
	if o, ok := p.Options[name]; ok {
		return o.Value.JSON()
	}
	return def
}

// workerInit joins the commands of environment.
func (p Pool) workerInit() string {
	var lines []string
	for _, item := range p.Options["environment"].Items {
		lines = append(lines, item.Written)
	}
	return strings.Join(lines, "\n")
}

// optionForSentName is the option of the file that is sent under a name.
func optionForSentName(sent string) string {
	if sent == "worker_init" {
		return "environment"
	}
	return sent
}
