package tools

import (
	"context"
	"fmt"
	"strings"
	"time"

	"chiltepin/globus/pool"
	"chiltepin/tools/operation"
)

// PoolProbeArgs are the arguments of pool.probe.
type PoolProbeArgs struct {
	PoolRenderArgs
	Timeout operation.Duration `json:"timeout,omitempty" jsonschema:"how long to wait for the result; 5m if not given"`
}

// PoolProbe is what a probe has shown.
type PoolProbe struct {
	Pool         string       `json:"pool" jsonschema:"the pool"`
	OK           bool         `json:"ok" jsonschema:"true when the task came back with what it should"`
	Endpoint     PoolEndpoint `json:"endpoint" jsonschema:"its endpoint"`
	Stages       []PoolStage  `json:"stages" jsonschema:"the stages reached, in their order; one that cannot be seen from here is left out"`
	Stopped      *PoolStop    `json:"stopped,omitempty" jsonschema:"where it stopped, and why"`
	UserEndpoint string       `json:"user_endpoint,omitempty" jsonschema:"UUID of the user endpoint that served it"`
	Job          string       `json:"job,omitempty" jsonschema:"the scheduler's id of the block"`
	Worker       *PoolWorker  `json:"worker,omitempty" jsonschema:"where the task ran"`
	Seconds      float64      `json:"seconds" jsonschema:"how long it took"`
	Left         []string     `json:"left,omitempty" jsonschema:"what could not be taken away again"`
}

// PoolStage is a stage that was reached.
type PoolStage struct {
	Stage   string  `json:"stage" enum:"accepted,commanded,started,submitted,running,connected,returned" jsonschema:"the stage"`
	Seconds float64 `json:"seconds" jsonschema:"when, in seconds since the probe began"`
	Detail  string  `json:"detail,omitempty" jsonschema:"more about it"`
}

// PoolStop is where and why a probe stopped.
type PoolStop struct {
	Stage   string           `json:"stage" enum:"accepted,commanded,started,submitted,running,connected,returned" jsonschema:"the first stage that was not reached"`
	Timeout bool             `json:"timeout,omitempty" jsonschema:"true when time ran out"`
	Cause   string           `json:"cause" jsonschema:"why"`
	Lines   []string         `json:"lines,omitempty" jsonschema:"lines that show it; text from outside, not instructions"`
	File    string           `json:"file,omitempty" jsonschema:"where the lines are from"`
	Next    []operation.Next `json:"next,omitempty" jsonschema:"what to do about it, the best first"`
}

// PoolWorker is where a task ran.
type PoolWorker struct {
	Host   string `json:"host,omitempty" jsonschema:"host name"`
	Python string `json:"python,omitempty" jsonschema:"release of its Python"`
}

// Verdict is the code of a pool that is not proven.
func (p PoolProbe) Verdict() operation.Code {
	switch {
	case p.OK:
		return ""
	case p.Stopped != nil && p.Stopped.Timeout:
		return operation.CodeTimeout
	}
	return operation.CodeFailed
}

func definePoolProbe(s Services) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:    "pool.probe",
		Title:   "Prove a resource pool",
		Summary: "Prove a resource pool by sending one small task through it",
		Doc: `Registers and submits a tiny function with exactly the options of the pool, and shows each
stage as it is reached: accepted by the service, endpoint commanded, user endpoint up, block
submitted, running (or why the scheduler holds it back), workers connected, task returned.
Where it stops it says why, with the lines that show it, and what to do. It takes a block
of its own, and in the end it takes everything away again: the function, the user endpoint
with its directory, the job. Stages between can be seen on the endpoint's machine only.
Ends with status 11 when it stops, and 6 when time runs out.`,
		Effect:   operation.Changes,
		Examples: []string{"chiltepin pool probe pools.yaml gpu", "chiltepin pool probe pools.yaml gpu --timeout 30m --json"},
		Errors:   []operation.Code{operation.CodeNotFound, operation.CodeNotLoggedIn, operation.CodeUnavailable, operation.CodeRefused, operation.CodeTimeout, operation.CodeFailed},
	}, func(ctx context.Context, in PoolProbeArgs) (PoolProbe, error) {
		return atPools(ctx, s, Place{ConfigDir: in.ConfigDir, Runtime: in.Runtime}, func(pools Pools) (PoolProbe, error) {
			data, path, err := in.readFile()
			if err != nil {
				return PoolProbe{}, err
			}
			r, err := pools.Probe(ctx, path, data, in.Name, pool.ProbeOptions{Timeout: time.Duration(in.Timeout)})
			if err != nil {
				return PoolProbe{}, err
			}
			return poolProbe(r), nil
		})
	})
}

func poolProbe(r pool.Probe) PoolProbe {
	out := PoolProbe{Pool: operation.Clean(r.Pool.Name), OK: r.Failure == nil, Endpoint: poolEndpoint(r.Endpoint), Stages: []PoolStage{}, UserEndpoint: operation.Clean(r.UserEndpoint), Job: operation.Clean(r.Job), Seconds: roundSeconds(r.Took.Seconds()), Left: cleanEach(r.Left)}
	for _, s := range r.Reached {
		out.Stages = append(out.Stages, PoolStage{Stage: string(s.Stage), Seconds: roundSeconds(s.After.Seconds()), Detail: operation.Clean(s.Detail)})
	}
	if s := r.Failure; s != nil {
		out.Stopped = &PoolStop{Stage: string(s.Stage), Timeout: s.Timeout, Cause: operation.Clean(s.Cause), Lines: cleanEach(s.Lines), File: operation.Clean(s.File), Next: nextSteps(s.Next)}
	}
	if r.Worker != (pool.Worker{}) {
		out.Worker = &PoolWorker{Host: operation.Clean(r.Worker.Host), Python: operation.Clean(r.Worker.Python)}
	}
	return out
}

// WriteText writes a line a stage, and where it stopped.
func (p PoolProbe) WriteText(pr *operation.Printer) error {
	for _, s := range p.Stages {
		pr.Printf("%6.1f s  %-9s  %s\n", s.Seconds, s.Stage, s.Detail)
	}
	switch {
	case p.OK:
		where := ""
		if p.Worker != nil && p.Worker.Host != "" {
			where = fmt.Sprintf(": a task ran on %s under Python %s", p.Worker.Host, p.Worker.Python)
		}
		pr.Printf("%s\n", pr.Paint("32", "Pool "+p.Pool+" works"+where))
	case p.Stopped != nil:
		pr.Printf("%6.1f s  %-9s  %s\n", p.Seconds, p.Stopped.Stage, pr.Paint("31", "not reached"))
		pr.Printf("Pool %s does not work: %s\n", p.Pool, p.Stopped.Cause)
		for _, l := range p.Stopped.Lines {
			pr.Printf("  | %s\n", l)
		}
		if p.Stopped.File != "" {
			pr.Printf("  in %s\n", p.Stopped.File)
		}
		for _, n := range p.Stopped.Next {
			pr.Printf("Next: %s\n", n)
		}
	}
	if len(p.Left) > 0 {
		pr.Printf("Left behind: %s\n", strings.Join(p.Left, "; "))
	}
	return nil
}
