package pool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"chiltepin/endpointfs"
	"chiltepin/globus"
	"chiltepin/globus/compute"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/next"
	"chiltepin/globus/pool/scheduler"
	"chiltepin/globus/runtime"
)

// Manager does what can be done with the pools of a file and the endpoints of
// one configuration directory. Its fields are set before its first use; its
// methods may be called from any goroutine.
type Manager struct {
	// Endpoints are the local endpoints.
	Endpoints *endpoint.Manager
	// Service connects to the Globus Compute service; it fails at once
	// when nobody is logged in. Nil is no service.
	Service func(context.Context) (*compute.Client, error)
	// Runtime finds the Python side, whose renderer is the daemon's own.
	Runtime func(context.Context) (runtime.Runtime, error)
	// Environ is the environment of programs that are run.
	Environ []string
	// Schedulers are the providers that a pool can name; nil is
	// [scheduler.All].
	Schedulers scheduler.List
}

func (m *Manager) schedulers() scheduler.List {
	if m.Schedulers == nil {
		return scheduler.All()
	}
	return m.Schedulers
}

// commands runs the programs of a scheduler in the environment of the caller.
func (m *Manager) commands() scheduler.Commands { return scheduler.Commands{Environ: m.Environ} }

// Detect looks for a batch scheduler on this machine. It changes nothing. The
// error is that of ctx.
func (m *Manager) Detect(ctx context.Context) (scheduler.Detection, error) {
	return m.schedulers().Detect(ctx, m.commands())
}

// maxFile bounds a configuration; what people write is far smaller.
const maxFile = 4 << 20

// FileError is a configuration that cannot be read, or a pool that is not in
// it.
type FileError struct {
	Path, Problem string
	Steps         []next.Step
	Err           error
}

// Error names the file and the problem.
func (e *FileError) Error() string { return fmt.Sprintf("reading %s: %s", e.Path, e.Problem) }

// Next is what to do.
func (e *FileError) Next() []next.Step { return e.Steps }

// Unwrap returns the cause, if there is one.
func (e *FileError) Unwrap() error { return e.Err }

// Read reads a configuration. It never waits: what is no regular file, or too
// large to be one that somebody wrote, is a *[FileError], and so is one that
// is not there.
func Read(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &FileError{Path: path, Problem: "there is no such file", Steps: doOnly("name the Chiltepin configuration, such as pools.yaml"), Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, &FileError{Path: path, Problem: "it is not a regular file", Steps: doOnly("name the Chiltepin configuration, such as pools.yaml")}
	case info.Size() > maxFile:
		return nil, &FileError{Path: path, Problem: fmt.Sprintf("it has %d bytes, and at most %d are read", info.Size(), maxFile), Steps: doOnly("name the Chiltepin configuration, such as pools.yaml")}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return data, nil
}

// CheckOptions say how closely to look.
type CheckOptions struct {
	// Offline leaves the service alone.
	Offline bool
}

// Check checks a configuration, and asks about its endpoints.
func (m *Manager) Check(ctx context.Context, data []byte, o CheckOptions) (Report, error) {
	return Checker{
		Schedulers: m.schedulers(),
		Endpoint:   func(ctx context.Context, id string) EndpointLookup { return m.lookUpEndpoint(ctx, id, o.Offline) },
		LocalID:    m.localID,
	}.Check(ctx, data)
}

func (m *Manager) localID(_ context.Context, name string) string {
	ep, err := m.Endpoints.Dir.Endpoint(name)
	if err != nil {
		return ""
	}
	id, err := ep.ID()
	if err != nil {
		return ""
	}
	return id
}

// serviceTimeout is how long one question to the service may take.
const serviceTimeout = 10 * time.Second

// lookUpEndpoint finds out about an endpoint: here first, else at the service.
func (m *Manager) lookUpEndpoint(ctx context.Context, id string, offline bool) EndpointLookup {
	t := EndpointLookup{ID: id}
	ep, err := m.Endpoints.Dir.Endpoint(id)
	if err == nil {
		m.lookUpLocal(ctx, &t, ep)
		return t
	}
	if _, absent := errors.AsType[*endpointfs.NotFoundError](err); !absent {
		t.Problem = err
		return t
	}
	if offline || m.Service == nil {
		t.Problem = errors.New("it is not in this configuration directory, and the service was not asked")
		return t
	}
	ctx, cancel := context.WithTimeout(ctx, serviceTimeout)
	defer cancel()
	m.askService(ctx, &t)
	return t
}

func (m *Manager) lookUpLocal(ctx context.Context, t *EndpointLookup, ep *endpointfs.Endpoint) {
	t.Name, t.Here = ep.Name(), true
	st, err := m.Endpoints.Status(ctx, ep.Name(), endpoint.StatusOptions{Offline: true})
	if err != nil {
		t.Problem = err
		return
	}
	t.State, t.Reason = string(st.State), st.Reason
	switch st.State {
	case endpoint.Running:
		t.Up = 1
	case endpoint.Initialized, endpoint.Stopped, endpoint.Disconnected, endpoint.Stopping:
		t.Up = -1
	}
	t.Files = ep.Validate()
	t.Template, t.TemplateFile, _ = ep.Template() // Check has reported it
	t.Schema, t.SchemaFile, _ = ep.Schema()
}

func (m *Manager) askService(ctx context.Context, t *EndpointLookup) {
	client, err := m.Service(ctx)
	if err != nil {
		t.Problem = err
		return
	}
	st, err := client.Status(ctx, t.ID)
	switch {
	case globus.IsNotFound(err):
		t.Missing = true
		return
	case globus.IsForbidden(err):
		t.Problem = errors.New("it belongs to somebody else")
		return
	case err != nil:
		t.Problem = err
		return
	}
	t.State, t.Up = st.Word, -1
	if st.Online {
		t.Up = 1
	}
	meta, err := client.Metadata(ctx, t.ID)
	if err != nil {
		return // its status is known, and that is most of it
	}
	t.Name = strings.TrimSpace(cmp.Or(meta.DisplayName, meta.Name))
	t.Template, t.Schema = meta.Template(), meta.Schema()
}
