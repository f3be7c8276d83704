package endpoint

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
)

// ConfigureOptions are what a new endpoint may be given.
type ConfigureOptions struct {
	// DisplayName is what the service shows; empty is the endpoint's name.
	DisplayName string
	// Email is the contact that the daemon demands of a privileged endpoint.
	Email string
	// Defaults are for options that a task leaves out or empty.
	Defaults endpointfs.TemplateDefaults
}

// Configuration is a freshly written endpoint.
type Configuration struct {
	Name string
	Path string
	// Files are the names of the files in it, sorted.
	Files []string
	// Next is what is missing before it can start.
	Next []next.Step
}

// Configure writes the directory of a new endpoint, whole or not at all. It
// needs no network, no login and no Python; where there is a runtime, its
// programs come first in the PATH of user endpoints.
func (m *Manager) Configure(ctx context.Context, name string, o ConfigureOptions) (Configuration, error) {
	if err := endpointfs.CheckNewName(name); err != nil {
		return Configuration{}, err
	}
	return m.newOperation(name, "configuring", 0).configure(ctx, o)
}

// configure does the work of Configure. It takes no lock: the directory comes
// into being in one step, and nothing is signalled, launched or removed.
func (op *operation) configure(ctx context.Context, o ConfigureOptions) (Configuration, error) {
	m := op.m
	bin, found := m.RuntimeBin, false
	if m.Runtime != nil {
		if rt, err := m.Runtime(ctx); err == nil {
			bin, found = rt.Bin, true
		}
	}
	path, err := loginPath(ctx, bin)
	if err != nil {
		return Configuration{}, op.wrap(err)
	}
	files := endpointfs.NewEndpoint{DisplayName: o.DisplayName, Email: o.Email, Path: path, Defaults: o.Defaults}
	if m.isPrivileged() {
		files.UserDir = m.Dir.Path()
	}
	ep, err := m.Dir.Configure(op.endpoint, files)
	if err != nil {
		return Configuration{}, err
	}
	c := Configuration{Name: ep.Name(), Path: ep.Path()}
	err = filepath.WalkDir(ep.Path(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			c.Files = append(c.Files, d.Name())
		}
		return err
	})
	if err != nil {
		return c, op.wrap(fmt.Errorf("listing what was written: %w", err))
	}
	slices.Sort(c.Files)
	if !found {
		c.Next = append(c.Next, next.Call(next.RuntimeInstall, nil, "install "+daemon.Program+", which was not found"))
	}
	if o.Email == "" && m.isPrivileged() {
		c.Next = append(c.Next, (&EmailError{Name: op.endpoint, File: filepath.Join(ep.Path(), daemon.ConfigFile)}).Next()...)
	}
	return c, nil
}
