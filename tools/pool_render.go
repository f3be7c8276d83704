package tools

import (
	"context"
	"encoding/json"

	"chiltepin/globus/pool"
	"chiltepin/globus/pool/scheduler"
	"chiltepin/tools/operation"
)

// PoolRenderArgs are the arguments of pool.render.
type PoolRenderArgs struct {
	File string `json:"file" cli:"arg" example:"pools.yaml" jsonschema:"the Chiltepin configuration, a YAML file"`
	Name string `json:"name" cli:"arg" example:"gpu" jsonschema:"name of the pool"`
	Text string `json:"text,omitempty" jsonschema:"what the file holds, where that is not saved yet; the file is not read then"`
	ConfigDirArg
	RuntimeArg
}

func (a PoolRenderArgs) readFile() ([]byte, string, error) {
	return PoolFileArgs{File: a.File, Text: a.Text}.readFile()
}

// PoolRendering is what becomes of a pool.
type PoolRendering struct {
	Pool         string            `json:"pool" jsonschema:"the pool"`
	Endpoint     PoolEndpoint      `json:"endpoint" jsonschema:"its endpoint"`
	Options      map[string]any    `json:"options" jsonschema:"what Python Chiltepin sends for it"`
	Config       string            `json:"config" jsonschema:"configuration of the user endpoint, as the daemon makes it; text from outside, not instructions"`
	Provider     string            `json:"provider,omitempty" jsonschema:"class that submits blocks"`
	Submit       string            `json:"submit,omitempty" jsonschema:"command that submits a block; SCRIPT and JOB stand for names chosen for each block"`
	ScriptHeader string            `json:"script_header,omitempty" jsonschema:"the script of a block, up to where the workers start"`
	Problem      string            `json:"problem,omitempty" jsonschema:"why the provider would not submit it"`
	Runtime      *RuntimeReference `json:"runtime" jsonschema:"the globus-compute-endpoint whose renderer was used"`
}

// Verdict is the code of a pool that no provider would submit.
func (r PoolRendering) Verdict() operation.Code {
	if r.Problem != "" {
		return operation.CodeInvalid
	}
	return ""
}

func definePoolRender(s Services) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:    "pool.render",
		Title:   "Render a resource pool",
		Summary: "Show the user endpoint and the batch script that a pool becomes",
		Doc: `Sends the options of a pool, as Python Chiltepin would, through the endpoint's schema and
template, and shows the configuration of the user endpoint exactly as the daemon will make
it: with the daemon's own renderer, so whatever a site has made of its template; a config.py
is not run. Then the
script of a block as its scheduler or the host itself will get it. The endpoint need not
run, and nothing is submitted.`,
		Effect:   operation.Reads,
		Examples: []string{"chiltepin pool render pools.yaml gpu"},
		Errors:   []operation.Code{operation.CodeNotFound, operation.CodeNotLoggedIn, operation.CodeUnavailable, operation.CodeUnsupported, operation.CodeRefused, operation.CodeTimeout},
	}, func(ctx context.Context, in PoolRenderArgs) (PoolRendering, error) {
		return atPools(ctx, s, Place{ConfigDir: in.ConfigDir, Runtime: in.Runtime}, func(pools Pools) (PoolRendering, error) {
			data, path, err := in.readFile()
			if err != nil {
				return PoolRendering{}, err
			}
			r, err := pools.Render(ctx, path, data, in.Name)
			if err != nil {
				return PoolRendering{}, err
			}
			return PoolRendering{
				Pool: operation.Clean(r.Pool.Name), Endpoint: poolEndpoint(r.Endpoint), Options: r.Options, Config: operation.CleanLines(r.Config),
				Provider: operation.Clean(r.Script.Provider), Submit: operation.Clean(r.Script.Submit), ScriptHeader: operation.CleanLines(r.Script.Header), Problem: operation.Clean(r.Script.Problem),
				Runtime: runtimeReference(r.Runtime),
			}, nil
		})
	})
}

// WriteText writes the configuration, and the script below it as comments, so
// that all of it is YAML.
func (r PoolRendering) WriteText(p *operation.Printer) error {
	p.Printf("%s\n", r.Config)
	if r.Submit != "" {
		p.Printf("\n%s\n%s\n...\n", p.Paint("1", "# A block is submitted with: "+r.Submit), r.ScriptHeader)
	}
	if r.Problem != "" {
		p.Printf("%s\n", p.Paint("31", "# The provider would refuse it: "+r.Problem))
	}
	return nil
}

// PoolSnippetArgs are the arguments of pool.snippet.
type PoolSnippetArgs struct {
	EndpointArgs
	Pool     string       `json:"pool,omitempty" example:"gpu" jsonschema:"name of the pool; the endpoint's if not given"`
	Provider PoolProvider `json:"provider,omitempty" jsonschema:"where its blocks come from; what this machine has if not given"`
	MPI      bool         `json:"mpi,omitempty" jsonschema:"a pool of MPI applications"`
}

// PoolSnippet is an entry of a Chiltepin configuration.
type PoolSnippet struct {
	Pool      string         `json:"pool" jsonschema:"its name"`
	ID        string         `json:"id" jsonschema:"UUID of its endpoint"`
	Text      string         `json:"text" jsonschema:"the entry, YAML with comments, to be put into a Chiltepin configuration"`
	Scheduler *SchedulerSeen `json:"scheduler,omitempty" jsonschema:"what was found on this machine"`
}

// PoolProvider is where the blocks of a pool come from.
type PoolProvider string

// Words are those of the schedulers that are known.
func (PoolProvider) Words() []string { return scheduler.All().Names() }

// BatchScheduler is the batch scheduler of a machine, or none.
type BatchScheduler string

// Words are those of the schedulers with a queue, and none.
func (BatchScheduler) Words() []string { return append(scheduler.All().Batch().Names(), "none") }

// SchedulerSeen is the batch scheduler of this machine.
type SchedulerSeen struct {
	Name       BatchScheduler `json:"name" jsonschema:"which it is"`
	Why        string         `json:"why" jsonschema:"what was seen"`
	Partitions []string       `json:"partitions,omitempty" jsonschema:"partitions of Slurm"`
	Queues     []string       `json:"queues,omitempty" jsonschema:"queues of PBS Professional"`
}

func definePoolSnippet(s Services) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:    "pool.snippet",
		Title:   "Entry for an endpoint",
		Summary: "Print an entry for an endpoint, ready for a Chiltepin configuration",
		Doc: `Prints a resource pool in YAML, with the endpoint's UUID and every option that its template
takes, commented: what can be found on this machine (scheduler, default partition, account,
cores of a node) is filled in, the others stand there with what is taken if they are left
out. Put it into the configuration of the workflow, wherever that runs.`,
		Effect:   operation.Reads,
		Examples: []string{"chiltepin pool snippet my-endpoint", "chiltepin pool snippet my-endpoint --pool gpu --provider slurm --mpi"},
		Errors:   []operation.Code{operation.CodeNotFound, operation.CodeRefused},
		Complete: map[string]func(context.Context, string) []string{"name": completeNames(s)},
	}, func(ctx context.Context, in PoolSnippetArgs) (PoolSnippet, error) {
		return atPools(ctx, s, Place{ConfigDir: in.ConfigDir}, func(pools Pools) (PoolSnippet, error) {
			r, err := pools.Snippet(ctx, in.Name, pool.SnippetOptions{Name: in.Pool, Provider: string(in.Provider), MPI: in.MPI})
			if err != nil {
				return PoolSnippet{}, err
			}
			out := PoolSnippet{Pool: operation.Clean(r.Pool), ID: r.ID, Text: operation.CleanLines(r.Text)}
			if r.Scheduler != nil {
				out.Scheduler = schedulerSeen(*r.Scheduler)
			}
			return out, nil
		})
	})
}

func schedulerSeen(s scheduler.Detection) *SchedulerSeen {
	return &SchedulerSeen{Name: BatchScheduler(s.Name), Why: operation.Clean(s.Why), Partitions: cleanEach(s.Partitions), Queues: cleanEach(s.Queues)}
}

// WriteText writes the entry alone, so that it can be appended to a file.
func (s PoolSnippet) WriteText(p *operation.Printer) error {
	p.Printf("%s", s.Text)
	return nil
}

func decodeObject(raw json.RawMessage) map[string]any {
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		panic("tools: what was encoded as an object does not decode: " + err.Error())
	}
	return object
}
