package pool

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"chiltepin/endpointfs/jinja"
	"chiltepin/globus/next"
	"chiltepin/globus/pool/scheduler"
)

// SnippetOptions say what an entry is to be for.
type SnippetOptions struct {
	// Name is the name of the pool; empty is the endpoint's.
	Name string
	// Provider is where blocks come from; empty is what this machine has.
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
	Scheduler *scheduler.Detection
}

// UnregisteredError is an endpoint that has no UUID yet.
type UnregisteredError struct{ Name string }

// Error says so.
func (e *UnregisteredError) Error() string {
	return fmt.Sprintf("endpoint %q has no UUID yet: it gets one when it is started for the first time", e.Name)
}

// Next starts it.
func (e *UnregisteredError) Next() []next.Step {
	return []next.Step{next.Endpoint(next.EndpointStart, e.Name, "register it")}
}

// ProviderError is a provider that no scheduler has.
type ProviderError struct {
	Name string
	// Known are the providers there are.
	Known []string
}

// Error names it and those there are.
func (e *ProviderError) Error() string {
	return fmt.Sprintf("there is no provider %q", e.Name)
}

// Next names those there are.
func (e *ProviderError) Next() []next.Step { return doOnly("choose " + joinOr(e.Known)) }

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
	s := Snippet{Pool: cmp.Or(o.Name, ep.Name()), ID: id}
	var found scheduler.Detection
	if o.Provider == "" {
		if found, err = m.Detect(ctx); err != nil {
			return Snippet{}, err
		}
		s.Scheduler = &found
		o.Provider = found.Provider()
	} else if provider, ok := m.schedulers().Lookup(o.Provider); !ok {
		return Snippet{}, &ProviderError{Name: o.Provider, Known: m.schedulers().Names()}
	} else if provider.Facts().Batch {
		if found, err = m.Detect(ctx); err != nil {
			return Snippet{}, err
		}
		if found.Provider() != o.Provider {
			found = scheduler.Detection{}
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
	s.Text = m.writeEntry(s.Pool, ep.Name(), id, o, found, uses)
	return s, nil
}

// writeEntry writes the entry.
func (m *Manager) writeEntry(pool, endpoint, id string, o SnippetOptions, found scheduler.Detection, uses map[string]bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:\n  # endpoint %s\n  endpoint: %q\n", yamlKey(pool), commentText(endpoint), id)
	source := newSource(o.Provider, true, m.schedulers())
	for _, opt := range m.schedulers().Catalogue() {
		if opt.Name == "endpoint" || opt.Local || uses != nil && !uses[sentNameOf(opt.Name)] || !isRelevant(opt, source, o.MPI) {
			continue
		}
		value, set := found.Default(opt.Name)
		switch {
		case opt.Name == "provider":
			value, set = o.Provider, true
		case opt.Name == "mpi":
			value, set = true, o.MPI
		case opt.Name == "mpi_launcher":
			value = cmp.Or(source.options.Launcher, scheduler.DefaultLauncher)
		case !set:
			value = opt.Example
		}
		b.WriteString("\n  # " + opt.Doc)
		if !set && opt.Default != nil && opt.Default != "" {
			fmt.Fprintf(&b, "; %v if not given", opt.Default)
		}
		b.WriteString("\n")
		hash := "  # "
		if set {
			hash = "  "
		}
		if list, ok := value.([]any); ok {
			fmt.Fprintf(&b, "%s%s:\n", hash, opt.Name)
			for _, item := range list {
				fmt.Fprintf(&b, "%s  - %s\n", hash, yamlLiteral(item))
			}
			continue
		}
		fmt.Fprintf(&b, "%s%s: %s\n", hash, opt.Name, yamlLiteral(value))
	}
	return b.String()
}

// isRelevant says whether an option does anything in such a pool.
func isRelevant(opt scheduler.Option, from blockSource, mpi bool) bool {
	switch {
	case opt.MPI:
		return mpi
	case opt.Batch && !slices.Contains(from.options.Takes, opt.Name):
		return false
	}
	return opt.Name != "cores_per_node" || !mpi
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
