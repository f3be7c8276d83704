// Package doctor looks for what keeps endpoints from working, from the outside
// in: the runtime, what a daemon will see of the machine, the files, the
// services, each endpoint. Every check gives its verdict, the evidence for it,
// and what to do about it.
//
// It never starts or stops an endpoint and never signals a process. To see
// whether it can, it writes a small file in the configuration directory and
// removes it. With Fix it repairs what can be repaired without risk: modes of
// files, pid files of daemons that are gone beyond doubt.
package doctor

import (
	"context"
	"sync"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/compute"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/next"
	"chiltepin/globus/progress"
	"chiltepin/globus/runtime"
)

// Verdict is what a check found.
type Verdict string

// The verdicts.
const (
	// OK: nothing is wrong.
	OK Verdict = "ok"
	// Warning: it works, and may not for long or not as meant.
	Warning Verdict = "warning"
	// Failed: it does not work.
	Failed Verdict = "failed"
	// Skipped: it could not be checked; the evidence says why. What kept it
	// from being checked is the finding of another check.
	Skipped Verdict = "skipped"
	// Fixed: it was wrong and was repaired.
	Fixed Verdict = "fixed"
)

// Finding is what one check found about one thing.
type Finding struct {
	// Check is the name of the check.
	Check string
	// Subject is what it is about where there are several: an endpoint, a path.
	Subject string
	Verdict Verdict
	// Evidence is a sentence for people, lower case, without a full stop.
	Evidence string
	// Next is what to do, the best first; empty where there is nothing to do.
	Next []next.Step

	// fix repairs it, nil where only a person can. It returns what it did.
	fix func(context.Context) (string, error)
}

// AccountReader is what is asked about logins. [auth.Manager] is one.
type AccountReader interface {
	Whoami(context.Context) (auth.Account, error)
}

// RuntimeFinder is what is asked about the Python side. [checkRuntime.Finder] is one.
type RuntimeFinder interface {
	Find(context.Context) (runtime.Runtime, error)
	Check(context.Context, runtime.Runtime) (version string, err error)
}

// Doctor checks one configuration directory and what its endpoints need. Its
// fields are set before its first use.
type Doctor struct {
	// Manager manages the endpoints.
	Manager *endpoint.Manager
	// RuntimeFinder finds the runtime.
	Runtimes RuntimeFinder
	// AccountReader is the logins; nil when SettingErr is set.
	Accounts AccountReader
	// Env is where the services are, SettingErr what is wrong with the
	// variables that say so.
	Env        globus.Environment
	SettingErr error
	// Service connects to the service as whoever is logged in.
	Service func(context.Context) (*compute.Client, error)
	// Getenv reads the environment of the caller.
	Getenv func(string) string
}

// ExamineOptions say what to check.
type ExamineOptions struct {
	// Offline asks no service.
	Offline bool
	// Fix repairs what can be repaired without risk.
	Fix bool
}

// check is one row of the table of checks.
type check struct {
	name string
	run  func(*examination, context.Context) []Finding
}

// checks are all checks, from the outside in.
func checks() []check {
	return []check{
		{"settings", (*examination).checkSettings},
		{"runtime", (*examination).checkRuntime},
		{"path", (*examination).checkUserPath},
		{"parsl", (*examination).checkParsl},
		{"directory", (*examination).checkDirectory},
		{"locks", (*examination).checkLocks},
		{"disk", (*examination).checkDisk},
		{"service", (*examination).checkServices},
		{"clock", (*examination).checkClock},
		{"login", (*examination).checkLogin},
		{"broker", (*examination).checkBroker},
		{"files", (*examination).checkFiles},
		{"endpoint", (*examination).checkEndpoints},
		{"user-endpoints", (*examination).checkUserEndpoints},
	}
}

// Examine runs every check. The error is only that of ctx.
func (d *Doctor) Examine(ctx context.Context, o ExamineOptions) ([]Finding, error) {
	v := &examination{Doctor: d, o: o}
	var all []Finding
	for _, c := range checks() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		progress.Report(ctx, progress.Event{Stage: "checking", Text: "checking " + c.name})
		for _, f := range c.run(v, ctx) {
			f.Check = c.name
			if o.Fix && f.fix != nil && (f.Verdict == Failed || f.Verdict == Warning) {
				f = applyFix(ctx, f)
			}
			all = append(all, f)
		}
	}
	return all, ctx.Err()
}

// applyFix repairs what a finding is about, and says so.
func applyFix(ctx context.Context, f Finding) Finding {
	did, err := f.fix(ctx)
	if err != nil {
		f.Evidence += "; it could not be repaired: " + err.Error()
		return f
	}
	f.Verdict, f.Evidence, f.Next = Fixed, f.Evidence+"; "+did, nil
	return f
}

// examination is one examination, with what several checks need to know.
type examination struct {
	*Doctor
	o ExamineOptions

	found      runtime.Runtime
	foundErr   error
	foundOnce  sync.Once
	reached    error
	reachOnce  sync.Once
	signed     *compute.Client
	signedErr  error
	signedOnce sync.Once
}

// askTimeout is how long one question to a service may take, retries included.
const askTimeout = 15 * time.Second

func okFinding(evidence string) []Finding { return []Finding{{Verdict: OK, Evidence: evidence}} }

func skippedFinding(why string) []Finding { return []Finding{{Verdict: Skipped, Evidence: why}} }

// findRuntime is the runtime that would be used.
func (v *examination) findRuntime(ctx context.Context) (runtime.Runtime, error) {
	v.foundOnce.Do(func() { v.found, v.foundErr = v.Runtimes.Find(ctx) })
	return v.found, v.foundErr
}

// listEndpoints are those of the directory. A directory that cannot be read has
// none here; the check of the directory says why.
func (v *examination) listEndpoints() []*endpointfs.Endpoint {
	all, _ := v.Manager.Dir.Endpoints()
	return all
}

// anonymousClient asks the service without a login.
func (v *examination) anonymousClient() *compute.Client {
	return &compute.Client{HTTP: v.Env.Client(), BaseURL: v.Env.ComputeURL}
}

// reachCompute says whether the service can be asked at all.
func (v *examination) reachCompute(ctx context.Context) error {
	v.reachOnce.Do(func() {
		if v.SettingErr != nil {
			v.reached = v.SettingErr
			return
		}
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		_, v.reached = v.anonymousClient().Version(ctx)
	})
	return v.reached
}

// authorizedClient is the service as whoever is logged in, proven by an answer.
func (v *examination) authorizedClient(ctx context.Context) (*compute.Client, error) {
	v.signedOnce.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		v.signed, v.signedErr = v.Service(ctx)
		if v.signedErr == nil {
			_, v.signedErr = v.signed.List(ctx, "owner")
		}
	})
	return v.signed, v.signedErr
}
