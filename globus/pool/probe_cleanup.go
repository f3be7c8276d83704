package pool

import (
	"context"
	"fmt"
	"time"

	"chiltepin/globus"
	"chiltepin/globus/daemon"
	"chiltepin/globus/pool/scheduler"
	"chiltepin/globus/progress"
)

// How long the parts of cleaning up may take. A user endpoint takes
// seconds to give back its blocks.
const (
	cleanTimeout = time.Minute
	comeTimeout  = 10 * time.Second
	endGrace     = 20 * time.Second
)

// cleanUp takes away what the probe has made. What it cannot is in Left.
func (r *probe) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, cleanTimeout)
	defer cancel()
	r.reportProgress(r.nextStage(), "cleaning up")
	left := func(format string, args ...any) { r.Left = append(r.Left, fmt.Sprintf(format, args...)) }
	if r.watch != nil {
		// A submission that was given up may still have its user endpoint started.
		if r.reply != nil && r.seen.ID == "" {
			r.waitForUserEndpoint(ctx)
		}
		if id := r.seen.ID; id != "" {
			if err := r.m.Endpoints.StopUserEndpoint(ctx, r.watch.ep.Name(), id, r.seen.PID, endGrace); err != nil {
				left("user endpoint %s still runs: %v", id, err)
			}
			r.cancelJob(ctx, left)
		}
	} else if r.task != "" || r.reply != nil {
		left("the user endpoint of the probe runs on the endpoint's machine, and stops by itself after it has been idle for long enough")
	}
	if r.watch != nil && r.seen.ID == "" && r.nextStage() == Commanded {
		left("if the endpoint receives the task later, it starts a user endpoint, which stops after it has been idle for long enough")
	}
	r.release()
	if r.function != "" {
		if err := r.client.DeleteFunction(ctx, r.function); err != nil && !globus.IsNotFound(err) {
			left("function %s is still registered: %v", r.function, err)
		}
	}
}

// waitForUserEndpoint waits for a user endpoint that may still be started.
func (r *probe) waitForUserEndpoint(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, comeTimeout)
	defer cancel()
	for r.seen.ID == "" && progress.Pause(ctx, lookEvery) == nil {
		select {
		case <-r.reply:
			r.reply = nil
		default:
		}
		if s, err := r.watch.refresh(ctx); err == nil {
			r.seen = s
		}
		if r.reply == nil {
			return
		}
	}
}

// cancelJob cancels a block that its user endpoint has left in the queue. The
// job bears the name of a script that only this probe had.
func (r *probe) cancelJob(ctx context.Context, left func(string, ...any)) {
	if r.seen.Script == "" || r.scheduler == nil {
		return
	}
	for range 20 {
		j := r.submittedJob(ctx)
		if j.Phase != scheduler.Waiting && j.Phase != scheduler.Running {
			return
		}
		if progress.Pause(ctx, lookEvery) != nil {
			break
		}
		if err := r.scheduler.Cancel(ctx, r.m.commands(), j.ID); err != nil {
			left("job %s is still in the queue: %v", j.ID, err)
			return
		}
	}
	left("job %s was cancelled and has not ended yet", r.seen.Job)
}

// submittedJob asks the scheduler about the newest block.
func (r *probe) submittedJob(ctx context.Context) scheduler.BatchJob {
	return r.scheduler.SubmittedJob(ctx, r.m.commands(), scheduler.Block{ID: r.seen.Job, Name: daemon.BlockJobName(r.seen.Script)})
}
