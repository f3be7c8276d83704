package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/next"
)

// checkServices asks Globus Auth and Globus Compute whether they are there, without
// a login, and whether the service still works with the runtime.
func (v *examination) checkServices(ctx context.Context) []Finding {
	if v.o.Offline {
		return skippedFinding("services are not asked in an offline check")
	}
	if v.SettingErr != nil {
		return skippedFinding("the addresses of the services are not known")
	}
	var all []Finding
	if err := v.reachAuth(ctx); err != nil {
		all = append(all, Finding{Subject: v.Env.AuthURL, Verdict: Failed, Evidence: errorText(err), Next: stepsOf(err, next.Do("check that this machine may open connections to port 443"))})
	}
	if err := v.reachCompute(ctx); err != nil {
		return append(all, Finding{Subject: v.Env.ComputeURL, Verdict: Failed, Evidence: errorText(err), Next: stepsOf(err, next.Do("check that this machine may open connections to port 443"))})
	}
	askCtx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	says, err := v.anonymousClient().Version(askCtx)
	if err != nil {
		return append(all, Finding{Subject: v.Env.ComputeURL, Verdict: Failed, Evidence: err.Error(), Next: stepsOf(err, next.Do("try again"))})
	}
	if rt, err := v.findRuntime(ctx); err == nil && isOlderRelease(rt.Version, says.MinEndpoint) {
		all = append(all, Finding{Subject: v.Env.ComputeURL, Verdict: Failed, Next: []next.Step{next.Call(next.RuntimeInstall, nil, "have a newer one")},
			Evidence: fmt.Sprintf("the service works with globus-compute-endpoint %s or newer, and the runtime is %s", says.MinEndpoint, rt.Version)})
	}
	if len(all) == 0 {
		return okFinding(fmt.Sprintf("%s and %s answer", v.Env.AuthURL, v.Env.ComputeURL))
	}
	return all
}

// reachAuth asks Globus Auth for what everybody may know.
func (v *examination) reachAuth(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.Env.AuthURL+"/.well-known/openid-configuration", nil)
	if err != nil {
		return err
	}
	resp, err := v.Env.Client().Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return globus.ResponseError("auth", resp)
}

// isOlderRelease compares two releases, number by number; what is no number counts for
// nothing.
func isOlderRelease(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		x, y := releaseNumber(as, i), releaseNumber(bs, i)
		if x != y {
			return x < y
		}
	}
	return false
}

func releaseNumber(parts []string, i int) int {
	n := 0
	if i < len(parts) {
		for _, c := range parts[i] {
			if c < '0' || c > '9' || n > 1<<20 {
				break
			}
			n = n*10 + int(c-'0')
		}
	}
	return n
}

const (
	// The daemon drops a command that is more than 180 seconds from its own
	// time (core_endpoint.py), and ID tokens are checked with a leeway of 300.
	clockFails = 170 * time.Second
	clockWarns = 30 * time.Second
)

// checkClock compares this machine's clock with the service's.
func (v *examination) checkClock(ctx context.Context) []Finding {
	if v.o.Offline || v.SettingErr != nil || v.reachCompute(ctx) != nil {
		return skippedFinding("there is no service to compare the clock with")
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	asked := time.Now()
	theirs, err := v.anonymousClient().Clock(ctx)
	if err != nil {
		return skippedFinding("the service did not say what time it is: " + err.Error())
	}
	// The service gives it to the second, some time between asking and now.
	ours := asked.Add(time.Since(asked) / 2)
	off := ours.Sub(theirs).Round(time.Second)
	word := "ahead of"
	if off < 0 {
		off, word = -off, "behind"
	}
	f := Finding{Verdict: OK, Evidence: fmt.Sprintf("within %s of the service's", clockWarns)}
	if off > clockWarns {
		f = Finding{Verdict: Warning, Evidence: fmt.Sprintf("this machine's clock is %s %s the service's", off, word), Next: doOnly("ask the administrators to set the clock by NTP")}
	}
	if off > clockFails {
		f.Verdict = Failed
		f.Evidence += ": the daemon drops commands that are 180 seconds from its own time, so it takes no tasks"
	}
	return []Finding{f}
}

// checkLogin looks at the tokens, and whether the service accepts them.
func (v *examination) checkLogin(ctx context.Context) []Finding {
	if v.Accounts == nil {
		return skippedFinding("the place of the logins is not known")
	}
	account, err := v.Accounts.Whoami(ctx)
	if err != nil {
		return []Finding{{Verdict: Failed, Evidence: err.Error(), Next: stepsOf(err, next.Call(next.Login, nil, ""))}}
	}
	var names []string
	for _, s := range account.Services {
		if s.Service != auth.Compute {
			continue
		}
		if !s.LoggedIn {
			evidence := "nobody is logged in to Globus Compute"
			if s.Problem != nil {
				evidence = s.Problem.Error()
			}
			return []Finding{{Subject: s.Store, Verdict: Failed, Evidence: evidence, Next: []next.Step{next.Call(next.Login, nil, "")}}}
		}
		names = append(names, cmp.Or(s.Identity.Username, s.Identity.ID, "somebody"))
	}
	evidence := strings.Join(names, ", ") + " is logged in"
	if v.o.Offline || v.reachCompute(ctx) != nil {
		return okFinding(evidence + "; the service was not asked whether it accepts the login")
	}
	_, err = v.authorizedClient(ctx)
	switch {
	case err == nil:
		return okFinding(evidence + ", and the service accepts the login")
	case globus.IsUnavailable(err), errors.Is(err, context.DeadlineExceeded):
		return []Finding{{Verdict: Warning, Evidence: evidence + ", but whether the service accepts the login is not known: " + errorText(err), Next: stepsOf(err, next.Do("try again"))}}
	}
	return []Finding{{Verdict: Failed, Evidence: "the service does not accept the login: " + errorText(err), Next: []next.Step{next.Call(next.Login, next.Args{"force": true}, "log in again")}}}
}
