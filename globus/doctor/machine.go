package doctor

import (
	"context"
	"fmt"

	"chiltepin/globus/endpoint"
	"chiltepin/globus/next"
	"chiltepin/globus/runtime"
)

// checkSettings looks at the variables of the environment that lead programs
// elsewhere than they are meant to go.
func (v *examination) checkSettings(context.Context) []Finding {
	var all []Finding
	if v.SettingErr != nil {
		all = append(all, Finding{Verdict: Failed, Evidence: v.SettingErr.Error(), Next: stepsOf(v.SettingErr, next.Do("correct it, or unset it"))})
	}
	for _, name := range []string{"GLOBUS_COMPUTE_ENDPOINT_DIR", "GLOBUS_COMPUTE_ENDPOINT_NAME", "GLOBUS_COMPUTE_LOG_PATH"} {
		if v.Getenv(name) != "" {
			all = append(all, Finding{Subject: name, Verdict: Warning,
				Evidence: name + " is set, as it is inside a task: globus-compute-endpoint, when called by hand, acts on the endpoint that this variable names, not on the one in its arguments",
				Next:     doOnly("unset " + name)})
		}
	}
	if len(all) == 0 {
		return okFinding("environment " + v.Env.Name + ", service " + v.Env.ComputeURL)
	}
	return all
}

// checkRuntime has the program say its version.
func (v *examination) checkRuntime(ctx context.Context) []Finding {
	rt, err := v.findRuntime(ctx)
	if err != nil {
		return []Finding{{Verdict: Failed, Evidence: err.Error(), Next: stepsOf(err, next.Call(next.RuntimeInstall, nil, ""))}}
	}
	version, err := v.Runtimes.Check(ctx, rt)
	if err != nil {
		v.foundErr = err
		return []Finding{{Verdict: Failed, Evidence: err.Error(), Next: stepsOf(err, next.Call(next.RuntimeInstall, nil, ""))}}
	}
	return okFinding(fmt.Sprintf("%s is release %s; it is used because %s", rt.Path, version, rt.Why))
}

// checkUserPath looks at the PATH that each endpoint gives its user endpoints, which run
// the daemon's program by name.
func (v *examination) checkUserPath(ctx context.Context) []Finding {
	rt, err := v.findRuntime(ctx)
	if err != nil {
		return skippedFinding("there is no runtime")
	}
	var all []Finding
	eps := v.listEndpoints()
	for _, ep := range eps {
		path, err := ep.UserPath()
		if err != nil || path == "" {
			continue // the check of its files says why, or the daemon's own PATH is used, which we set
		}
		program, found := endpoint.LeadsTo(path)
		remedy := doOnly("put " + rt.Bin + " first in PATH in " + ep.EnvironmentFile())
		if !found {
			all = append(all, Finding{Subject: ep.Name(), Verdict: Failed, Next: remedy,
				Evidence: "the PATH in user_environment.yaml has no " + runtime.Program + ", which every user endpoint runs by name"})
		}
		other := runtime.PackageVersion(program, "globus-compute-endpoint", path)
		if other != "" && rt.Version != "" && other != rt.Version {
			all = append(all, Finding{Subject: ep.Name(), Verdict: Warning, Next: remedy,
				Evidence: fmt.Sprintf("the daemon is release %s, and with the PATH in user_environment.yaml its user endpoints run %s, which is release %s", rt.Version, program, other)})
		}
	}
	if len(all) == 0 {
		return okFinding(ofEachEndpoint(len(eps), "has a PATH by which its user endpoints find the runtime"))
	}
	return all
}

// checkParsl compares the parsl of the runtime with the one that user endpoints and
// workers will find. Releases of the daemon before 4.19 refuse to work with
// another one.
func (v *examination) checkParsl(ctx context.Context) []Finding {
	rt, err := v.findRuntime(ctx)
	if err != nil {
		return skippedFinding("there is no runtime")
	}
	own := runtime.PackageVersion(rt.Path, "parsl", v.Getenv("PATH"))
	if own == "" {
		return skippedFinding("the version of the runtime's parsl could not be found")
	}
	var all []Finding
	for _, ep := range v.listEndpoints() {
		path, err := ep.UserPath()
		if err != nil || path == "" {
			continue
		}
		program, found := endpoint.LeadsTo(path)
		if !found {
			continue // the check of PATH says so
		}
		if other := runtime.PackageVersion(program, "parsl", path); other != "" && other != own {
			all = append(all, Finding{Subject: ep.Name(), Verdict: Warning,
				Evidence: fmt.Sprintf("the runtime has parsl %s, and what user endpoints run, %s, has parsl %s", own, program, other),
				Next:     doOnly("use one environment for both: put " + rt.Bin + " first in PATH in " + ep.EnvironmentFile())})
		}
	}
	if len(all) == 0 {
		return okFinding("parsl " + own)
	}
	return all
}
