package pool

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"chiltepin/endpointfs/jinja"
)

// SnippetOptions say what an entry is to be for.
type SnippetOptions struct {
	// Name is the name of the pool; empty is the endpoint's.
	Name string
	// Provider is slurm, pbspro or localhost; empty is what this machine has.
	Provider string
	// MPI makes it a pool of MPI applications.
	MPI bool
}

// Snippet is an entry ready to be pasted into a Chiltepin configuration.
type Snippet struct {
	// Pool is its name, ID the UUID of its endpoint.
	Pool, ID string
	// Text is the entry, YAML with comments.
	Text string
	// Scheduler is what was found on this machine, where it was looked for.
	Scheduler *Scheduler
}

// UnregisteredError is an endpoint that has no UUID yet.
type UnregisteredError struct{ Name string }

// Error says so.
func (e *UnregisteredError) Error() string {
	return fmt.Sprintf("endpoint %q has no UUID yet: it gets one when it is started for the first time", e.Name)
}

// Hint says what to do.
func (e *UnregisteredError) Hint() string { return "chiltepin endpoint start " + e.Name }

// Snippet makes an entry for an endpoint of this machine. What can be found on
// the machine is filled in; the other options that the endpoint's template
// takes follow as comments, with what Python Chiltepin takes if they are left
// out.
func (m *Manager) Snippet(ctx context.Context, name string, o SnippetOptions) (Snippet, error) {
	ep, err := m.Endpoints.Dir.Endpoint(name)
	if err != nil {
		return Snippet{}, err
	}
	id, err := ep.ID()
	if err != nil {
		return Snippet{}, err
	}
	if id == "" {
		return Snippet{}, &UnregisteredError{Name: ep.Name()}
	}
	s := Snippet{Pool: firstOf(o.Name, ep.Name()), ID: id}
	var found Scheduler
	if o.Provider == "" {
		if found, err = m.Detect(ctx); err != nil {
			return Snippet{}, err
		}
		s.Scheduler = &found
		o.Provider = found.Provider()
	} else if o.Provider == "slurm" || o.Provider == "pbspro" {
		if found, err = m.Detect(ctx); err != nil {
			return Snippet{}, err
		}
		if found.Provider() != o.Provider {
			found = Scheduler{}
		}
	}
	text, _, err := ep.Template()
	if err != nil {
		return Snippet{}, err
	}
	uses, whole := jinja.Names(text)
	if !whole {
		uses = nil
	}
	s.Text = writeEntry(s.Pool, ep.Name(), id, o, found, uses)
	return s, nil
}

// writeEntry writes the entry.
func writeEntry(pool, endpoint, id string, o SnippetOptions, found Scheduler, uses map[string]bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:\n  # endpoint %s\n  endpoint: %q\n", yamlKey(pool), commentText(endpoint), id)
	for _, opt := range options() {
		sent := opt.name
		if sent == "environment" {
			sent = "worker_init"
		}
		if opt.name == "endpoint" || opt.local || uses != nil && !uses[sent] || !opt.isRelevant(o) {
			continue
		}
		value, set := opt.example, false
		switch opt.name {
		case "provider":
			value, set = o.Provider, true
		case "mpi":
			set = o.MPI
		case "mpi_launcher":
			value = map[bool]string{true: "srun", false: "mpiexec"}[o.Provider == "slurm"]
		case "partition":
			value, set = foundOrExample(found.Partition, value)
		case "queue":
			value, set = foundOrExample(found.Queue, value)
		case "account":
			value, set = foundOrExample(found.Account, value)
		case "cores_per_node":
			if found.Cores > 0 {
				value, set = found.Cores, true
			}
		}
		b.WriteString("\n  # " + opt.doc)
		if !set && opt.def != nil && opt.def != "" {
			fmt.Fprintf(&b, "; %v if not given", opt.def)
		}
		b.WriteString("\n")
		hash := "  # "
		if set {
			hash = "  "
		}
		if list, ok := value.([]any); ok {
			fmt.Fprintf(&b, "%s%s:\n", hash, opt.name)
			for _, item := range list {
				fmt.Fprintf(&b, "%s  - %s\n", hash, yamlLiteral(item))
			}
			continue
		}
		fmt.Fprintf(&b, "%s%s: %s\n", hash, opt.name, yamlLiteral(value))
	}
	return b.String()
}

// foundOrExample is what was found, or an example.
func foundOrExample(found string, example any) (any, bool) {
	if found != "" {
		return found, true
	}
	return example, false
}

// isRelevant says whether an option does anything in such a pool.
func (opt option) isRelevant(o SnippetOptions) bool {
	switch opt.name {
	case "max_mpi_apps", "mpi_launcher", "mpi":
		return o.MPI || opt.name == "mpi"
	case "partition", "exclusive":
		return o.Provider == "slurm"
	case "cores_per_node":
		return o.Provider != "localhost" && !o.MPI
	}
	return o.Provider != "localhost" || !forScheduler(opt.name)
}

// yamlLiteral writes a value so that YAML 1.1 and 1.2 read it alike.
func yamlLiteral(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("pool: %v does not encode: %v", v, err)) // texts and numbers do
	}
	return string(text)
}

// yamlKey is the name of a pool as YAML has it.
func yamlKey(name string) string {
	if regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`).MatchString(name) && !regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null)$`).MatchString(name) {
		return name
	}
	return yamlLiteral(name)
}

// commentText keeps a name on its line.
func commentText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return '?'
		}
		return r
	}, s)
}
