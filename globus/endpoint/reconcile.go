package endpoint

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"chiltepin/globus"
	"chiltepin/globus/compute"
	"chiltepin/globus/daemon"
)

// Discrepancy is what is odd about an endpoint when the directory and the service
// are held side by side.
type Discrepancy string

// The findings.
const (
	// Orphaned: registered from this configuration directory, according to its
	// journal, or else from this machine; not online; and no directory here has
	// it, as Python Chiltepin's delete leaves it. The endpoint may have been
	// moved to another configuration directory.
	Orphaned Discrepancy = "orphaned"
	// Ghost: the service calls it online, and no daemon of it is seen where it
	// should be.
	Ghost Discrepancy = "ghost"
	// Gone: a directory has the UUID, and the service does not know it.
	Gone Discrepancy = "gone"
	// Foreign: a directory has the UUID, and another identity registered it.
	Foreign Discrepancy = "foreign"
	// Elsewhere: it belongs to another machine.
	Elsewhere Discrepancy = "elsewhere"
	// SameName: another registration of the caller has the same name.
	SameName Discrepancy = "same_name"
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
	Findings   []Discrepancy
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
	service, err := m.connectService(ctx)
	if err != nil {
		return nil, err
	}
	listed, err := service.List(ctx, "owner")
	if err != nil {
		return nil, fmt.Errorf("listing the registrations: %w", err)
	}
	pairs := pairUp(local, listed)
	o, err := m.gatherOrigin(ctx, local)
	if err != nil {
		return nil, err
	}
	var all sync.WaitGroup
	next := make(chan *Pair)
	for range surveyWorkers {
		all.Go(func() {
			for p := range next {
				p.askService(ctx, service)
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
		pairs[i].judgeRegistration(o)
		if r := pairs[i].Registered; r != nil && counts[r.Name] > 1 {
			pairs[i].addFinding(SameName, fmt.Sprintf("%d registrations have this name", counts[r.Name]))
		}
	}
	return pairs, nil
}

// pairUp puts together what has the same id. User endpoints that the service
// lists belong to their endpoints and are left out.
func pairUp(local []Status, listed []compute.Summary) []Pair {
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
		if daemon.IsUserEndpointName(s.Name) {
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

// askService asks the service what the list does not tell.
func (p *Pair) askService(ctx context.Context, service Service) {
	st, err := service.Status(ctx, p.ID)
	r := p.Registered
	if r == nil {
		// It has a directory and is not listed: gone, or somebody else's.
		switch {
		case globus.IsNotFound(err):
			p.addFinding(Gone, "the service does not know this UUID: its registration was deleted")
			return
		case err != nil:
			p.Why = "the service could not be asked: " + err.Error()
			return
		}
		r = &Registration{}
		p.Registered = r
		p.addFinding(Foreign, "another identity registered it")
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

func (p *Pair) addFinding(f Discrepancy, why string) {
	p.Findings = append(p.Findings, f)
	if p.Why != "" {
		p.Why += "; "
	}
	p.Why += why
}

// judgeRegistration says what is odd, once everything was asked.
func (p *Pair) judgeRegistration(o registrationOrigin) {
	r := p.Registered
	from := ""
	if r != nil {
		from = o.placeOf(p.ID, r.Host)
	}
	switch {
	case r == nil:
	case r.Problem != nil:
		p.Why = "the service could not be asked: " + r.Problem.Error()
	case p.Local != nil:
		s := p.Local
		switch {
		case s.State == Running && s.Host != "":
			p.addFinding(Elsewhere, "it runs on "+s.Host)
		case r.Online && (s.State == Stopped || s.State == Disconnected || s.State == Initialized):
			p.addFinding(Ghost, "the service calls it online, and no daemon of it runs here: it has just ended, or another machine has a copy of its directory")
		}
	case from != "" && r.Online:
		p.addFinding(Ghost, "the service calls it online, it was registered from "+from+", and no directory here has it: it runs from another configuration directory, or its directory was removed under it")
	case o.possibleOwner(p.ID, r.Name) != "":
		p.Why = o.possibleOwner(p.ID, r.Name)
	case from != "":
		p.addFinding(Orphaned, "it was registered from "+from+", and no directory here has it any more")
	case r.Host == "" || isLocalhost(r.Host):
		p.Why = "the service does not say which machine registered it"
	case r.Online:
		p.addFinding(Elsewhere, "it runs on "+r.Host)
	default:
		p.addFinding(Elsewhere, "it was registered from "+r.Host)
	}
}
