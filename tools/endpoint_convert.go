package tools

import (
	"strings"
	"time"

	"chiltepin/globus/daemon"
	"chiltepin/globus/endpoint"
	"chiltepin/tools/operation"
)

// endpointList is the list of the endpoints of eps.
func endpointList(eps Endpoints, list []endpoint.Status) EndpointList {
	out := EndpointList{ConfigDir: eps.ConfigDir(), Endpoints: make([]EndpointSummary, 0, len(list))}
	for _, e := range list {
		out.Endpoints = append(out.Endpoints, endpointSummary(e))
	}
	return out
}

func endpointSummary(e endpoint.Status) EndpointSummary {
	p := e.Evidence.Process
	return EndpointSummary{Name: e.Name, ID: e.ID, Status: string(e.State), Reason: operation.Clean(e.Reason),
		misleading: e.State == endpoint.Unknown || e.Host != "" || p != nil && p.Suspended}
}

// endpointStatus puts what is known about an endpoint into the words of the
// wire. Text that others wrote is made safe to show.
func endpointStatus(st endpoint.Status) EndpointStatus {
	out := EndpointStatus{
		Name:     st.Name,
		ID:       st.ID,
		Status:   string(st.State),
		Reason:   operation.Clean(st.Reason),
		Path:     st.Path,
		Evidence: evidenceResult(st.Evidence),
	}
	if v := st.Service; v != nil {
		out.Service = &ServiceView{Status: operation.Clean(v.Word)}
		if v.Problem != nil {
			out.Service.Problem = operation.Clean(v.Problem.Error())
		}
	}
	if t := st.Trouble; t != nil {
		out.Trouble = &Trouble{Problem: operation.Clean(t.Problem), Next: nextSteps(t.Next), Lines: firstLines(t.Lines)}
	}
	if len(st.Next) > 0 {
		out.Next = nextSteps(st.Next)
	}
	for _, u := range st.UserEndpoints {
		user := UserEndpoint{ID: u.ID, Status: string(u.State), PID: u.PID}
		if u.Outstanding >= 0 {
			n := u.Outstanding
			user.Outstanding = &n
		}
		if u.Pool != nil {
			livePool(&user, *u.Pool)
		}
		out.UserEndpoints = append(out.UserEndpoints, user)
	}
	return out
}

// livePool adds what is known about the pool of a user endpoint.
func livePool(user *UserEndpoint, l daemon.PoolState) {
	if len(l.Options) > 0 {
		user.Options = map[string]string{}
		for name, value := range l.Options {
			user.Options[name] = operation.Clean(value)
		}
	}
	count := func(n int) *int {
		if n < 0 {
			return nil
		}
		return &n
	}
	user.BlocksRunning, user.BlocksPending, user.Workers = count(l.Running), count(l.Pending), count(l.Workers)
	span := func(d time.Duration) *float64 {
		if d <= 0 {
			return nil
		}
		s := roundSeconds(d.Seconds())
		return &s
	}
	user.StopsInSeconds, user.SoftLimitSeconds, user.HardLimitSeconds = span(l.StopsIn), span(l.Soft), span(l.Hard)
}

func startedStatus(r endpoint.StartResult) EndpointStatus {
	out := endpointStatus(r.Status)
	out.Outcome = string(r.Outcome)
	if r.Runtime.Path != "" {
		out.Runtime = runtimeReference(r.Runtime)
	}
	return out
}

func evidenceResult(e endpoint.Evidence) Evidence {
	out := Evidence{Here: HostEvidence{Host: e.Here.Host, BootID: e.Here.BootID}}
	if f := e.PIDFile; f.Exists {
		out.PIDFile = &PIDFileEvidence{PID: f.PID, AgeSeconds: roundSeconds(e.At.Sub(f.ModTime).Seconds())}
		if f.Problem != nil {
			out.PIDFile.Problem = operation.Clean(f.Problem.Error())
		}
	}
	if p := e.Process; p != nil {
		out.Process = &ProcessEvidence{PID: p.PID, Alive: true, Proven: p.Proven, Why: operation.Clean(p.Why), Title: operation.Clean(p.Title)}
	}
	if r := e.Record; r != nil {
		out.Recorded = &HostEvidence{Host: operation.Clean(r.Host), BootID: operation.Clean(r.BootID), PID: r.PID}
	}
	if l := e.Log; l != nil {
		out.Log = &LogEvidence{Marker: string(l.Kind), ID: operation.Clean(l.ID)}
		if !l.Time.IsZero() {
			at := l.Time.UTC()
			out.Log.Time = &at
		}
	}
	return out
}

// firstLines keeps enough of each line to be recognised in the log.
func firstLines(lines []string) []string {
	const most = 400
	out := cleanEach(lines)
	for i, line := range out {
		if len(line) > most {
			out[i] = strings.ToValidUTF8(line[:most], "") + "…"
		}
	}
	return out
}

// roundSeconds keeps a tenth of a second: more would say more than is known.
func roundSeconds(seconds float64) float64 { return float64(int64(seconds*10+0.5)) / 10 }

func stepResults(list []endpoint.StepOutcome) []operation.StepResult {
	out := make([]operation.StepResult, 0, len(list))
	for _, s := range list {
		out = append(out, operation.StepResult{Step: s.Name, Outcome: string(s.Outcome), Detail: operation.Clean(s.Detail)})
	}
	return out
}
