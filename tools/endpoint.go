package tools

import (
	"context"
	"time"

	"chiltepin/endpointfs/log"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/next"
	"chiltepin/tools/operation"
)

// Endpoints is what the operations on endpoints need: the life of the local
// endpoints of one configuration directory. [endpoint.Manager] is one.
type Endpoints interface {
	Configure(ctx context.Context, name string, opts endpoint.ConfigureOptions) (endpoint.Configuration, error)
	List(ctx context.Context) ([]endpoint.Status, error)
	Status(ctx context.Context, name string, opts endpoint.StatusOptions) (endpoint.Status, error)
	Start(ctx context.Context, name string, opts endpoint.StartOptions) (endpoint.StartResult, error)
	Stop(ctx context.Context, name string, opts endpoint.StopOptions) (endpoint.StopResult, error)
	Restart(ctx context.Context, name string, opts endpoint.StopOptions) (endpoint.RestartResult, error)
	Delete(ctx context.Context, name string, opts endpoint.DeleteOptions) (endpoint.DeleteResult, error)
	Logs(ctx context.Context, name string, opts endpoint.LogOptions) (log.Page, string, error)
	Survey(ctx context.Context) ([]endpoint.Pair, error)
	PlanPruning(ctx context.Context, opts endpoint.PruneOptions) (endpoint.Plan, error)
	Prune(ctx context.Context, plan endpoint.Plan) ([]endpoint.StepOutcome, error)
	// Follow hands out the endpoints there are, then each change, until ctx
	// ends or a function fails.
	Follow(ctx context.Context, first func([]endpoint.Status) error, tell func(endpoint.Change) error) error
	// ConfigDir is the path of the configuration directory.
	ConfigDir() string
}

// atEndpoints runs do with the endpoints of the place that a call names.
func atEndpoints[Out any](ctx context.Context, s Services, at Place, do func(Endpoints) (Out, error)) (Out, error) {
	eps, err := s.Endpoints(ctx, at)
	if err != nil {
		var none Out
		return none, err
	}
	return do(eps)
}

// endpointTools are the operations that every release of Python Chiltepin has
// had, and those beside them; the life of an endpoint, in its order.
func endpointTools(s Services) []*operation.Tool {
	complete := map[string]func(context.Context, string) []string{"name": completeNames(s)}
	return []*operation.Tool{
		defineConfigure(s),
		defineList(s),
		defineStatus(s, complete),
		defineStart(s, complete),
		defineStop(s, complete),
		defineRestart(s, complete),
		defineDelete(s, complete),
		definePrune(s),
		defineLogs(s, complete),
		defineWatch(s),
	}
}

// completeNames offers the names of the endpoints there are.
func completeNames(s Services) func(context.Context, string) []string {
	return func(ctx context.Context, configDir string) []string {
		names, _ := atEndpoints(ctx, s, Place{ConfigDir: configDir}, func(eps Endpoints) ([]string, error) {
			var names []string
			list, err := eps.List(ctx)
			for _, e := range list {
				names = append(names, e.Name)
			}
			return names, err
		})
		return names
	}
}

func defineConfigure(s Services) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:    "endpoint.configure",
		Title:   "Configure endpoint",
		Summary: "Write the directory of a new endpoint",
		Doc: `Writes config.yaml, a user endpoint template that takes the options of a Chiltepin
configuration, their schema and the environment of user endpoints, all or nothing: a name
that is taken is refused. Needs no network, login or Python. The template can have defaults
for options that a pool leaves out; --detect asks the scheduler for them, --preview only
shows.`,
		Effect:   operation.Changes,
		Examples: []string{"chiltepin endpoint configure my-endpoint", "chiltepin endpoint configure --email me@example.org my-endpoint", "chiltepin endpoint configure --detect --preview my-endpoint"},
		Errors:   []operation.Code{operation.CodeAlreadyExists, operation.CodeConflict, operation.CodeRefused, operation.CodeUnsupported},
	}, func(ctx context.Context, in EndpointConfigureArgs) (EndpointConfiguration, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: in.ConfigDir}, func(eps Endpoints) (EndpointConfiguration, error) {
			defaults, seen, err := poolDefaults(ctx, s, in)
			if err != nil {
				return EndpointConfiguration{}, err
			}
			if in.Preview {
				return EndpointConfiguration{Name: in.Name, Path: eps.ConfigDir(), Files: []string{}, Defaults: defaultsOf(defaults), Scheduler: seen, Preview: true}, nil
			}
			c, err := eps.Configure(ctx, in.Name, endpoint.ConfigureOptions{DisplayName: in.DisplayName, Email: in.Email, Defaults: defaults})
			if err != nil {
				return EndpointConfiguration{}, err
			}
			out := EndpointConfiguration{Name: c.Name, Path: c.Path, Files: append([]string{}, c.Files...), Defaults: defaultsOf(defaults), Scheduler: seen, Next: nextSteps(c.Next)}
			if len(out.Next) == 0 {
				out.Next = callOf(next.EndpointStart, next.Args{"name": c.Name}, "")
			}
			return out, nil
		})
	})
}

func defineList(s Services) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:    "endpoint.list",
		Title:   "List endpoints",
		Summary: "List the endpoints with UUID and status",
		Doc: `Reads the configuration directory and looks at the processes of this machine. Asks
nobody: no network, no Python. With --remote the service is asked too, and the
registrations of whoever is logged in stand beside the directories, with what is odd:
orphaned ones, ghosts, names used twice, endpoints of other machines.`,
		Effect:   operation.Reads,
		Examples: []string{"chiltepin endpoint list", "chiltepin endpoint -c /scratch/me/gc list", "chiltepin endpoint list --remote", "chiltepin endpoint list --json"},
		Errors:   []operation.Code{operation.CodeNotLoggedIn, operation.CodeUnavailable, operation.CodeRefused},
	}, func(ctx context.Context, in EndpointListArgs) (EndpointList, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: in.ConfigDir}, func(eps Endpoints) (EndpointList, error) {
			if in.Remote {
				pairs, err := eps.Survey(ctx)
				if err != nil {
					return EndpointList{}, err
				}
				return sideBySide(eps.ConfigDir(), pairs), nil
			}
			list, err := eps.List(ctx)
			if err != nil {
				return EndpointList{}, err
			}
			out := endpointList(eps, list)
			out.heading = in.Header
			return out, nil
		})
	})
}

func defineStatus(s Services, complete map[string]func(context.Context, string) []string) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:    "endpoint.status",
		Title:   "Endpoint status",
		Summary: "Tell the status of an endpoint and the evidence for it",
		Doc: `Judges from the process, its host and boot, the pid file, the log and our own record of
the launch, and shows them. Where somebody is logged in the service is asked too; that it
calls an endpoint online or offline is shown beside the evidence and never replaces it.`,
		Effect:   operation.Reads,
		Examples: []string{"chiltepin endpoint status my-endpoint", "chiltepin endpoint status --offline --json my-endpoint"},
		Errors:   []operation.Code{operation.CodeNotFound, operation.CodeRefused},
		Complete: complete,
	}, func(ctx context.Context, in EndpointStatusArgs) (EndpointStatus, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: in.ConfigDir}, func(eps Endpoints) (EndpointStatus, error) {
			st, err := eps.Status(ctx, in.Name, endpoint.StatusOptions{Offline: in.Offline})
			if err != nil {
				return EndpointStatus{}, err
			}
			return endpointStatus(st), nil
		})
	})
}

func defineStart(s Services, complete map[string]func(context.Context, string) []string) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:    "endpoint.start",
		Title:   "Start endpoint",
		Summary: "Start an endpoint and wait until it is proven to run",
		Doc: `Checks the files, launches globus-compute-endpoint in a session of its own and waits until
its process, pid file, registration and log show that it runs. The first start registers it
and so gives it its UUID. It outlives this command and the terminal. One that runs is left
alone, one that is on its way is joined. A daemon that ends instead is reported at once,
with its exit status, the cause and the log since the launch.`,
		Effect:   operation.Idempotent,
		Examples: []string{"chiltepin endpoint start my-endpoint", "chiltepin endpoint start --timeout 5m my-endpoint"},
		Errors:   []operation.Code{operation.CodeNotFound, operation.CodeNotLoggedIn, operation.CodeTimeout, operation.CodeUnavailable, operation.CodeUnsupported, operation.CodeConflict, operation.CodeRefused, operation.CodeFailed},
		Complete: complete,
	}, func(ctx context.Context, in EndpointStartArgs) (EndpointStatus, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: in.ConfigDir, Runtime: in.Runtime}, func(eps Endpoints) (EndpointStatus, error) {
			r, err := eps.Start(ctx, in.Name, endpoint.StartOptions{Timeout: time.Duration(in.Timeout)})
			if err != nil {
				return EndpointStatus{}, err
			}
			return startedStatus(r), nil
		})
	})
}

func defineStop(s Services, complete map[string]func(context.Context, string) []string) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:    "endpoint.stop",
		Title:   "Stop endpoint",
		Summary: "Stop an endpoint once its running tasks are done",
		Doc: `While user endpoints have outstanding tasks it waits and shows how many; if the time runs
out nothing is stopped. Then the daemon is asked to end, and reported stopped when it is
seen gone. Only processes proven to be this endpoint's are signalled; what a killed
user endpoint has left running is ended too. A daemon that runs on another machine
ends by itself once its daemon.pid is taken away, and is reported
stopped when its log marks the end. Stopping one that does not run does nothing and
succeeds. --now does not wait for tasks, which are then lost, and ends a daemon that does
not listen.`,
		Effect:     operation.Idempotent,
		DestroysBy: []string{"now"},
		Examples:   []string{"chiltepin endpoint stop my-endpoint", "chiltepin endpoint stop --now --yes my-endpoint"},
		Errors:     []operation.Code{operation.CodeNotFound, operation.CodeTimeout, operation.CodeConflict, operation.CodeRefused},
		Complete:   complete,
	}, func(ctx context.Context, in EndpointStopArgs) (EndpointStatus, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: in.ConfigDir}, func(eps Endpoints) (EndpointStatus, error) {
			if err := consentToLosing(ctx, eps, "endpoint.stop", in); err != nil {
				return EndpointStatus{}, err
			}
			r, err := eps.Stop(ctx, in.Name, endpoint.StopOptions{Timeout: time.Duration(in.Timeout), Now: in.Now})
			if err != nil {
				return EndpointStatus{}, err
			}
			out := endpointStatus(r.Status)
			out.Outcome = string(r.Outcome)
			return out, nil
		})
	})
}

func defineRestart(s Services, complete map[string]func(context.Context, string) []string) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:       "endpoint.restart",
		Title:      "Restart endpoint",
		Summary:    "Stop an endpoint and start it again",
		Doc:        `Does what stop does, then what start does, with nothing else of chiltepin in between.`,
		Effect:     operation.Changes,
		DestroysBy: []string{"now"},
		Examples:   []string{"chiltepin endpoint restart my-endpoint"},
		Errors:     []operation.Code{operation.CodeNotFound, operation.CodeNotLoggedIn, operation.CodeTimeout, operation.CodeUnavailable, operation.CodeUnsupported, operation.CodeConflict, operation.CodeRefused, operation.CodeFailed},
		Complete:   complete,
	}, func(ctx context.Context, in EndpointRestartArgs) (EndpointStatus, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: in.ConfigDir, Runtime: in.Runtime}, func(eps Endpoints) (EndpointStatus, error) {
			if err := consentToLosing(ctx, eps, "endpoint.restart", in.EndpointStopArgs); err != nil {
				return EndpointStatus{}, err
			}
			r, err := eps.Restart(ctx, in.Name, endpoint.StopOptions{Timeout: time.Duration(in.Timeout), Now: in.Now})
			if err != nil {
				return EndpointStatus{}, err
			}
			out := startedStatus(r.Start)
			out.Outcome = "restarted"
			return out, nil
		})
	})
}

func defineDelete(s Services, complete map[string]func(context.Context, string) []string) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:    "endpoint.delete",
		Title:   "Delete endpoint",
		Summary: "Deregister an endpoint and remove its files",
		Doc: `Ends the registration at the service, then removes the endpoint's directory and those of
its user endpoints; tells each step. It cannot be undone. One that runs is refused unless
--force stops it first. When the service cannot be reached nothing is removed, unless
--local-only accepts that the registration stays. A registration that is gone already is no
error. A script without a terminal may delete what does not run.`,
		Effect:   operation.Destroys,
		Examples: []string{"chiltepin endpoint delete my-endpoint", "chiltepin endpoint delete --yes --force my-endpoint"},
		Errors:   []operation.Code{operation.CodeNotFound, operation.CodeNotLoggedIn, operation.CodeTimeout, operation.CodeUnavailable, operation.CodeConflict, operation.CodeRefused},
		Complete: complete,
	}, func(ctx context.Context, in EndpointDeleteArgs) (EndpointDeletion, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: in.ConfigDir}, func(eps Endpoints) (EndpointDeletion, error) {
			st, err := eps.Status(ctx, in.Name, endpoint.StatusOptions{Offline: true})
			if err != nil {
				return EndpointDeletion{}, err
			}
			if err := consentToDeleting(ctx, eps, st, in); err != nil {
				return EndpointDeletion{}, err
			}
			r, err := eps.Delete(ctx, in.Name, endpoint.DeleteOptions{Force: in.Force, LocalOnly: in.LocalOnly})
			if err != nil {
				return EndpointDeletion{}, err
			}
			return EndpointDeletion{Name: r.Name, ID: r.ID, Steps: stepResults(r.Steps)}, nil
		})
	})
}
