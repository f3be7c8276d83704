package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"chiltepin/tools/operation"

	"github.com/spf13/pflag"
)

// personFlags are what whoever starts a server decides for every call.
type personFlags struct {
	roots   []string
	runtime string
}

// policyFlags are the flags of every server that say what it offers, and what its
// client cannot decide.
func policyFlags(flags *pflag.FlagSet, p *operation.Policy, sets string) *personFlags {
	flags.SortFlags = false
	flags.BoolVar(&p.ReadOnly, "read-only", false, "offer only operations that change nothing")
	flags.BoolVar(&p.NoDestructive, "no-destructive", false, "let nothing be destroyed, whoever consents")
	flags.StringSliceVar(&p.Tools, "tools", nil, "offer only these `tools`, such as endpoint_list,endpoint_status")
	flags.StringSliceVar(&p.Toolsets, "toolsets", nil, "offer these `sets` of operations, "+sets)
	person := &personFlags{}
	flags.StringArrayVar(&person.roots, "config-root", nil, "let calls name a configuration directory, this `directory` or one below; may be given several times")
	flags.StringVar(&person.runtime, "runtime", "", "the globus-compute-endpoint to run, or the environment it is in; a `path`")
	return person
}

// serverContext has the log, and binds a server to the directories and the
// programs that it was started for.
func (c *command) serverContext(ctx context.Context, p *operation.Policy, person *personFlags) (context.Context, error) {
	ctx, err := c.withLog(ctx)
	if err != nil {
		return ctx, err
	}
	absolute := func(flag, path string) (string, error) {
		if path == "" {
			return "", operation.Invalid(flag, "a path", path)
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return "", fmt.Errorf("finding what --%s names: %w", flag, err)
		}
		return abs, nil
	}
	if c.config != "" {
		if p.ConfigDir, err = absolute("config", c.config); err != nil {
			return nil, err
		}
	}
	for _, root := range person.roots {
		abs, err := absolute("config-root", root)
		if err != nil {
			return nil, err
		}
		p.ConfigRoots = append(p.ConfigRoots, abs)
	}
	p.RealPath = realPath
	if person.runtime != "" {
		path, err := absolute("runtime", person.runtime)
		if err != nil {
			return nil, err
		}
		p.Settings = map[string]string{"runtime": path}
	}
	return ctx, nil
}

// realPath resolves the links in an absolute path; what does not exist yet has
// none.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) || path == "/" {
		return real, err
	}
	// A link to nothing is there all the same, and leads where it says.
	if _, statErr := os.Lstat(path); statErr == nil {
		return "", err
	}
	dir, err := realPath(filepath.Dir(path))
	return filepath.Join(dir, filepath.Base(path)), err
}
