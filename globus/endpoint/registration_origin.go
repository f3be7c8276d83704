package endpoint

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// registrationOrigin is by what a registration is known to have come from here.
type registrationOrigin struct {
	// names are those of this machine.
	names []string
	// journal has the ids that were ever at work in this directory.
	journal map[string]bool
	// kept are the ids of directories, by which a registration is nobody's
	// orphan although no endpoint is listed for it, and unreadable the
	// directories that may have any id.
	kept       map[string]string
	unreadable []string
	// unregistered are the names of endpoints without a UUID. A daemon writes
	// it down a moment after it has registered.
	unregistered map[string]bool
}

// gatherOrigin gathers what is known.
func (m *Manager) gatherOrigin(ctx context.Context, local []Status) (registrationOrigin, error) {
	o := registrationOrigin{names: m.hostNames(ctx), journal: m.readJournaledIDs(ctx), unregistered: map[string]bool{}}
	for _, s := range local {
		if s.ID == "" {
			o.unregistered[s.Name] = true
		}
	}
	var err error
	o.kept, o.unreadable, err = m.Dir.IDs()
	return o, err
}

// possibleOwner says whose a registration may be, "" for nobody's.
func (o registrationOrigin) possibleOwner(id, name string) string {
	if o.unregistered[name] {
		return fmt.Sprintf("it may be that of the endpoint %q, which has no UUID yet: its first start may be under way", name)
	}
	if name := o.kept[strings.ToLower(id)]; name != "" {
		return fmt.Sprintf("the directory %q has its UUID, and lacks other files of an endpoint", name)
	}
	if len(o.unreadable) > 0 {
		return fmt.Sprintf("it may belong to the endpoint %q, whose UUID cannot be read", o.unreadable[0])
	}
	return ""
}

// placeOf says from where of here a registration came, or "".
func (o registrationOrigin) placeOf(id, host string) string {
	switch {
	case o.journal[strings.ToLower(id)]:
		return "this configuration directory"
	case slices.ContainsFunc(o.names, func(name string) bool { return strings.EqualFold(name, host) }):
		return "this machine"
	}
	return ""
}

// readJournaledIDs returns the ids of the endpoints in the directory's journal. A
// journal that cannot be read knows none.
func (m *Manager) readJournaledIDs(ctx context.Context) map[string]bool {
	known := map[string]bool{}
	page, err := m.Dir.Journal().Read(ctx)
	if err != nil {
		return known
	}
	for _, e := range page.Entries {
		if e.ID != "" {
			known[strings.ToLower(e.ID)] = true
		}
	}
	return known
}

// isLocalhost is true for a name that every machine has.
func isLocalhost(host string) bool {
	return strings.EqualFold(host, "localhost") || strings.HasPrefix(strings.ToLower(host), "localhost.")
}

// lookupTimeout is how long the machine's full name is looked for.
const lookupTimeout = 2 * time.Second

// hostNames are the names under which a daemon of this machine registers:
// socket.getfqdn of Python, which is the host name where nobody knows a longer
// one. A name that merely begins the same is another machine's.
func (m *Manager) hostNames(ctx context.Context) (names []string) {
	host := m.thisMachine().Host
	names = []string{host}
	if m.Host != "" || host == "" {
		return names
	}
	defer func() { names = slices.DeleteFunc(names, isLocalhost) }()
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return names
	}
	for _, a := range addresses {
		found, err := net.DefaultResolver.LookupAddr(ctx, a)
		if err != nil {
			continue
		}
		for _, name := range found {
			names = append(names, strings.TrimSuffix(name, "."))
		}
	}
	return names
}
