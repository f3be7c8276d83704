package endpoint

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
	"chiltepin/globus/runtime"
)

// launchPrerequisites finds what a launch needs: a login, a runtime that suits
// the endpoint, an environment.
func (op *operation) launchPrerequisites(ctx context.Context) (rt runtime.Runtime, env []string, err error) {
	if op.m.Service != nil {
		_, err = op.m.Service(ctx)
	}
	if err == nil {
		rt, err = op.m.Runtime(ctx)
	}
	if err == nil {
		env, err = op.m.daemonEnvironment(ctx, rt)
	}
	if err != nil {
		return rt, nil, op.wrap(err)
	}
	return rt, env, op.checkRuntime(rt)
}

// checkFiles is everything that can be checked before anything is launched.
func (op *operation) checkFiles() error {
	if problems := op.ep.Validate(); len(problems) > 0 {
		return &CheckError{Name: op.ep.Name(), Problems: problems}
	}
	if uid, ok := op.ep.Owner(); ok && os.Geteuid() == 0 && uid != 0 {
		owner := strconv.Itoa(uid)
		if u, err := user.LookupId(owner); err == nil {
			owner = u.Username
		}
		return &OwnerError{Name: op.ep.Name(), Owner: owner}
	}
	if err := op.ep.Writable(); err != nil {
		return op.wrap(fmt.Errorf("nothing was launched: %w", err))
	}
	return nil
}

// checkRuntime checks what depends on the runtime: the options that its release
// knows, the address that it demands of root, and that user endpoints will
// find its programs.
func (op *operation) checkRuntime(rt runtime.Runtime) error {
	if problems := op.ep.ValidateFor(rt.Version); len(problems) > 0 {
		return &CheckError{Name: op.ep.Name(), Problems: problems}
	}
	c, err := op.ep.Config()
	if err != nil {
		return &CheckError{Name: op.ep.Name(), Problems: []error{err}}
	}
	if !c.Python && c.Email == "" && op.m.isPrivileged() && endpointfs.TakesEmail(rt.Version) {
		return &EmailError{Name: op.ep.Name(), File: filepath.Join(op.ep.Path(), daemon.ConfigFile)}
	}
	path, err := op.ep.UserPath()
	if err != nil {
		return &CheckError{Name: op.ep.Name(), Problems: []error{err}}
	}
	if path != "" && !leadsTo(path, daemon.Program) {
		return &CheckError{Name: op.ep.Name(), Problems: []error{&endpointfs.FormatError{File: op.ep.EnvironmentFile(),
			Problem: "its PATH does not lead to " + daemon.Program + ", which every user endpoint runs by name",
			Remedy:  "put " + rt.Bin + " first in PATH there"}}}
	}
	return nil
}

// leadsTo says whether a directory of path has a program that can be run.
func leadsTo(path, program string) bool {
	for _, dir := range filepath.SplitList(path) {
		if info, err := os.Stat(filepath.Join(dir, program)); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return true
		}
	}
	return false
}

// LeadsTo says whether a directory of the PATH has the daemon's program, and
// returns where.
func LeadsTo(path string) (string, bool) {
	for _, dir := range filepath.SplitList(path) {
		if leadsTo(dir, daemon.Program) {
			return filepath.Join(dir, daemon.Program), true
		}
	}
	return "", false
}
