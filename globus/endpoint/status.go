package endpoint

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
)

// StatusOptions say how closely to look.
type StatusOptions struct {
	// Offline leaves the service alone.
	Offline bool
	// Watch allows watching daemon.pid for up to 17 seconds when the state is
	// Unknown otherwise.
	Watch bool
}

// serviceTimeout is how long status waits for the service.
const serviceTimeout = 10 * time.Second

// List returns the status of every endpoint, sorted by name, without the log's
// marker, the service's view and user endpoints. It does not wait for anything.
func (m *Manager) List(ctx context.Context) ([]Status, error) {
	all, err := m.Dir.Endpoints()
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, nil
	}
	g := lookOptions{Listed: true, Scene: m.readMachineFacts()}
	if g.Seen, err = m.processTable().Select(daemon.MayBeDaemon); err != nil {
		return nil, err
	}
	// Nearly all of the time goes into small system calls, on a shared file
	// system into waiting for them, so several are under way at once.
	list, errs := make([]Status, len(all)), make([]error, len(all))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(listWorkers, len(all)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(all) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				var e Evidence
				if e, errs[i] = m.gatherEvidence(all[i], g); errs[i] == nil {
					list[i] = makeStatus(all[i], e, judgeEvidence(e))
				}
			}
		})
	}
	workers.Wait()
	if err := errors.Join(ctx.Err(), errors.Join(errs...)); err != nil {
		return nil, err
	}
	return list, nil
}

// listWorkers is how many endpoints List looks at at once.
const listWorkers = 4

// Status returns what is true about one endpoint, by name or UUID.
func (m *Manager) Status(ctx context.Context, name string, o StatusOptions) (Status, error) {
	ep, err := m.Dir.Endpoint(name)
	if err != nil {
		return Status{}, err
	}
	e, err := m.gatherEvidence(ep, lookOptions{Log: true})
	if err != nil {
		return Status{}, err
	}
	v := judgeEvidence(e)
	if o.Watch && v.State == Unknown && e.Holder == nil {
		if e, v, err = m.watchPIDFile(ctx, ep, e); err != nil {
			return Status{}, err
		}
	}
	s := makeStatus(ep, e, v)
	if v.Elsewhere && v.Host != "" {
		s.Next = []next.Step{{Operation: next.EndpointStatus, Args: next.Args{"name": ep.Name()}, Why: "see the processes there", Host: v.Host}}
	}
	var service Service
	if !o.Offline && m.Service != nil && s.ID != "" {
		ctx, cancel := context.WithTimeout(ctx, serviceTimeout)
		defer cancel()
		service, s.Service = m.askService(ctx, s.ID)
	}
	if !v.Elsewhere {
		s.Survivors = m.findSurvivors(ep)
	}
	if s.Trouble = m.findTrouble(ep, e, v, s.Service); s.Trouble == nil {
		s.Trouble = troubleOfSurvivors(ep, s.Survivors)
	}
	if s.State == Running && s.Service != nil && s.Service.Problem == nil && !s.Service.Online {
		s.Reason += "; but the service has had no heartbeat from it lately and gives it no tasks"
	}
	s.UserEndpoints = m.describeUserEndpoints(ctx, ep, e, service)
	return s, nil
}

// askService asks the service about an endpoint.
func (m *Manager) askService(ctx context.Context, id string) (Service, *ServiceView) {
	service, err := m.connectService(ctx)
	if err != nil {
		return nil, &ServiceView{Problem: err}
	}
	answer, err := service.Status(ctx, id)
	if err != nil {
		return nil, &ServiceView{Problem: err}
	}
	return service, &ServiceView{Word: answer.Word, Online: answer.Online}
}

func makeStatus(ep *endpointfs.Endpoint, e Evidence, v verdict) Status {
	return Status{Name: ep.Name(), ID: e.ID, State: v.State, Reason: v.Reason, Host: v.Host, Path: ep.Path(), Evidence: e}
}

// statusNow looks again, for the result of an operation that holds the lock.
func (m *Manager) statusNow(ep *endpointfs.Endpoint) (Status, error) {
	e, err := m.gatherEvidence(ep, lookOptions{Mine: true, Log: true})
	if err != nil {
		return Status{}, err
	}
	return makeStatus(ep, e, judgeEvidence(e)), nil
}

// LogOptions say which log and which records of it.
type LogOptions struct {
	// UserEndpoint is the UUID of a user endpoint whose log is wanted; empty is
	// the endpoint's own log.
	UserEndpoint string
	Query        log.Query
}

// Logs reads a page of a log, and returns the path of the log.
func (m *Manager) Logs(ctx context.Context, name string, o LogOptions) (log.Page, string, error) {
	ep, err := m.Dir.Endpoint(name)
	if err != nil {
		return log.Page{}, "", err
	}
	file := ep.Log()
	if o.UserEndpoint != "" {
		all, err := ep.UserEndpoints()
		if err != nil {
			return log.Page{}, "", err
		}
		found := false
		for _, u := range all {
			if u.ID == o.UserEndpoint {
				file, found = u.Log(), true
			}
		}
		if !found {
			return log.Page{}, "", &UserEndpointError{Name: ep.Name(), ID: o.UserEndpoint}
		}
	}
	page, err := file.Query(ctx, o.Query)
	return page, file.Path(), err
}
