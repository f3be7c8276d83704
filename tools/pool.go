package tools

import (
	"context"
	"path/filepath"

	"chiltepin/globus/pool"
	"chiltepin/globus/pool/scheduler"
	"chiltepin/tools/operation"
)

// Pools is what the operations on resource pools need. [pool.Manager] is one.
type Pools interface {
	Detect(ctx context.Context) (scheduler.Detection, error)
	Check(ctx context.Context, data []byte, o pool.CheckOptions) (pool.Report, error)
	Render(ctx context.Context, path string, data []byte, name string) (pool.Rendered, error)
	Probe(ctx context.Context, path string, data []byte, name string, o pool.ProbeOptions) (pool.Probe, error)
	Snippet(ctx context.Context, name string, o pool.SnippetOptions) (pool.Snippet, error)
}

// poolTools are the operations on the resource pools of a Chiltepin
// configuration, in the order in which a person meets them.
func poolTools(s Services) []*operation.Tool {
	return []*operation.Tool{
		definePoolCheck(s),
		definePoolSchema(s),
		definePoolSnippet(s),
		definePoolRender(s),
		definePoolProbe(s),
	}
}

// atPools runs do with the pools of the place that a call names.
func atPools[Out any](ctx context.Context, s Services, at Place, do func(Pools) (Out, error)) (Out, error) {
	pools, err := s.Pools(ctx, at)
	if err != nil {
		var none Out
		return none, err
	}
	return do(pools)
}

// PoolFileArgs name a Chiltepin configuration.
type PoolFileArgs struct {
	File string `json:"file" cli:"arg" example:"pools.yaml" jsonschema:"the Chiltepin configuration, a YAML file"`
	Text string `json:"text,omitempty" jsonschema:"what the file holds, where that is not saved yet; the file is not read then"`
}

// readFile returns the configuration, and the file's absolute path.
func (a PoolFileArgs) readFile() (data []byte, path string, err error) {
	path, err = filepath.Abs(a.File)
	if err != nil || a.File == "" {
		return nil, "", operation.Invalid("file", "the path of a Chiltepin configuration", a.File)
	}
	if a.Text != "" {
		return []byte(a.Text), path, nil
	}
	data, err = pool.Read(path)
	return data, path, err
}

// PoolCheckArgs are the arguments of pool.check.
type PoolCheckArgs struct {
	PoolFileArgs
	Offline bool `json:"offline,omitempty" jsonschema:"do not ask the service about endpoints that are not of this machine"`
	ConfigDirArg
}

func definePoolCheck(s Services) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:    "pool.check",
		Title:   "Check resource pools",
		Summary: "Find the mistakes in the resource pools of a Chiltepin configuration",
		Doc: `Reads the file as Python Chiltepin does and looks at every option of every pool: known,
of the right type, in range, in agreement with the others, not ignored by its provider.
Then at each endpoint: is there one of that UUID, does it run, and do its schema and its
template take what is sent. An endpoint that is not of this machine is asked for at the
service, where somebody is logged in. Each problem has its line and column, and what to do.
Ends with status 2 when there is an error; warnings and notes are none.`,
		Effect:   operation.Reads,
		Examples: []string{"chiltepin pool check pools.yaml", "chiltepin pool check --offline --json pools.yaml"},
		Errors:   []operation.Code{operation.CodeNotFound, operation.CodeRefused},
	}, func(ctx context.Context, in PoolCheckArgs) (PoolCheck, error) {
		return atPools(ctx, s, Place{ConfigDir: in.ConfigDir}, func(pools Pools) (PoolCheck, error) {
			data, path, err := in.readFile()
			if err != nil {
				return PoolCheck{}, err
			}
			r, err := pools.Check(ctx, data, pool.CheckOptions{Offline: in.Offline})
			if err != nil {
				return PoolCheck{}, err
			}
			return poolCheck(path, r), nil
		})
	})
}

// PoolSchemaArgs are the arguments of pool.schema.
type PoolSchemaArgs struct{ ConfigDirArg }

func definePoolSchema(s Services) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:    "pool.schema",
		Title:   "Schema of pools",
		Summary: "Print the JSON Schema of a Chiltepin configuration, for editors",
		Doc: `Prints a JSON Schema (draft 2020-12) with every option, its type, its default and what it is
for. An editor that knows it completes options and shows the first mistakes as they are
typed: begin the file with "# yaml-language-server: $schema=FILE".`,
		Effect:   operation.Reads,
		Examples: []string{"chiltepin pool schema"},
	}, func(ctx context.Context, in PoolSchemaArgs) (PoolSchema, error) {
		return atPools(ctx, s, Place{ConfigDir: in.ConfigDir}, func(Pools) (PoolSchema, error) {
			return PoolSchema{Schema: decodeObject(pool.Schema())}, nil
		})
	})
}
