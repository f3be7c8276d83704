package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"chiltepin/globus/next"
	"chiltepin/globus/runtime/internal/venv"
)

// InstallError says that building the environment failed.
type InstallError struct {
	// Err is how the program that failed ended.
	Err error
	// Lines are the last that it printed, passwords left out.
	Lines []string
	// Log is the file with everything that was printed.
	Log string
	// Cause is what the lines say, where that is known.
	Cause Cause
}

// Cause is why an installation failed.
type Cause string

// The causes that are told apart.
const (
	CauseUnknown  Cause = ""
	CauseRegistry Cause = "the package registry cannot be reached"
	CauseHash     Cause = "a package is not the one that was locked"
	CauseMissing  Cause = "the package registry does not have a package"
	CauseDisk     Cause = "the disk is full"
	CauseCompiler Cause = "a package has no ready-made file for this machine and could not be compiled"
)

func (e *InstallError) Error() string {
	if e.Cause == CauseUnknown {
		return e.Err.Error()
	}
	return fmt.Sprintf("%s: %v", e.Cause, e.Err)
}

func (e *InstallError) Unwrap() error { return e.Err }

// Next says what to do.
func (e *InstallError) Next() []next.Step {
	again := next.Call(next.RuntimeInstall, nil, "try again")
	printed := "everything that was printed is in " + e.Log
	switch e.Cause {
	case CauseRegistry:
		return []next.Step{next.Do("make sure that `python3 -m pip download pip` works here (pip's index and proxy, the network)"), again}
	case CauseHash:
		return []next.Step{next.Do("the registry or a cache on the way changed a file: use another registry (pip's index), or clear the cache (pip cache purge); " + printed), again}
	case CauseMissing:
		return []next.Step{next.Do("use a registry that mirrors all of it (pip's index); " + printed), again}
	case CauseDisk:
		return []next.Step{next.Do("free 300 MB there, or set XDG_DATA_HOME to another disk"), again}
	case CauseCompiler:
		return []next.Step{next.Call(next.RuntimeInstall, next.Args{"python": "python3.12"}, "build on another Python"), next.Do("install a C compiler; " + printed)}
	}
	return []next.Step{next.Do("read what was printed, in " + e.Log)}
}

// wrapInstallError makes an *InstallError of the failure of a build, unless it says
// itself what to do next or was asked for by ctx.
func wrapInstallError(ctx context.Context, err error, log string) error {
	var python *NoPythonError
	if ctx.Err() != nil || errors.As(err, &python) {
		return err
	}
	failed := new(venv.CommandError)
	errors.As(err, &failed)
	return &InstallError{Err: err, Lines: failed.Tail, Log: log, Cause: findCause(failed.Tail)}
}

// findCause reads the words of pip and uv. The order is from the certain to the
// consequence: an unreachable registry also has no matching distribution.
func findCause(lines []string) Cause {
	text := strings.ToLower(strings.Join(lines, "\n"))
	for _, sign := range []struct {
		cause Cause
		words []string
	}{
		{CauseDisk, []string{"no space left on device", "disk quota exceeded"}},
		{CauseHash, []string{"do not match the hashes", "hash mismatch"}},
		{CauseRegistry, []string{"connection broken by", "failed to establish a new connection", "name resolution", "could not fetch url", "network is unreachable",
			"connection refused", "connection reset", "timed out", "max retries exceeded", "proxyerror", "sslerror", "certificate verify failed", "error sending request", "failed to fetch"}},
		{CauseCompiler, []string{"failed building wheel", "failed to build", "error: metadata-generation-failed", "build backend"}},
		{CauseMissing, []string{"no matching distribution found", "no solution found", "not found in the package registry"}},
	} {
		for _, words := range sign.words {
			if strings.Contains(text, words) {
				return sign.cause
			}
		}
	}
	return CauseUnknown
}
