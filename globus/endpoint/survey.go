package endpoint

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus"
	"chiltepin/globus/compute"
)

// Finding is what is odd about an endpoint when the directory and the service
// are held side by side.
type Finding string

// The findings.
const (
	// Orphaned: registered from this configuration directory, according to its
	// journal, or else from this machine; not online; and no directory here has
	// it, as Python Chiltepin's delete leaves it. The endpoint may have been
	// moved to another configuration directory.
	Orphaned Finding = "orphaned"
	// Ghost: the service calls it online, and no daemon of it is seen where it
	// should be.
	Ghost Finding = "ghost"
	// Gone: a directory has the UUID, and the service does not know it.
	Gone Finding = "gone"
	// Foreign: a directory has the UUID, and another identity registered it.
	Foreign Finding = "foreign"
	// Elsewhere: it belongs to another machine.
	Elsewhere Finding = "elsewhere"
	// SameName: another registration of the caller has the same name.
	SameName Finding = "same_name"
)

// Pair is an endpoint as the directory and the service have it.
type Pair struct {
	// Name is that of the directory, or else that of the registration.
	Name string
	ID   string
	// Local is nil when no directory has it.
	Local *Status
	// Registered is nil when the service does not list it.
	Registered *Registration
	Findings   []Finding
	// Why tells the findings in a sentence; empty when there are none.
	Why string
}

// Registration is what the service says about an endpoint.
type Registration struct {
	Name, DisplayName string
	// Host is the machine that last registered it, as that machine calls
	// itself; empty when the service does not say.
	Host string
	// Word is "online" or "offline"; empty when there is a Problem.
	Word    string
	Online  bool
	Problem error
}

// surveyWorkers is how many questions are put to the service at once.
const surveyWorkers = 4

// Survey returns the endpoints of the directory and the registrations of
// whoever is logged in, side by side: first those that have a directory, by
// name, then the others. The service is asked; its failure is an error, for
// half an answer would call everything odd.
func (m *Manager) Survey(ctx context.Context) ([]Pair, error) {
	local, err := m.List(ctx)
	if err != nil {
		return nil, err
	}
	service, err := m.service(ctx)
	if err != nil {
		return nil, err
	}
	listed, err := service.List(ctx, "owner")
	if err != nil {
		return nil, fmt.Errorf("listing the registrations: %w", err)
	}
	pairs := pair(local, listed)
	o := origin{names: m.hostNames(ctx), journal: m.journaled(ctx)}
	var all sync.WaitGroup
	next := make(chan *Pair)
	for range surveyWorkers {
		all.Go(func() {
			for p := range next {
				p.ask(ctx, service)
			}
		})
	}
	for i := range pairs {
		if pairs[i].ID != "" {
			next <- &pairs[i]
		}
	}
	close(next)
	all.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, p := range pairs {
		if p.Registered != nil {
			counts[p.Registered.Name]++
		}
	}
	for i := range pairs {
		pairs[i].judge(o)
		if r := pairs[i].Registered; r != nil && counts[r.Name] > 1 {
			pairs[i].find(SameName, fmt.Sprintf("%d registrations have this name", counts[r.Name]))
		}
	}
	return pairs, nil
}

// pair puts together what has the same id. User endpoints that the service
// lists belong to their endpoints and are left out.
func pair(local []Status, listed []compute.Summary) []Pair {
	var pairs []Pair
	at := map[string][]int{}
	for i := range local {
		id := strings.ToLower(local[i].ID)
		at[id] = append(at[id], len(pairs))
		pairs = append(pairs, Pair{Name: local[i].Name, ID: local[i].ID, Local: &local[i]})
	}
	slices.SortFunc(listed, func(a, b compute.Summary) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	for _, s := range listed {
		if strings.HasPrefix(s.Name, "uep.") {
			continue
		}
		r := Registration{Name: s.Name, DisplayName: s.DisplayName}
		here := at[strings.ToLower(s.ID)]
		for _, i := range here {
			copied := r
			pairs[i].Registered = &copied
		}
		if len(here) == 0 {
			pairs = append(pairs, Pair{Name: s.Name, ID: s.ID, Registered: &r})
		}
	}
	return pairs
}

// ask asks the service what the list does not tell.
func (p *Pair) ask(ctx context.Context, service Service) {
	st, err := service.Status(ctx, p.ID)
	r := p.Registered
	if r == nil {
		// It has a directory and is not listed: gone, or somebody else's.
		switch {
		case globus.IsNotFound(err):
			p.find(Gone, "the service does not know this UUID: its registration was deleted")
			return
		case err != nil:
			p.Why = "the service could not be asked: " + err.Error()
			return
		}
		r = &Registration{}
		p.Registered = r
		p.find(Foreign, "another identity registered it")
	}
	if err != nil {
		r.Problem = err
		return
	}
	r.Word, r.Online = st.Word, st.Online
	if meta, err := service.Metadata(ctx, p.ID); err == nil {
		r.Host = meta.Hostname
		r.Name = cmp.Or(r.Name, meta.Name)
	} else if p.Local == nil {
		r.Problem = err
	}
}

func (p *Pair) find(f Finding, why string) {
	p.Findings = append(p.Findings, f)
	if p.Why != "" {
		p.Why += "; "
	}
	p.Why += why
}

// origin is by what a registration is known to have come from here.
type origin struct {
	// names are those of this machine.
	names []string
	// journal has the ids that were ever at work in this directory.
	journal map[string]bool
}

// of says from where of here a registration came, or "".
func (o origin) of(id, host string) string {
	switch {
	case o.journal[strings.ToLower(id)]:
		return "this configuration directory"
	case slices.ContainsFunc(o.names, func(name string) bool { return strings.EqualFold(name, host) }):
		return "this machine"
	}
	return ""
}

// journaled returns the ids of the endpoints in the directory's journal. A
// journal that cannot be read knows none.
func (m *Manager) journaled(ctx context.Context) map[string]bool {
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

// judge says what is odd, once everything was asked.
func (p *Pair) judge(o origin) {
	r := p.Registered
	from := ""
	if r != nil {
		from = o.of(p.ID, r.Host)
	}
	switch {
	case r == nil:
	case r.Problem != nil:
		p.Why = "the service could not be asked: " + r.Problem.Error()
	case p.Local != nil:
		s := p.Local
		switch {
		case s.State == Running && s.Host != "":
			p.find(Elsewhere, "it runs on "+s.Host)
		case r.Online && (s.State == Stopped || s.State == Disconnected || s.State == Initialized):
			p.find(Ghost, "the service calls it online, and no daemon of it runs here: it has just ended, or another machine has a copy of its directory")
		}
	case from != "" && r.Online:
		p.find(Ghost, "the service calls it online, it was registered from "+from+", and no directory here has it: it runs from another configuration directory, or its directory was removed under it")
	case from != "":
		p.find(Orphaned, "it was registered from "+from+", and no directory here has it any more")
	case r.Host == "" || namesNobody(r.Host):
		p.Why = "the service does not say which machine registered it"
	case r.Online:
		p.find(Elsewhere, "it runs on "+r.Host)
	default:
		p.find(Elsewhere, "it was registered from "+r.Host)
	}
}

// namesNobody is true for a name that every machine has.
func namesNobody(host string) bool {
	return strings.EqualFold(host, "localhost") || strings.HasPrefix(strings.ToLower(host), "localhost.")
}

// lookupTimeout is how long the machine's full name is looked for.
const lookupTimeout = 2 * time.Second

// hostNames are the names under which a daemon of this machine registers:
// socket.getfqdn of Python, which is the host name where nobody knows a longer
// one. A name that merely begins the same is another machine's.
func (m *Manager) hostNames(ctx context.Context) (names []string) {
	host := m.here().Host
	names = []string{host}
	if m.Host != "" || host == "" {
		return names
	}
	defer func() { names = slices.DeleteFunc(names, namesNobody) }()
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

// UserLeftovers returns the directories of user endpoints whose endpoint is
// not in the configuration directory any more, and why those among them must
// stay. Where an endpoint's UUID cannot be read nothing is a leftover.
func (m *Manager) UserLeftovers() (removable []endpointfs.UserEndpoint, kept map[string]string, err error) {
	eps, err := m.Dir.Endpoints()
	if err != nil {
		return nil, nil, err
	}
	owned := map[string]bool{}
	for _, ep := range eps {
		id, err := ep.ID()
		if err != nil {
			return nil, nil, fmt.Errorf("looking for what user endpoints left: %w", err)
		}
		owned[strings.ToLower(id)] = true
		if r, ok, err := ep.ReadSidecar(); err == nil && ok {
			owned[strings.ToLower(r.ID)] = true
		}
	}
	all, err := m.Dir.UserEndpoints("")
	if err != nil {
		return nil, nil, err
	}
	procs, err := m.procs().Candidates()
	if err != nil {
		return nil, nil, err
	}
	kept = map[string]string{}
	for _, u := range all {
		if owned[strings.ToLower(u.Parent)] {
			continue
		}
		i := slices.IndexFunc(procs, func(p Process) bool {
			t, titled := parseTitle(p.Title())
			return titled && !t.Core && strings.EqualFold(t.ID, u.ID) || m.procs().Place(p, u.Path()) == Inside
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
