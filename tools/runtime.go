package tools

import (
	"context"
	"errors"

	"chiltepin/tools/operation"

	"chiltepin/globus/runtime"
)

// Runtimes is what the operations on the Python side need. [runtime.Finder]
// is one.
type Runtimes interface {
	Inventory(context.Context) (runtime.Inventory, error)
	Install(context.Context, runtime.InstallOptions) (runtime.Runtime, error)
}

// RuntimeStatusArgs are the arguments of runtime.status.
type RuntimeStatusArgs struct{ RuntimeArg }

// RuntimeInstallArgs are the arguments of runtime.install.
type RuntimeInstallArgs struct {
	Python string `json:"python,omitempty" wire:"-" example:"/usr/bin/python3.11" jsonschema:"the Python to build on, 3.10 to 3.13; found on PATH if not given"`
	Force  bool   `json:"force,omitempty" jsonschema:"build it again even when it is there and works"`
}

func runtimeTools(s Services) []*operation.Tool {
	return []*operation.Tool{
		operation.Define(operation.Spec{
			Name:    "runtime.status",
			Toolset: operation.ToolsetAdmin,
			Title:   "Runtime status",
			Summary: "Tell which globus-compute-endpoint would be used",
			Doc: `Looks for the Python program that serves endpoints, in this order: the one named by
--runtime or CHILTEPIN_RUNTIME, the first that works on PATH, the one that
"chiltepin runtime install" built. Starts no program.`,
			Effect:   operation.Reads,
			Examples: []string{"chiltepin runtime status"},
			Errors:   []operation.Code{operation.CodeUnsupported},
		}, func(ctx context.Context, in RuntimeStatusArgs) (RuntimeStatus, error) {
			runtimes, err := s.Runtimes(ctx, in.Runtime)
			if err != nil {
				return RuntimeStatus{}, err
			}
			return runtimeStatus(ctx, runtimes)
		}),
		operation.Define(operation.Spec{
			Name:    "runtime.install",
			Toolset: operation.ToolsetAdmin,
			Title:   "Install runtime",
			Summary: "Install a pinned globus-compute-endpoint of chiltepin's own",
			Doc: `Builds a Python environment under the user's data directory, every package pinned and
checked against its hash, with uv where it is present and with venv and pip otherwise. It
needs Python 3.10 to 3.13. An environment that works is left alone, a broken one is
repaired, and one that is in use stays until the new one is complete. --force replaces one
that works.`,
			Effect:     operation.Idempotent,
			DestroysBy: []string{"force"},
			Examples:   []string{"chiltepin runtime install", "chiltepin runtime install --python /usr/bin/python3.11"},
			Errors:     []operation.Code{operation.CodeUnsupported, operation.CodeUnavailable, operation.CodeConflict, operation.CodeTimeout, operation.CodeRefused},
		}, func(ctx context.Context, in RuntimeInstallArgs) (RuntimeStatus, error) {
			if in.Force {
				err := operation.Consent(ctx, operation.Question{
					Operation: "runtime.install",
					Subject:   "runtime",
					// A script could always do it.
					Unattended: true,
					Text:       "Build the installed runtime again and replace it, even if it works?",
				})
				if err != nil {
					return RuntimeStatus{}, err
				}
			}
			runtimes, err := s.Runtimes(ctx, "")
			if err != nil {
				return RuntimeStatus{}, err
			}
			r, err := runtimes.Install(ctx, runtime.InstallOptions{Python: in.Python, Force: in.Force})
			if err != nil {
				return RuntimeStatus{}, err
			}
			out := RuntimeStatus{Runtime: runtimeReference(r), Outcome: "installed"}
			return out, nil
		}),
	}
}

func runtimeStatus(ctx context.Context, runtimes Runtimes) (RuntimeStatus, error) {
	st, err := runtimes.Inventory(ctx)
	if err != nil {
		return RuntimeStatus{}, err
	}
	out := RuntimeStatus{Candidates: []RuntimeCandidate{}}
	for _, c := range st.Candidates {
		out.Candidates = append(out.Candidates, RuntimeCandidate{Path: c.Path, Source: c.Source, Version: c.Version, Usable: c.Broken == "", Problem: c.Broken})
	}
	taken, err := st.Verdict()
	var none *runtime.NoRuntimeError
	switch {
	case errors.As(err, &none):
	case err != nil:
		return RuntimeStatus{}, err
	default:
		out.Runtime = runtimeReference(taken)
	}
	return out, nil
}

func runtimeReference(r runtime.Runtime) *RuntimeReference {
	return &RuntimeReference{Path: r.Path, Version: r.Version, Source: r.Source}
}
