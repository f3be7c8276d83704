package endpoint

import (
	"fmt"
	"slices"
	"strings"

	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
	"chiltepin/globus/process"
)

// UserLeftovers returns the directories of user endpoints whose endpoint is
// not in the configuration directory any more, and why those among them must
// stay. Where an endpoint's UUID cannot be read nothing is a leftover.
func (m *Manager) UserLeftovers() (removable []endpointfs.UserEndpointDir, kept map[string]string, err error) {
	owned, unreadable, err := m.Dir.IDs()
	if err != nil {
		return nil, nil, err
	}
	if len(unreadable) > 0 {
		return nil, nil, fmt.Errorf("finding leftover directories: the UUID of endpoint %q is unreadable, so its user endpoint directories cannot be identified", unreadable[0])
	}
	all, err := m.Dir.UserEndpoints("")
	if err != nil {
		return nil, nil, err
	}
	procs, err := m.processTable().Select(daemon.MayBeDaemon)
	if err != nil {
		return nil, nil, err
	}
	kept = map[string]string{}
	for _, u := range all {
		if owned[strings.ToLower(u.Parent)] != "" {
			continue
		}
		i := slices.IndexFunc(procs, func(p process.Process) bool {
			t, titled := daemon.ParseTitle(p.Title())
			return titled && !t.Core && strings.EqualFold(t.ID, u.ID) || m.processTable().Presence(p, u.Path(), daemon.LogFile) == process.Inside
		})
		results, err := u.Unsent()
		switch {
		case i >= 0:
			kept[u.Path()] = fmt.Sprintf("process %d works in it", procs[i].PID)
		case err != nil:
			kept[u.Path()] = err.Error()
		case results > 0:
			kept[u.Path()] = fmt.Sprintf("it holds %d results that were never sent", results)
		default:
			removable = append(removable, u)
		}
	}
	return removable, kept, nil
}
