package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chiltepin/globus"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/next"
)

// checkFiles checks what each endpoint's daemon will read.
func (v *examination) checkFiles(ctx context.Context) []Finding {
	release := ""
	if rt, err := v.findRuntime(ctx); err == nil {
		release = rt.Version
	}
	var all []Finding
	eps := v.listEndpoints()
	for _, ep := range eps {
		for _, err := range ep.ValidateFor(release) {
			all = append(all, Finding{Subject: ep.Name(), Verdict: Failed, Evidence: err.Error(), Next: stepsOf(err, next.Do("correct the file"))})
		}
	}
	if len(all) == 0 {
		return okFinding(ofEachEndpoint(len(eps), "has the files that the daemon wants"))
	}
	return all
}

// checkEndpoints judges each endpoint, as status does.
func (v *examination) checkEndpoints(ctx context.Context) []Finding {
	asking := !v.o.Offline && v.SettingErr == nil && v.reachCompute(ctx) == nil
	if asking {
		_, err := v.authorizedClient(ctx)
		asking = err == nil
	}
	var all []Finding
	eps := v.listEndpoints()
	for _, ep := range eps {
		s, err := v.Manager.Status(ctx, ep.Name(), endpoint.StatusOptions{Offline: !asking})
		if err != nil {
			all = append(all, Finding{Subject: ep.Name(), Verdict: Failed, Evidence: err.Error(), Next: stepsOf(err, next.Endpoint(next.EndpointStatus, ep.Name(), ""))})
			continue
		}
		all = append(all, v.judgeStatus(s))
	}
	if len(all) == 0 {
		return okFinding("none is configured")
	}
	return all
}

// judgeStatus turns a status into a finding.
func (v *examination) judgeStatus(s endpoint.Status) Finding {
	f := Finding{Subject: s.Name, Verdict: OK, Evidence: string(s.State) + ": " + s.Reason}
	start := next.Endpoint(next.EndpointStart, s.Name, "start it again")
	gone := s.Service != nil && globus.IsNotFound(s.Service.Problem)
	switch {
	case s.State == endpoint.Disconnected:
		f.Verdict, f.Next = Failed, []next.Step{start}
		f.fix = func(ctx context.Context) (string, error) {
			removed, err := v.Manager.Tidy(ctx, s.Name)
			if err == nil && !removed {
				err = errors.New("there is nothing left to remove")
			}
			return "its daemon.pid was removed; it can be started again", err
		}
	case s.State == endpoint.Unknown:
		f.Verdict, f.Next = Warning, []next.Step{next.Endpoint(next.EndpointStatus, s.Name, "see the evidence")}
	case s.Trouble != nil && !s.Trouble.Survivors:
		f.Verdict, f.Evidence, f.Next = Failed, s.Trouble.Problem, s.Trouble.Next
	case gone:
		f.Verdict = Failed
		f.Evidence += "; the service does not know its UUID " + s.ID + ": its registration was deleted"
		f.Next = []next.Step{next.Do("remove endpoint.json in " + s.Path + "; the next start then registers the endpoint under another UUID")}
	case s.Service != nil && s.Service.Online && s.State == endpoint.Stopped:
		f.Verdict = Warning
		f.Evidence += "; but the service calls it online: either it has just stopped, or another machine runs a copy of its directory"
		f.Next = []next.Step{next.Call(next.EndpointList, next.Args{"remote": true}, "see what the service knows")}
	case s.Evidence.RecordProblem != nil:
		f.Verdict = Warning
		f.Evidence += "; " + s.Evidence.RecordProblem.Error()
		f.Next = stepsOf(s.Evidence.RecordProblem, next.Step{})
	}
	return f
}

// checkUserEndpoints looks for what user endpoints have left behind: processes
// without a daemon, directories without an endpoint.
func (v *examination) checkUserEndpoints(ctx context.Context) []Finding {
	var all []Finding
	for _, ep := range v.listEndpoints() {
		s, err := v.Manager.Status(ctx, ep.Name(), endpoint.StatusOptions{Offline: true})
		if err != nil {
			continue
		}
		for _, o := range s.Survivors {
			all = append(all, Finding{Subject: ep.Name(), Verdict: Failed, Next: []next.Step{next.Endpoint(next.EndpointStop, ep.Name(), "end them after their tasks, whose results will not be delivered")},
				Evidence: fmt.Sprintf("%d leftover processes (such as process %d) of its killed user endpoint %s still run; %d of them run a task", len(o.Processes), o.Processes[0].PID, o.UserEndpoint, o.Busy)})
		}
		if s.State != endpoint.Stopped && s.State != endpoint.Disconnected {
			continue
		}
		for _, u := range s.UserEndpoints {
			if u.State == endpoint.Running {
				all = append(all, Finding{Subject: ep.Name(), Verdict: Failed, Next: []next.Step{next.Endpoint(next.EndpointStop, ep.Name(), "end it")},
					Evidence: fmt.Sprintf("process %d of its user endpoint %s still runs, and the daemon does not", u.PID, u.ID)})
			}
		}
	}
	removable, kept, err := v.Manager.UserLeftovers()
	if err != nil {
		return append(all, skippedFinding("the endpoints of these directories could not be found: "+err.Error())...)
	}
	if n := len(removable); n > 0 {
		all = append(all, Finding{Subject: removable[0].Path(), Verdict: Warning, Next: []next.Step{next.Do("remove them when their logs are no longer needed: pruning does, and shows first what it would remove")},
			Evidence: countInWords(n, "a directory of a user endpoint", "%d directories of user endpoints") + " whose endpoint no longer exists here, such as " + removable[0].Path()})
	}
	for _, path := range slices.Sorted(maps.Keys(kept)) {
		all = append(all, Finding{Subject: path, Verdict: Warning, Next: []next.Step{next.Do("look into it and remove it by hand: pruning does not")},
			Evidence: "the directory of a user endpoint whose endpoint no longer exists here: " + strings.TrimSpace(kept[path])})
	}
	if len(all) == 0 {
		return okFinding("none is left over")
	}
	return all
}
