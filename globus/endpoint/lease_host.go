package endpoint

import (
	"fmt"
	"io/fs"

	"chiltepin/endpointfs"
	"chiltepin/globus/process"
)

// configDir is the configuration directory, as one on this machine sees it.
func (m *Manager) configDir() *endpointfs.Dir { return m.Dir.On(leaseHost{m}) }

// leaseHost tells about this machine what a lease needs to know.
type leaseHost struct{ m *Manager }

// Boot is the boot id.
func (l leaseHost) Boot() string { return l.m.thisMachine().BootID }

// Started returns when a process started, and 0 for one that is not. Where
// /proc hides the processes of others, only the kernel knows that one is not.
func (l leaseHost) Started(pid int) (uint64, error) {
	p, ok, err := l.m.processTable().Lookup(pid)
	if err != nil || ok {
		return p.StartTime, err
	}
	if process.IsForeign(pid) {
		return 0, fmt.Errorf("looking at process %d: %w", pid, fs.ErrPermission)
	}
	return 0, nil
}
