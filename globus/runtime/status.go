package runtime

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chiltepin/globus/runtime/internal/venv"
)

// Inventory is what there is, in the order of Find.
type Inventory struct {
	// Candidates are all that were found, working or not.
	Candidates []Candidate
	// Locked is the release that Install installs.
	Locked string
	// Dir is where Install works, or "".
	Dir string
}

// Candidate is one place where a runtime is.
type Candidate struct {
	Runtime
	// Broken says why it cannot work; empty when nothing speaks against it.
	Broken string
	// Taken says that it is the one Find returns.
	Taken bool
	// Note is a remark for people: that a newer one would be installed, which
	// program a shim leads to. Mostly empty.
	Note string
}

// Verdict returns what Find returns.
func (s Inventory) Verdict() (Runtime, error) {
	for _, c := range s.Candidates {
		if c.Taken {
			return c.Runtime, nil
		}
		if c.Source == Named {
			return Runtime{}, &BrokenError{Path: c.Path, Source: Named, Reason: c.Broken}
		}
	}
	return Runtime{}, &NoRuntimeError{Broken: s.Candidates}
}

// Inventory looks at every place and says what is there. It starts no program; see
// Check. A place that cannot be read is a candidate that is broken, so the only
// error is that of ctx.
func (f Finder) Inventory(ctx context.Context) (Inventory, error) {
	s := Inventory{Locked: LockedVersion()}
	if f.DataDir != "" {
		s.Dir = filepath.Join(f.DataDir, "runtime")
	}
	if f.Explicit != "" {
		s.Candidates = append(s.Candidates, f.examineNamed())
	}
	s.Candidates = append(s.Candidates, f.examinePath(ctx)...)
	if f.DataDir != "" {
		if c, found := f.examineInstalled(); found {
			s.Candidates = append(s.Candidates, c)
		}
	}
	for i := range s.Candidates {
		c := &s.Candidates[i]
		if c.Broken == "" {
			c.Taken = true
			c.Why = f.explainChoice(s.Candidates[:i], c.Runtime)
		}
		if c.Taken || c.Source == Named {
			break
		}
	}
	return s, ctx.Err()
}

// explainChoice says why r was taken, after those before it were not.
func (f Finder) explainChoice(before []Candidate, r Runtime) string {
	switch {
	case r.Source == Named:
		if f.ExplicitName != "" {
			return "it was named by " + f.ExplicitName
		}
		return "it was named for this call"
	case r.Source == OnPath && len(before) == 0:
		return "it is the first on PATH"
	case r.Source == OnPath:
		return "it is the first on PATH that can work"
	case len(before) == 0:
		return "it was installed by chiltepin, and none is on PATH"
	}
	return "it was installed by chiltepin, and none on PATH can work"
}

// examineNamed looks at what the user named.
func (f Finder) examineNamed() Candidate {
	path, err := filepath.Abs(f.Explicit)
	if err != nil {
		return Candidate{Runtime: Runtime{Path: f.Explicit, Source: Named}, Broken: err.Error()}
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		program := filepath.Join(path, "bin", Program)
		if _, err := os.Lstat(program); err != nil {
			return Candidate{Runtime: Runtime{Path: path, Source: Named}, Broken: "the directory has no bin/" + Program}
		}
		path = program
	}
	c, found := f.examineProgram(path, Named)
	if !found {
		c.Broken = "there is no such file"
	}
	return c
}

// examinePath looks through the directories of PATH; a program that is reached by
// several of them is one candidate.
func (f Finder) examinePath(ctx context.Context) []Candidate {
	var all []Candidate
	seen := map[string]bool{}
	for _, dir := range filepath.SplitList(f.PathEnv) {
		if !filepath.IsAbs(dir) || ctx.Err() != nil {
			continue
		}
		path := filepath.Join(dir, Program)
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			real = path
		}
		if seen[real] {
			continue
		}
		seen[real] = true
		if c, found := f.examineProgram(path, OnPath); found {
			all = append(all, c)
		}
	}
	return all
}

// checkTime is how long the program may take to say its version. It takes one
// to three seconds, and many times that from a cold network file system.
const checkTime = 2 * time.Minute

// Check starts the program of r and returns the version it says it has. The
// program gets no standard input, an empty directory for endpoints, and time
// enough for a slow file system. One that does not answer is a *BrokenError.
func (f Finder) Check(ctx context.Context, r Runtime) (string, error) {
	tmp, err := os.MkdirTemp("", "chiltepin-check-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	limited, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	environ := append(r.Environ(f.Environ), "GLOBUS_COMPUTE_USER_DIR="+filepath.Join(tmp, "endpoints"))
	version := ""
	job := venv.Job{Dir: tmp, Environ: environ, Each: func(line string) {
		// "Globus Compute endpoint version: 4.19.0", warnings may surround it.
		if _, said, found := strings.Cut(line, "ndpoint version: "); found {
			version = strings.TrimSpace(said)
		}
	}}
	err = job.Run(limited, r.Path, "version")
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case limited.Err() != nil:
		return "", &BrokenError{Path: r.Path, Source: r.Source, Reason: fmt.Sprintf("it did not say its version within %v", checkTime), Err: err}
	case err != nil:
		return "", &BrokenError{Path: r.Path, Source: r.Source, Reason: err.Error(), Err: err}
	case version == "":
		return "", &BrokenError{Path: r.Path, Source: r.Source, Reason: "it ended without saying its version"}
	}
	return version, nil
}
