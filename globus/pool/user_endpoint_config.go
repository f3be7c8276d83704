package pool

import (
	"strings"

	"chiltepin/globus/pool/scheduler"
)

// Sent is what Python Chiltepin sends for a pool: the user_endpoint_config of
// its Executor (create_globus_compute_executor in chiltepin/configure.py),
// always the same fifteen options, with a default for each that is left out.
func (p Pool) Sent(schedulers scheduler.List) map[string]any {
	launcher := scheduler.DefaultLauncher
	if s, ok := schedulers.Lookup(p.providerName()); ok {
		launcher = s.Options().Launcher
	}
	sent := map[string]any{"mpi_launcher": p.sentValue("mpi_launcher", launcher), "worker_init": p.workerInit()}
	for _, o := range schedulers.Catalogue() {
		if o.Default != nil && !o.Local {
			sent[o.Name] = p.sentValue(o.Name, o.Default)
		}
	}
	return sent
}

// sentValue is an option as it is sent, or def where it is left out.
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

// sentNameOf is the name under which an option of the file is sent.
func sentNameOf(option string) string {
	if option == "environment" {
		return "worker_init"
	}
	return option
}

// optionForSentName is the option of the file that is sent under a name.
func optionForSentName(sent string) string {
	if sent == "worker_init" {
		return "environment"
	}
	return sent
}
