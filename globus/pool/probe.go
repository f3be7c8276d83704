package pool

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"chiltepin/globus"
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
// lack, and tells where it runs.
const probeSource = `def chiltepin_probe(token):
    import os, platform, socket
    return {"token": token, "host": socket.gethostname(), "python": platform.python_version(), "directory": os.getcwd()}
`

// Probe sends one small task through a pool, with exactly the options that
// Python Chiltepin would send, and follows it. It has a user endpoint of its
// own: what is told of the submitter's environment names this probe, and by
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
	// hopeless is how often in a row its reason was one that does not pass.
	hopeless int
	// function is what was registered; answer is the service's to the
	// submission.
	function string
	// path is the file of the pool.
	path    string
	reply   chan submitReply
	task    string
	release context.CancelFunc
	// tell reports progress; told is what it last said.
	tell  func(progress.Event)
	told  string
	asked time.Time
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

// refresh is how often files and the service are looked at.
const (
	lookEvery = 250 * time.Millisecond
	askEvery  = time.Second
)

// followStages goes from stage to stage until the task has returned or cannot.
func (r *probe) followStages(ctx context.Context) (*ProbeFailure, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case a := <-r.reply:
			r.reply = nil
			if a.err != nil {
				return r.explainRefusal(ctx, a.err)
			}
			r.task = a.task.Task
			r.markReached(Accepted, "")
			r.markReached(Commanded, "")
			r.markReached(Started, "")
		case <-tick.C:
		}
		if stop, err := r.followFiles(ctx); stop != nil || err != nil {
			return stop, err
		}
		if stop, done, err := r.fetchResult(ctx); stop != nil || done || err != nil {
			return stop, err
		}
		r.reportWaiting()
	}
}

// followFiles reaches the stages that the files of an endpoint here show.
func (r *probe) followFiles(ctx context.Context) (*ProbeFailure, error) {
	if r.watch == nil {
		return nil, nil
	}
	s, err := r.watch.refresh(ctx)
	if err != nil {
		return nil, err
	}
	r.seen = s
	if s.ID == "" {
		return nil, nil
	}
	r.UserEndpoint = s.ID
	r.markReached(Accepted, "")
	r.markReached(Commanded, "user endpoint "+s.ID)
	if s.Ended != "" {
		return r.userEndpointFailure(), nil
	}
	if s.Up {
		r.markReached(Started, fmt.Sprintf("process %d", s.PID))
	}
	if len(s.Failed) > 0 && s.Job == "" && !s.Connected {
		if stop := r.submitFailure(ctx); stop != nil {
			return stop, nil
		}
	}
	return r.followBlock(ctx)
}

// followBlock reaches the stages of a block.
func (r *probe) followBlock(ctx context.Context) (*ProbeFailure, error) {
	s := r.seen
	if s.Script == "" {
		return nil, ctx.Err()
	}
	switch {
	case r.scheduler == nil:
		if s.Job != "" || s.Exit != "" || s.Connected {
			r.markReached(Submitted, jobDetail(s.Job))
			r.markReached(Running, "on this host")
		}
	case !s.Connected && time.Since(r.asked) > askEvery:
		r.asked = time.Now()
		if failure := r.followJob(ctx); failure != nil {
			return failure, nil
		}
	}
	if s.Connected {
		r.markReached(Submitted, jobDetail(s.Job))
		r.markReached(Running, "")
		r.markReached(Connected, "")
	} else if s.Exit != "" {
		return r.blockFailure(ctx), nil
	}
	return nil, ctx.Err()
}

// followJob asks the scheduler about the job of a block, and reaches the stages
// that it tells.
func (r *probe) followJob(ctx context.Context) *ProbeFailure {
	j := r.submittedJob(ctx)
	switch {
	case j.IsKnown():
		r.job, r.Job = j, j.ID
		r.markReached(Submitted, jobDetail(j.ID))
		if j.Phase == scheduler.Running {
			r.markReached(Running, "on "+j.Nodes)
		}
		// The scheduler may change its mind within its first rounds.
		if r.hopeless++; j.Phase != scheduler.Waiting || !r.scheduler.Reason(j).Final {
			r.hopeless = 0
		}
		if r.hopeless > 3 {
			return r.neverStartsFailure()
		}
	case r.seen.Job != "":
		r.Job = r.seen.Job
		r.markReached(Submitted, jobDetail(r.seen.Job))
		// The first time may be before the scheduler has it.
		if j.Phase == scheduler.Gone {
			r.gone++
		}
		if r.gone > 1 {
			r.markReached(Running, "")
			return r.blockFailure(ctx)
		}
	}
	return nil
}

func jobDetail(id string) string {
	if id == "" {
		return ""
	}
	return "job " + id
}

// fetchResult asks for the task's result.
func (r *probe) fetchResult(ctx context.Context) (stop *ProbeFailure, done bool, err error) {
	if r.task == "" || time.Since(r.asked) < askEvery && r.watch == nil {
		return nil, false, nil
	}
	if r.watch == nil {
		r.asked = time.Now()
	}
	t, err := r.client.Task(ctx, r.task)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, false, ctx.Err()
	case globus.IsUnavailable(err):
		return nil, false, nil // it is asked again
	case err != nil:
		return nil, false, err
	case !t.Done:
		return nil, false, nil
	case t.Exception != "":
		return r.taskFailure(ctx, t.Exception), false, nil
	}
	values, _ := t.Result.(map[string]any) // another serializer leaves nothing to see
	if token, ok := values["token"].(string); ok && token != r.token {
		return &ProbeFailure{Stage: Returned, Cause: "the task returned another value than the one it was given", Next: r.logSteps()}, false, nil
	}
	r.Worker = Worker{Host: textOf(values["host"]), Python: textOf(values["python"]), Directory: textOf(values["directory"])}
	for _, s := range Stages() {
		if r.watch != nil || s != Submitted && s != Running {
			r.markReached(s, "")
		}
	}
	return nil, true, nil
}

func textOf(v any) string { s, _ := v.(string); return s }

// markReached notes a stage, with those before it that can have been passed unseen.
func (r *probe) markReached(stage Stage, detail string) {
	for _, had := range r.Reached {
		if had.Stage == stage {
			return
		}
	}
	r.Reached = append(r.Reached, Reached{Stage: stage, After: time.Since(r.began), Detail: detail})
	text, _ := stage.describe()
	if detail != "" {
		text += " (" + detail + ")"
	}
	r.reportProgress(stage, text)
}

func (r *probe) reportProgress(stage Stage, text string) {
	if text == "" {
		_, text = stage.describe()
	}
	if r.told == text {
		return
	}
	r.told = text
	r.tell(progress.Event{Stage: string(stage), Text: text, Done: int64(len(r.Reached)), Total: int64(len(Stages()))})
}

// nextStage is the first stage that was not reached.
func (r *probe) nextStage() Stage {
	for _, s := range Stages() {
		reached := false
		for _, had := range r.Reached {
			reached = reached || had.Stage == s
		}
		if !reached {
			return s
		}
	}
	return Returned
}

// reportWaiting tells what is waited for.
func (r *probe) reportWaiting() {
	stage := r.nextStage()
	_, text := stage.describe()
	if stage == Running && r.job.Phase == scheduler.Waiting && r.job.Reason != "" {
		text = fmt.Sprintf("job %s waits: %s", r.job.ID, r.job.Reason)
		if why := r.scheduler.Reason(r.job).Text; why != "" {
			text += ", " + why
		}
	}
	r.reportProgress(stage, text)
}

// probeStep is another probe of the pool.
func (r *probe) probeStep(timeout time.Duration, why string) next.Step {
	return next.Call(next.PoolProbe, next.Args{"file": r.path, "name": r.Pool.Name, "timeout": timeout.String()}, why)
}

// timeoutFailure is why time ran out.
func (r *probe) timeoutFailure(ctx context.Context, timeout time.Duration) *ProbeFailure {
	stage := r.nextStage()
	_, awaited := stage.describe()
	s := &ProbeFailure{Stage: stage, Timeout: true, Cause: fmt.Sprintf("no result after %s: still %s", timeout.Round(time.Second), awaited), Next: []next.Step{r.probeStep(2*timeout, "give it longer")}}
	if stage == Running && r.job.IsKnown() {
		s.Cause = fmt.Sprintf("no result after %s: job %s still waits, and the scheduler's reason is %s", timeout.Round(time.Second), r.job.ID, cmp.Or(r.job.Reason, "unknown"))
		if why := r.scheduler.Reason(r.job).Text; why != "" {
			s.Cause += ": " + why
		}
		s.Next = doOnly("wait, ask for less (nodes_per_block, walltime), or choose another partition or queue")
	}
	if r.watch == nil {
		s.Cause += "; the endpoint is on another machine, so the stages between cannot be seen from here"
		again := r.probeStep(timeout, "see why")
		again.Host = elsewhere
		s.Next = []next.Step{again}
	}
	if len(r.seen.Failed) > 0 {
		s.Lines = r.seen.Failed
	}
	return s
}
