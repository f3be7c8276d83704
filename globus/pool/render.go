package pool

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
	"chiltepin/globus/pool/scheduler"
	"chiltepin/globus/runtime"
)

// Rendered is what becomes of a pool.
type Rendered struct {
	// Pool is the pool, Target its endpoint.
	Pool     Pool
	Endpoint EndpointLookup
	// Options are what Python Chiltepin sends.
	Options map[string]any
	// Config is the configuration of the user endpoint, to the byte what the
	// daemon makes of the options.
	Config string
	// Script is what the provider submits for a block.
	Script scheduler.Script
	// Runtime is the Python side that rendered it.
	Runtime runtime.Runtime
}

// RenderError is a refusal of the daemon's renderer: tasks of the pool fail
// with it.
type RenderError struct {
	Pool, Endpoint string
	// Cause is the daemon's sentence, Option the option that it names, if any.
	Cause, Option string
	Lines         []string
	Steps         []next.Step
}

// Error gives the cause.
func (e *RenderError) Error() string {
	return fmt.Sprintf("pool %s: endpoint %s would refuse it: %s", e.Pool, e.Endpoint, e.Cause)
}

// Next is what to do.
func (e *RenderError) Next() []next.Step { return e.Steps }

// checkFile is the step that checks a configuration.
func checkFile(path, why string) next.Step {
	return next.Call(next.PoolCheck, next.Args{"file": path}, why)
}

// findPool returns a pool of a file that names an endpoint.
func findPool(f File, path, name string) (Pool, error) {
	p, ok := f.Pool(name)
	switch {
	case !ok && len(f.Problems) > 0 && len(f.Pools) == 0:
		return p, &FileError{Path: path, Problem: fmt.Sprintf("line %d: %s", f.Problems[0].Line, f.Problems[0].Message), Steps: f.Problems[0].Next}
	case !ok && len(f.Names()) == 0:
		return p, &FileError{Path: path, Problem: "it has no pools", Steps: []next.Step{listEndpoints(), next.Do("add a pool for one of them")}}
	case !ok:
		return p, &FileError{Path: path, Problem: fmt.Sprintf("it has no pool %q", name), Steps: doOnly("choose one of its pools: " + strings.Join(f.Names(), ", ")), Err: os.ErrNotExist}
	case p.Endpoint() == "":
		return p, &FileError{Path: path, Problem: fmt.Sprintf("pool %s names no endpoint, so it runs where the workflow runs", name), Steps: doOnly("give it an endpoint, or choose another pool")}
	case !endpointfs.IsUUID(p.Endpoint()):
		return p, &FileError{Path: path, Problem: fmt.Sprintf("the endpoint of pool %s is not a UUID", name), Steps: []next.Step{checkFile(path, "see what is wrong")}}
	}
	return p, nil
}

// Render makes the configuration of the user endpoint for a pool with the
// daemon's own renderer, and the script of a block as parsl makes it. The
// endpoint need not run. The template of an endpoint that is not of this
// machine is asked for at the service.
//
// It runs globus-compute-endpoint once, on copies of the template and what that
// includes, and nothing of it stays. Nothing in the endpoint's directory is run: a
// config.py is passed over.
func (m *Manager) Render(ctx context.Context, path string, data []byte, name string) (Rendered, error) {
	p, err := findPool(Parse(data), path, name)
	if err != nil {
		return Rendered{}, err
	}
	r := Rendered{Pool: p, Options: p.Sent(m.schedulers()), Endpoint: m.lookUpEndpoint(ctx, p.Endpoint(), false)}
	t := r.Endpoint
	switch {
	case t.Missing:
		return r, &FileError{Path: path, Problem: fmt.Sprintf("no endpoint has the UUID of pool %s, %s", name, t.ID), Steps: []next.Step{listEndpoints()}, Err: os.ErrNotExist}
	case t.Problem != nil:
		return r, fmt.Errorf("asking about the endpoint of pool %s: %w", name, t.Problem)
	case t.Template == "" && t.Here:
		return r, &FileError{Path: path, Problem: fmt.Sprintf("the template of endpoint %s is empty or cannot be read", cmp.Or(t.Name, t.ID)), Steps: []next.Step{checkFile(path, "see what is wrong")}}
	case t.Template == "":
		return r, &FileError{Path: path, Problem: fmt.Sprintf("the service does not know the template of endpoint %s", cmp.Or(t.Name, t.ID)), Steps: doOnly("do this on the endpoint's machine")}
	}
	if r.Runtime, err = m.Runtime(ctx); err != nil {
		return r, err
	}
	if r.Config, err = m.runRenderer(ctx, r); err != nil {
		return r, err
	}
	r.Script, err = m.schedulers().Script(r.Config)
	return r, err
}

// newRenderError says why the program would not render a pool.
func newRenderError(r Rendered, refusal daemon.RenderRefusal) *RenderError {
	e := &RenderError{Pool: r.Pool.Name, Endpoint: cmp.Or(r.Endpoint.Name, r.Endpoint.ID), Cause: refusal.Cause, Lines: refusal.Lines,
		Steps: doOnly("correct the template, or the option that the message names")}
	if refusal.Option != "" {
		e.Option = optionForSentName(refusal.Option)
		e.Cause = e.Option + ": " + e.Cause
		e.Steps = doOnly("correct " + e.Option)
	}
	switch {
	case refusal.IsUndefined():
		e.Steps = doOnly("give the variable a default in the template, {{ name | default(...) }}: Chiltepin does not send it")
	case refusal.IsTemplate():
		e.Steps = doOnly("correct the template")
	}
	return e
}
