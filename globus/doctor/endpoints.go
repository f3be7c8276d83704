package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"chiltepin/globus"
	"chiltepin/globus/endpoint"
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
			all = append(all, Finding{Subject: ep.Name(), Verdict: Failed, Evidence: err.Error(), Remedy: hintOf(err, "mend the file")})
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
			all = append(all, Finding{Subject: ep.Name(), Verdict: Failed, Evidence: err.Error(), Remedy: hintOf(err, "chiltepin endpoint status "+ep.Name())})
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
	start := "chiltepin endpoint start " + s.Name
	gone := s.Service != nil && globus.IsNotFound(s.Service.Problem)
	switch {
	case s.State == endpoint.Disconnected:
		f.Verdict, f.Remedy = Failed, start
		f.fix = func(ctx context.Context) (string, error) {
			removed, err := v.Manager.Tidy(ctx, s.Name)
			if err == nil && !removed {
				err = errors.New("there is nothing to remove any more")
			}
			return "its daemon.pid was removed; " + start, err
		}
	case s.State == endpoint.Unknown:
		f.Verdict, f.Remedy = Warning, "chiltepin endpoint status "+s.Name
	case s.Trouble != nil && !s.Trouble.Survivors:
		f.Verdict, f.Evidence, f.Next = Failed, s.Trouble.Problem, s.Trouble.Next
	case gone:
		f.Verdict = Failed
		f.Evidence += "; the service does not know its UUID " + s.ID + ": its registration was deleted"
		f.Remedy = "remove endpoint.json in " + s.Path + ", and the next start registers it under another UUID"
	case s.Service != nil && s.Service.Online && s.State == endpoint.Stopped:
		f.Verdict = Warning
		f.Evidence += "; but the service calls it online: it has just ended, or another machine has a copy of its directory"
		f.Remedy = "chiltepin endpoint list --remote"
	case s.Evidence.RecordProblem != nil:
		f.Verdict = Warning
		f.Evidence += "; " + s.Evidence.RecordProblem.Error()
		f.Remedy = hintOf(s.Evidence.RecordProblem, "")
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
			all = append(all, Finding{Subject: ep.Name(), Verdict: Failed, Remedy: "chiltepin endpoint stop " + ep.Name() + ", with --now to lose the tasks that they are at",
				Evidence: fmt.Sprintf("%d processes have outlived its user endpoint %s, which was killed, such as process %d; %d of them are at a task", len(o.Processes), o.UserEndpoint, o.Processes[0].PID, o.Busy)})
		}
		if s.State != endpoint.Stopped && s.State != endpoint.Disconnected {
			continue
		}
		for _, u := range s.UserEndpoints {
			if u.State == endpoint.Running {
				all = append(all, Finding{Subject: ep.Name(), Verdict: Failed, Remedy: "chiltepin endpoint stop " + ep.Name(),
					Evidence: fmt.Sprintf("process %d of its user endpoint %s has outlived the daemon", u.PID, u.ID)})
			}
		}
	}
	removable, kept, err := v.Manager.UserLeftovers()
	if err != nil {
		return append(all, skippedFinding("whose directories they are cannot be told: "+err.Error())...)
	}
	if n := len(removable); n > 0 {
		all = append(all, Finding{Subject: removable[0].Path(), Verdict: Warning, Remedy: "chiltepin endpoint prune",
			Evidence: countInWords(n, "a directory of a user endpoint", "%d directories of user endpoints") + " whose endpoint is not here any more, such as " + removable[0].Path()})
	}
	for _, path := range sortedKeys(kept) {
		all = append(all, Finding{Subject: path, Verdict: Warning, Remedy: "look into it; chiltepin endpoint prune leaves it alone",
			Evidence: "the directory of a user endpoint whose endpoint is not here any more: " + strings.TrimSpace(kept[path])})
	}
	if len(all) == 0 {
		return okFinding("none is left over")
	}
	return all
}
