package pool

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"chiltepin/globus/next"
	"chiltepin/globus/pool/scheduler"
	"chiltepin/globus/progress"
)

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
	if r.lastText == text {
		return
	}
	r.lastText = text
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

// reportWaiting reports what the probe is waiting for.
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
