package pool

import (
	"context"
	"fmt"
	"time"

	"chiltepin/globus"
	"chiltepin/globus/pool/scheduler"
)

// lookEvery and askEvery are how often files and the service are looked at.
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
		return r.userEndpointFailure(s.ExitStatus), nil
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
// that the scheduler knows of.
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
		if r.finalReasons++; j.Phase != scheduler.Waiting || !r.scheduler.Reason(j).Final {
			r.finalReasons = 0
		}
		if r.finalReasons > 3 {
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
