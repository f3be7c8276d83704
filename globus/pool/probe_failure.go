package pool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"chiltepin/globus"
	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
	"chiltepin/globus/pool/scheduler"
	"chiltepin/globus/progress"
)

// explainRefusal is what a submission that was refused, or whose user endpoint did
// not come up, means. An error is one that says nothing about the pool.
func (r *probe) explainRefusal(ctx context.Context, err error) (*ProbeFailure, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if r.watch != nil {
		// What the endpoint writes about it may come a moment later.
		for range 8 {
			if s, lookErr := r.watch.refresh(ctx); lookErr == nil {
				r.seen = s
			}
			if r.seen.Ended != "" || len(r.seen.Refused) > 0 {
				break
			}
			if pauseErr := progress.Pause(ctx, lookEvery); pauseErr != nil {
				return nil, pauseErr
			}
		}
	}
	if r.seen.ID != "" {
		r.UserEndpoint = r.seen.ID
		r.markReached(Accepted, "")
		r.markReached(Commanded, "user endpoint "+r.seen.ID)
		if globus.IsUnavailable(err) && r.seen.Ended == "" {
			return &ProbeFailure{Stage: r.nextStage(), Timeout: true, Cause: "the service gave no answer while the user endpoint was starting", Lines: excerptLines(err.Error()), Next: doOnly("try again: programs load faster the second time; with GLOBUS_SDK_HTTP_TIMEOUT=600 in the environment this program waits longer for an answer")}, nil
		}
		service, ok := errors.AsType[*globus.Error](err)
		if !ok {
			return r.userEndpointFailure(r.seen.ExitStatus), nil
		}
		// What the user endpoint could not write to its log it has sent to the
		// service, which may have it before the log says how it ended.
		status := r.seen.ExitStatus
		if r.seen.Ended == "" {
			status, _ = daemon.ParseBootstrapExit(service.Message)
		}
		stop := r.userEndpointFailure(status)
		if service.Message != "" {
			stop.Lines = append(excerptLines(splitServiceMessage(service.Message)), r.seen.Failed...)
			stop.File = ""
			r.nameCause(stop)
		}
		return stop, nil
	}
	service, refused := errors.AsType[*globus.Error](err)
	if !refused || service.Status == 401 || globus.IsUnavailable(err) {
		return nil, fmt.Errorf("probing pool %s: %w", r.Pool.Name, err)
	}
	stop := &ProbeFailure{Stage: Accepted, Cause: cmp.Or(strings.TrimSpace(strings.SplitN(strings.TrimSpace(service.Message), "\n", 2)[0]), service.Error()), Lines: excerptLines(service.Message), Next: []next.Step{r.checkStep()}}
	switch {
	case len(r.seen.Refused) > 0:
		r.markReached(Accepted, "")
		r.markReached(Commanded, "")
		stop.Stage, stop.Lines, stop.File = Started, r.seen.Refused, r.watch.ep.Log().Path()
	case service.Status == 403:
		stop.Cause = "the service does not let this identity use the endpoint: " + stop.Cause
		stop.Next = []next.Step{next.Call(next.Whoami, nil, "see who is logged in"), next.Do("ask the endpoint's owner to let this identity use it")}
	case strings.Contains(strings.ToLower(service.Message), "offline"):
		stop.Cause = "the endpoint has not reported to the service lately"
		stop.Next = []next.Step{next.Endpoint(next.EndpointStatus, cmp.Or(r.Endpoint.Name, r.Endpoint.ID), "see whether it runs")}
	}
	if r.watch != nil && service.Status == 422 && stop.Stage == Accepted {
		// It was taken, and nothing of it has come to the endpoint's log.
		r.markReached(Accepted, "")
		stop.Stage = Commanded
		stop.Cause = "the endpoint did not receive the task: " + stop.Cause
		stop.Next = []next.Step{
			next.Endpoint(next.EndpointStatus, r.Endpoint.Name, "see whether it runs"),
			next.Endpoint(next.EndpointRestart, r.Endpoint.Name, "have it connect again"),
		}
	}
	r.explainFailure(ctx, stop)
	return stop, nil
}

// explainFailure puts a cause that is known in the place of somebody else's words.
func (r *probe) explainFailure(ctx context.Context, stop *ProbeFailure) {
	found, _ := r.m.Detect(ctx) // without one there is nothing to suggest
	if e := r.explainMessages(append([]string{stop.Cause}, stop.Lines...), found); e.Cause != "" {
		stop.Cause, stop.Next = e.Cause, e.Next
	}
}

// userEndpointFailure is a user endpoint that has ended before the task was
// done, with a status as far as it is known.
func (r *probe) userEndpointFailure(status int) *ProbeFailure {
	s := r.seen
	stop := &ProbeFailure{Stage: r.nextStage(), Cause: "the user endpoint did not come up", Next: []next.Step{r.renderStep("see its configuration")}}
	if s.Ended != "" {
		stop.Cause = "the user endpoint has ended: " + s.Ended
	}
	switch {
	case status == daemon.UserExitNoProgram:
		stop.Cause = daemon.Program + " is not on the PATH of user endpoints"
		stop.Next = doOnly("add its directory to PATH in " + r.watch.ep.EnvironmentFile())
	case status == daemon.UserExitTempFail, status == daemon.UserExitSoftware:
		stop.Next = []next.Step{r.checkStep(), r.renderStep("see the error")}
	}
	stop.Lines = s.Failed
	if len(stop.Lines) == 0 {
		stop.Lines = s.Refused
	}
	if len(stop.Lines) == 0 {
		stop.Lines = readLogTail(r.userLogFile())
	}
	if len(stop.Lines) > 0 && s.Path != "" {
		stop.File = r.userLogFile()
	}
	r.nameCause(stop)
	return stop
}

// nameCause adds the cause of a user endpoint's end where its lines tell.
func (r *probe) nameCause(stop *ProbeFailure) {
	e := r.explainMessages(stop.Lines, scheduler.Detection{})
	if e.Cause != "" && e.Cause != blockCommandMissing && !strings.Contains(stop.Cause, "PATH") && !strings.Contains(stop.Cause, e.Cause) {
		stop.Cause, stop.Next = stop.Cause+": "+e.Cause, e.Next
	}
}

// splitServiceMessage breaks one long sentence of the service into lines.
func splitServiceMessage(s string) string {
	return regexp.MustCompile(`(\[|; | Failed validating | On instance)`).ReplaceAllString(s, "\n$1")
}

// readLogTail is the end of a log, without what a log has around its words.
func readLogTail(path string) []string {
	text, err := readTail(path, 8<<10)
	if err != nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return excerptLines(strings.Join(lines[max(0, len(lines)-6):], "\n"))
}

// userLogFile is the log of the user endpoint of the probe.
func (r *probe) userLogFile() string { return filepath.Join(r.seen.Path, daemon.LogFile) }

// submitFailure is a block that the provider could not submit. It may be nil:
// not every error of a user endpoint is about a block.
func (r *probe) submitFailure(ctx context.Context) *ProbeFailure {
	lines := r.seen.Failed
	programs := r.m.schedulers().Programs()
	at := slices.IndexFunc(lines, func(l string) bool { return daemon.IsAboutSubmission(l, programs) })
	if at < 0 {
		return nil
	}
	r.markReached(Started, "")
	stop := &ProbeFailure{Stage: Submitted, Cause: "the provider could not submit a block", File: r.userLogFile(), Next: []next.Step{r.renderStep("see the script")}}
	for _, l := range lines[at:] {
		if daemon.RepeatsProgram(l, programs) && !slices.Contains(stop.Lines, l) {
			stop.Lines = append(stop.Lines, l)
		}
	}
	if len(stop.Lines) == 0 {
		stop.Lines = lines[at:min(len(lines), at+6)]
	}
	stop.Lines = stop.Lines[:min(len(stop.Lines), 8)]
	r.explainFailure(ctx, stop)
	return stop
}

// neverStartsFailure is a block that the scheduler will not start however long it
// waits.
func (r *probe) neverStartsFailure() *ProbeFailure {
	stop := &ProbeFailure{Stage: Running, Cause: fmt.Sprintf("job %s will never start: %s", r.job.ID, r.job.Reason), Lines: []string{r.job.State + " " + r.job.Reason},
		Next: doOnly("ask for less (nodes_per_block, walltime), or choose another partition or queue")}
	if e := r.explainMessages(stop.Lines, scheduler.Detection{}); e.Cause != "" {
		stop.Cause, stop.Next = stop.Cause+", "+e.Cause, e.Next
	}
	return stop
}

// blockFailure is a block that has ended before its workers connected.
func (r *probe) blockFailure(ctx context.Context) *ProbeFailure {
	stop := &ProbeFailure{Stage: Connected, Cause: "the block has ended before its workers connected", Next: doOnly("see what it has written: the commands of environment run before the workers start")}
	if r.seen.Exit != "" {
		stop.Cause += ", with status " + r.seen.Exit
	}
	// A shared file system shows the last lines a moment later.
	for range 8 {
		if stop.Lines, stop.File = r.seen.blockOutput(); len(stop.Lines) > 0 || progress.Pause(ctx, lookEvery) != nil {
			break
		}
	}
	if e := r.explainMessages(stop.Lines, scheduler.Detection{}); e.Cause != "" {
		stop.Cause, stop.Next = stop.Cause+": "+e.Cause, e.Next
	}
	return stop
}

// taskFailure is a task that came back with an exception.
func (r *probe) taskFailure(ctx context.Context, exception string) *ProbeFailure {
	lines := excerptLines(strings.TrimSpace(exception))
	last := ""
	if all := strings.Split(strings.TrimSpace(exception), "\n"); len(all) > 0 {
		last = strings.TrimSpace(all[len(all)-1])
	}
	stop := &ProbeFailure{Stage: r.nextStage(), Cause: "the task failed: " + last, Lines: lines, Next: r.logSteps()}
	if r.watch != nil {
		if s, err := r.watch.refresh(ctx); err == nil {
			r.seen = s
		}
		if len(r.seen.Failed) > 0 && !r.seen.Connected && r.seen.Job == "" {
			if earlier := r.submitFailure(ctx); earlier != nil {
				return earlier
			}
		}
		if r.seen.Script != "" && !r.seen.Connected {
			if earlier := r.blockFailure(ctx); len(earlier.Lines) > 0 {
				return earlier
			}
		}
	}
	return stop
}

// logSteps are those that show what the endpoint has written.
func (r *probe) logSteps() []next.Step {
	if r.watch == nil {
		return doOnly("see the log of the user endpoint on the endpoint's machine")
	}
	return []next.Step{next.Endpoint(next.EndpointLogs, r.Endpoint.Name, "see what the endpoint has written")}
}
