package tools

import (
	"context"
	"time"

	"chiltepin/endpointfs/log"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/process"
)

const (
	fakeID      = "12345678-1234-1234-1234-123456789abc"
	otherFakeID = "87654321-1234-1234-1234-123456789abc"
)

// fakeEndpoints is one endpoint, mesa, that records what would change it and
// fails every call with err when that is set.
type fakeEndpoints struct {
	err     error
	changed []string
	log     log.Page
	asked   []endpoint.LogOptions
	status  func(*endpoint.Status) // changes what Status gives
}

func (f *fakeEndpoints) services() Services {
	return Services{Endpoints: func(context.Context, Place) (Endpoints, error) { return f, nil }}
}

func (f *fakeEndpoints) change(what string) error {
	if f.err == nil {
		f.changed = append(f.changed, what)
	}
	return f.err
}

func mesa() endpoint.Status {
	return endpoint.Status{Name: "mesa", ID: fakeID, State: endpoint.Running, Reason: "seen", Path: "/etc/gc/mesa",
		Evidence: endpoint.Evidence{
			PIDFile: endpoint.PIDFileEvidence{Exists: true, PID: 7, ModTime: time.Unix(100, 0)},
			Process: &endpoint.ProcessEvidence{PID: 7, Proven: true, Why: "its title\x1b[31m", Title: "Globus"},
			Here:    process.Machine{Host: "login1", BootID: "b"},
			At:      time.Unix(104, 260_000_000),
		}}
}

func (f *fakeEndpoints) ConfigDir() string { return "/etc/gc" }

func (f *fakeEndpoints) Configure(context.Context, string, endpoint.ConfigureOptions) (endpoint.Configuration, error) {
	return endpoint.Configuration{Name: "mesa", Path: "/etc/gc/mesa", Files: []string{"config.yaml"}}, f.change("configure")
}

func (f *fakeEndpoints) List(context.Context) ([]endpoint.Status, error) {
	return []endpoint.Status{mesa(), {Name: "a-longer-name", State: endpoint.Initialized}}, f.err
}

func (f *fakeEndpoints) Status(context.Context, string, endpoint.StatusOptions) (endpoint.Status, error) {
	st := mesa()
	if f.status != nil {
		f.status(&st)
	}
	return st, f.err
}

func (f *fakeEndpoints) Start(context.Context, string, endpoint.StartOptions) (endpoint.StartResult, error) {
	return endpoint.StartResult{Status: mesa(), Outcome: endpoint.Started}, f.change("start")
}

func (f *fakeEndpoints) Stop(context.Context, string, endpoint.StopOptions) (endpoint.StopResult, error) {
	return endpoint.StopResult{Status: mesa(), Outcome: endpoint.WasStopped}, f.change("stop")
}

func (f *fakeEndpoints) Restart(context.Context, string, endpoint.StopOptions) (endpoint.RestartResult, error) {
	return endpoint.RestartResult{Start: endpoint.StartResult{Status: mesa()}}, f.change("restart")
}

func (f *fakeEndpoints) Delete(context.Context, string, endpoint.DeleteOptions) (endpoint.DeleteResult, error) {
	return endpoint.DeleteResult{Name: "mesa", ID: fakeID, Steps: []endpoint.StepOutcome{{Name: "directory", Outcome: "done"}}}, f.change("delete")
}

func (f *fakeEndpoints) Logs(_ context.Context, _ string, o endpoint.LogOptions) (log.Page, string, error) {
	f.asked = append(f.asked, o)
	return f.log, "/etc/gc/mesa/endpoint.log", f.err
}

func (f *fakeEndpoints) Survey(context.Context) ([]endpoint.Pair, error) {
	st := mesa()
	return []endpoint.Pair{
		{Name: "mesa", ID: fakeID, Local: &st, Registered: &endpoint.Registration{Name: "mesa", Host: "login1", Word: "online", Online: true}},
		{Name: "a-longer-name", Local: &endpoint.Status{Name: "a-longer-name", State: endpoint.Initialized}},
		f.orphan(),
	}, f.err
}

func (f *fakeEndpoints) orphan() endpoint.Pair {
	return endpoint.Pair{Name: "old", ID: otherFakeID, Registered: &endpoint.Registration{Name: "old\x1b[31m", Host: "login1", Word: "offline"}, Findings: []endpoint.Discrepancy{endpoint.Orphaned}, Why: "nobody has it"}
}

func (f *fakeEndpoints) PlanPruning(context.Context, endpoint.PruneOptions) (endpoint.Plan, error) {
	return endpoint.Plan{Registrations: []endpoint.Pair{f.orphan()}, Kept: []endpoint.StepOutcome{{Name: "registration away", Outcome: "stays", Detail: "it runs on login2"}}}, f.err
}

func (f *fakeEndpoints) Prune(_ context.Context, plan endpoint.Plan) ([]endpoint.StepOutcome, error) {
	return []endpoint.StepOutcome{{Name: "registration " + plan.Registrations[0].ID, Outcome: "removed"}}, f.change("prune")
}

func (f *fakeEndpoints) Follow(ctx context.Context, first func([]endpoint.Status) error, tell func(endpoint.Change) error) error {
	list, err := f.List(ctx)
	if err != nil {
		return err
	}
	if err := first(list); err != nil {
		return err
	}
	before, after := mesa(), mesa()
	after.State, after.Reason = endpoint.Disconnected, "gone\x1b[31m"
	registered := list[1]
	registered.ID = fakeID
	for _, c := range []endpoint.Change{{Before: &before, After: &after}, {Before: &list[1], After: &registered}, {Before: &after}, {After: &before}} {
		if err := tell(c); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}
