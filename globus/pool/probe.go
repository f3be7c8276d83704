package pool

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"chiltepin/globus/compute"
	"chiltepin/globus/next"
	"chiltepin/globus/pool/scheduler"
	"chiltepin/globus/progress"
)

// ProbeOptions say how long to try.
type ProbeOptions struct {
	// Timeout is for everything but the cleaning up; 0 is [DefaultProbe].
	Timeout time.Duration
}

// DefaultProbe is ample for a pool on the endpoint's own host, and for a
// scheduler with free nodes.
const DefaultProbe = 5 * time.Minute

// ProbeInterruptedError is a probe that was given up on the way.
type ProbeInterruptedError struct {
	Pool  string
	Stage Stage
	Left  []string
	Err   error
}

// Error says how far it had come.
func (e *ProbeInterruptedError) Error() string {
	_, awaited := e.Stage.describe()
	left := "nothing is left behind"
	if len(e.Left) > 0 {
		left = strings.Join(e.Left, "; ")
	}
	return fmt.Sprintf("probing pool %s: %v while %s; %s", e.Pool, e.Err, awaited, left)
}

// Unwrap returns the context's error.
func (e *ProbeInterruptedError) Unwrap() error { return e.Err }

// probeSource is the function of a probe: it imports nothing that a Python could
// lack, and returns where it runs.
const probeSource = `def chiltepin_probe(token):
    import os, platform, socket
    return {"token": token, "host": socket.gethostname(), "python": platform.python_version(), "directory": os.getcwd()}
`

// Probe sends one small task through a pool, with exactly the options that
// Python Chiltepin would send, and follows it. It has a user endpoint of its
// own: the submitter's environment that is sent with it names this probe, and by
// that the service keeps it apart from the one that serves the workflow. In the
// end the function is deleted, the user endpoint stopped and its directory and
// blocks taken away, whatever has happened.
//
// Of an endpoint that is not of this machine fewer stages are seen, and its
// user endpoint stays until it is idle for long enough. An error is a probe
// that could not begin, or an *[ProbeInterruptedError].
func (m *Manager) Probe(ctx context.Context, path string, data []byte, name string, o ProbeOptions) (Probe, error) {
	p, err := findPool(Parse(data), path, name)
	if err != nil {
		return Probe{}, err
	}
	client, err := m.Service(ctx)
	if err != nil {
		return Probe{}, err
	}
	tell := func(e progress.Event) { progress.Report(ctx, e) }
	r := &probe{m: m, client: client, tell: tell, began: time.Now(), token: uuid.NewString(), path: path, Probe: Probe{Pool: p, Endpoint: m.lookUpEndpoint(ctx, p.Endpoint(), false)}}
	if s, ok := m.schedulers().Lookup(p.providerName()); ok && s.Facts().Batch {
		r.scheduler = s
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultProbe
	}
	if stop := r.failBeforeSending(); stop != nil {
		r.Failure, r.Took = stop, time.Since(r.began)
		return r.Probe, nil
	}
	if r.Endpoint.Problem != nil {
		return Probe{}, fmt.Errorf("asking about the endpoint of pool %s: %w", name, r.Endpoint.Problem)
	}
	if err := r.submitTask(ctx); err != nil {
		return Probe{}, err
	}
	limited, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	stop, err := r.followStages(limited)
	r.Took = time.Since(r.began)
	if stop == nil && err != nil && limited.Err() != nil && ctx.Err() == nil {
		stop, err = r.timeoutFailure(ctx, o.Timeout), nil
	}
	r.cleanUp(context.WithoutCancel(ctx))
	if ctx.Err() != nil {
		return r.Probe, &ProbeInterruptedError{Pool: name, Stage: r.nextStage(), Left: r.Left, Err: context.Cause(ctx)}
	}
	r.Failure = stop
	return r.Probe, err
}

// probe is one under way.
type probe struct {
	Probe
	m      *Manager
	client *compute.Client
	began  time.Time
	token  string
	watch  *userEndpointWatch // nil for an endpoint that is not of this machine
	seen   userEndpointView
	// scheduler is nil for a pool whose blocks are no jobs of a scheduler.
	scheduler scheduler.Scheduler
	job       scheduler.BatchJob
	gone      int // times that the scheduler did not know it
	// finalReasons is how often in a row the job waited for a final reason.
	finalReasons int
	// function is what was registered; answer is the service's to the
	// submission.
	function string
	// path is the file of the pool.
	path    string
	reply   chan submitReply
	task    string
	release context.CancelFunc
	// tell reports progress; lastText is what it last reported.
	tell     func(progress.Event)
	lastText string
	asked    time.Time
}

type submitReply struct {
	task compute.Submitted
	err  error
}

// failBeforeSending is why nothing need be sent.
func (r *probe) failBeforeSending() *ProbeFailure {
	t := r.Endpoint
	name := cmp.Or(t.Name, t.ID)
	switch {
	case t.Missing:
		return &ProbeFailure{Stage: Accepted, Cause: "no endpoint has the UUID " + t.ID, Next: []next.Step{listEndpoints()}}
	case t.Here && t.Up < 0:
		return &ProbeFailure{Stage: Accepted, Cause: fmt.Sprintf("endpoint %s is %s%s", name, t.State, reasonSuffix(t.Reason)), Next: []next.Step{startEndpoint(name)}}
	case t.Problem == nil && t.Up < 0:
		return &ProbeFailure{Stage: Accepted, Cause: fmt.Sprintf("the service calls endpoint %s %s", name, t.State), Next: []next.Step{startElsewhere(name)}}
	}
	return nil
}

// submitTask notes what is there, and hands the task to the service.
func (r *probe) submitTask(ctx context.Context) error {
	if r.Endpoint.Here {
		ep, err := r.m.Endpoints.Dir.Endpoint(r.Endpoint.Name)
		if err != nil {
			return err
		}
		if r.watch, err = newUserEndpointWatch(ctx, ep); err != nil {
			return err
		}
	}
	r.reportProgress(Accepted, "")
	id, err := r.client.RegisterFunction(ctx, compute.Function{Name: "chiltepin_probe", Source: probeSource, Description: "one task by which chiltepin proves a resource pool"})
	if err != nil {
		return fmt.Errorf("probing pool %s: %w", r.Pool.Name, err)
	}
	r.function = id
	s := compute.Submission{Function: id, Args: []any{r.token}, Config: r.Pool.Sent(r.m.schedulers()), Runtime: map[string]any{"python_version": "chiltepin probe " + r.token}}
	if r.m.Runtime != nil {
		if rt, err := r.m.Runtime(ctx); err == nil && rt.Version != "" {
			s.Runtime["globus_compute_sdk_version"] = rt.Version
		}
	}
	if r.Pool.boolOption("mpi", false) {
		s.Resources = map[string]any{"num_nodes": 1, "ranks_per_node": 1, "num_ranks": 1}
	}
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.release, r.reply = cancel, make(chan submitReply, 1)
	go func() {
		task, err := r.client.Submit(sending, r.Endpoint.ID, s)
		r.reply <- submitReply{task, err}
	}()
	return nil
}
