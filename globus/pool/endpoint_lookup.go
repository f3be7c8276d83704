package pool

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/jinja"
	"chiltepin/globus/next"
	"chiltepin/globus/pool/scheduler"
)

// Endpoint is what is known about the endpoint that a pool names.
type EndpointLookup struct {
	// ID is its UUID, Name what it is called, here or at the service.
	ID, Name string
	// Here is true when its directory is in the configuration directory.
	Here bool
	// State is its state by the evidence here, or the service's word for one
	// that is elsewhere. Reason says more.
	State, Reason string
	// Up is what State means for tasks: 1 they are taken, -1 they are not, 0
	// it is not known.
	Up int
	// Missing is true when neither this machine nor the service knows it.
	Missing bool
	// Problem is why it could not be asked about.
	Problem error
	// Template and Schema are the endpoint's, as text; TemplateFile and
	// SchemaFile their paths when they are here.
	Template, Schema         string
	TemplateFile, SchemaFile string
	// Files are what is wrong with the files that the daemon reads.
	Files []error
}

// Checker checks files together with their endpoints.
type Checker struct {
	// Endpoint finds out about an endpoint. It never fails: what it could not
	// find out is in the Target.
	Endpoint func(ctx context.Context, id string) EndpointLookup
	// LocalID returns the UUID of the endpoint of that name here, or ""; nil knows
	// none.
	LocalID func(ctx context.Context, name string) string
	// Schedulers are the providers that a pool can name; nil is
	// [scheduler.All].
	Schedulers scheduler.List
}

// Report is what is known about a file.
type Report struct {
	File     File
	Problems []Problem
	// Endpoints are the endpoints that the file names, by UUID in lower case.
	Endpoints map[string]EndpointLookup
}

// asking bounds how many endpoints are asked about at once.
const asking = 8

// Check reads a file and asks about each endpoint it names, once.
func (c Checker) Check(ctx context.Context, data []byte) (Report, error) {
	r := Report{File: Parse(data), Endpoints: map[string]EndpointLookup{}}
	if c.Schedulers == nil {
		c.Schedulers = scheduler.All()
	}
	r.Problems = r.File.Check(c.Schedulers)
	for _, p := range r.File.Pools {
		if endpointfs.IsUUID(p.Endpoint()) {
			r.Endpoints[p.Endpoint()] = EndpointLookup{}
		}
	}
	if err := c.lookUpAll(ctx, r.Endpoints); err != nil {
		return r, err
	}
	cache := map[string]*acceptedOptions{}
	options := c.Schedulers.Catalogue()
	for _, p := range r.File.Pools {
		if p.Base {
			continue
		}
		k := poolCheck{pool: p, schedulers: c.Schedulers, options: options, faulty: map[string]bool{}}
		for _, had := range r.Problems {
			if had.Pool == p.Name && had.Severity == Error {
				k.faulty[had.Option] = true
			}
		}
		id := p.Endpoint()
		switch {
		case endpointfs.IsUUID(id):
			if cache[id] == nil {
				cache[id] = newAcceptedOptions(r.Endpoints[id])
			}
			k.checkEndpointUp(r.Endpoints[id])
			k.checkAccepted(cache[id])
		case id != "" && c.LocalID != nil:
			if known := c.LocalID(ctx, p.textOption("endpoint", "")); known != "" {
				r.Problems = suggestUUID(r.Problems, p.Name, known)
			}
		}
		r.Problems = append(r.Problems, k.found...)
	}
	sortProblems(r.Problems)
	return r, nil
}

// suggestUUID says of an endpoint that the file names by its name which UUID it
// has.
func suggestUUID(problems []Problem, pool, id string) []Problem {
	for i, p := range problems {
		if p.Pool == pool && p.Option == "endpoint" {
			problems[i].Next = doOnly(fmt.Sprintf("write its UUID: %q", id))
		}
	}
	return problems
}

// lookUpAll fills in the targets.
func (c Checker) lookUpAll(ctx context.Context, targets map[string]EndpointLookup) error {
	var mu sync.Mutex
	var all sync.WaitGroup
	free := make(chan struct{}, asking)
	ids := make([]string, 0, len(targets))
	for id := range targets {
		ids = append(ids, id)
	}
	for _, id := range ids {
		all.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			t := c.Endpoint(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			targets[id] = t
		})
	}
	all.Wait()
	return ctx.Err()
}

// checkEndpointUp says whether tasks for the endpoint are taken.
func (c *poolCheck) checkEndpointUp(t EndpointLookup) {
	name := cmp.Or(t.Name, t.ID)
	switch {
	case t.Missing:
		c.addProblemNext("endpoint", Error, []next.Step{listEndpoints(), next.Do("ask its owner: it may have been deleted, or belong to somebody else")}, "no endpoint has this UUID, neither here nor at the service")
	case t.Problem != nil && !t.Here:
		c.addProblemNext("endpoint", Note, []next.Step{next.Call(next.Login, nil, "have the service asked about it")}, "the service could not be asked whether the endpoint exists: %v", t.Problem)
	case t.Up < 0 && t.Here:
		c.addProblemNext("endpoint", Error, []next.Step{startEndpoint(name)}, "endpoint %s takes no tasks, it is %s%s", name, t.State, reasonSuffix(t.Reason))
	case t.Up < 0:
		c.addProblemNext("endpoint", Error, []next.Step{startElsewhere(name)}, "endpoint %s takes no tasks, the service calls it %s", name, t.State)
	case t.Up == 0:
		c.addProblemNext("endpoint", Warning, []next.Step{next.Endpoint(next.EndpointStatus, name, "see the evidence")}, "it is unknown whether endpoint %s takes tasks%s", name, reasonSuffix(t.Reason))
	}
	for _, err := range t.Files {
		c.addProblem("endpoint", Error, "correct the file: tasks fail with this error", "a file of endpoint %s is wrong: %v", name, err)
	}
}

// startEndpoint is the step that has an endpoint take tasks.
func startEndpoint(name string) next.Step {
	return next.Endpoint(next.EndpointStart, name, "have it take tasks")
}

// startElsewhere is startEndpoint on its own machine, whose name is not known.
func startElsewhere(name string) next.Step {
	s := startEndpoint(name)
	s.Host = elsewhere
	return s
}

// elsewhere is the machine of an endpoint that is not of this one.
const elsewhere = "the endpoint's machine"

func reasonSuffix(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// acceptedOptions is what an endpoint takes: the names that its template uses, and its
// schema.
type acceptedOptions struct {
	name   string
	uses   map[string]bool // nil when that is not known
	schema *schema
}

func newAcceptedOptions(t EndpointLookup) *acceptedOptions {
	s := &acceptedOptions{name: cmp.Or(t.Name, t.ID), schema: parseSchema(t.Schema)}
	if names, whole := jinja.Names(t.Template); whole && t.Template != "" {
		s.uses = names
	}
	return s
}

// checkAccepted compares what is sent with what the endpoint takes.
func (c *poolCheck) checkAccepted(s *acceptedOptions) {
	if Worst(c.found) == Error && s.uses == nil && s.schema == nil {
		return
	}
	sent := c.pool.Sent(c.schedulers)
	for name, why := range s.schema.findRefusals(sent) {
		if name == "" && len(c.faulty) > 0 {
			continue // the option to blame has its problem already
		}
		if name == "" {
			c.addProblem("endpoint", Error, "see user_config_schema.json of the endpoint", "the schema of endpoint %s refuses these options: %s", s.name, why)
			continue
		}
		o := optionForSentName(name)
		if c.faulty[o] {
			continue
		}
		remedy := "see user_config_schema.json of the endpoint"
		if !c.pool.isSet(o) {
			remedy = fmt.Sprintf("set %s, or let the schema take its default, %v, which Chiltepin sends", o, quoteText(sent[name]))
		}
		c.addProblem(o, Error, remedy, "the schema of endpoint %s refuses %s: %s", s.name, o, why)
	}
	if s.uses == nil {
		return
	}
	for name := range sent {
		if o := optionForSentName(name); c.pool.isSet(o) && !s.uses[name] && !c.hasDefault(o) {
			c.addProblem(o, Warning, "change the template of the endpoint, or remove the option", "the template of endpoint %s does not use %s", s.name, name)
		}
	}
}

// hasDefault says whether an option is what it would be anyway.
func (c *poolCheck) hasDefault(name string) bool {
	for _, o := range c.options {
		if o.Name == name {
			return o.Default != nil && c.pool.Options[name].Value.JSON() == o.Default
		}
	}
	return false
}

func quoteText(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return strings.TrimSpace(fmt.Sprint(v))
}
