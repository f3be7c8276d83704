package endpoint

import (
	"context"
	"errors"

	"chiltepin/endpointfs"
	"chiltepin/globus/compute"
	"chiltepin/globus/daemon"
	"chiltepin/globus/process"
	"chiltepin/globus/runtime"
)

// Manager manages the endpoints of one configuration directory. Its fields are
// set before its first use; its methods may be called from any goroutine, and
// one operation at a time changes an endpoint, whatever the process that asked.
type Manager struct {
	// Dir is the configuration directory. Its path is absolute.
	Dir *endpointfs.Dir
	// Runtime finds the globus-compute-endpoint to launch.
	Runtime func(context.Context) (runtime.Runtime, error)
	// RuntimeBin is the directory in which a runtime will be once it is
	// installed; an endpoint that is configured before has it in its PATH.
	RuntimeBin string
	// Service connects to the Globus Compute service; it fails, without
	// asking anybody, when nobody is logged in. Nil is a service that is never
	// asked: status then leaves it out, and delete is possible only with
	// LocalOnly.
	Service func(context.Context) (Service, error)
	// ChildEnv returns NAME=VALUE that the daemon must be given on top of
	// Environ; nil is none.
	ChildEnv func(context.Context) ([]string, error)
	// Environ is the environment of the caller.
	Environ []string
	// Procs are the processes; nil is those of this machine.
	Procs process.Table
	// Host and BootID name the machine; empty is this one.
	Host, BootID string
	// Version is that of chiltepin, for the record of a launch.
	Version string
	// Privileged says whether the daemon will believe that it may serve many
	// users, and so demand an address; nil asks the kernel.
	Privileged func() bool
}

// Service is what is asked of the Globus Compute service.
type Service interface {
	// Status says whether the service has heard from an endpoint lately.
	Status(ctx context.Context, id string) (compute.Availability, error)
	// Delete ends a registration.
	Delete(ctx context.Context, id string) error
	// List tells the registrations for which the caller has the role.
	List(ctx context.Context, role string) ([]compute.Summary, error)
	// Metadata tells what was registered about an endpoint.
	Metadata(ctx context.Context, id string) (compute.Metadata, error)
}

func (m *Manager) processTable() process.Table {
	if m.Procs != nil {
		return m.Procs
	}
	return process.System{}
}

func (m *Manager) thisMachine() process.Machine {
	here := process.ThisMachine()
	if m.Host != "" {
		here.Host = m.Host
	}
	if m.BootID != "" {
		here.BootID = m.BootID
	}
	return here
}

// machineFacts is what is the same for every endpoint that is looked at in one go.
type machineFacts struct {
	here process.Machine
	// soleUser is true when nobody else can touch what is on a local disk. It
	// is believed of a machine only as long as that is not an assumed one.
	soleUser bool
}

func (m *Manager) readMachineFacts() *machineFacts {
	return &machineFacts{here: m.thisMachine(), soleUser: m.Procs == nil && process.SoleUserOfDisks()}
}

func (m *Manager) isPrivileged() bool {
	if m.Privileged != nil {
		return m.Privileged()
	}
	return daemon.IsPrivileged()
}

// connectService connects to the service. A nil Service is an error.
func (m *Manager) connectService(ctx context.Context) (Service, error) {
	if m.Service == nil {
		return nil, errors.New("no connection to the Globus Compute service is set up")
	}
	return m.Service(ctx)
}
