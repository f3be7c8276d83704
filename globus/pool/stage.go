package pool

import (
	"fmt"
	"strings"
	"time"
)

// Stage is a step on the way of a task from the service to a worker and back.
type Stage string

// The stages, in their order.
const (
	// Accepted: the service knows the function and has been given the task.
	Accepted Stage = "accepted"
	// Commanded: the endpoint was told to start a user endpoint.
	Commanded Stage = "commanded"
	// Started: the user endpoint is up and takes tasks.
	Started Stage = "started"
	// Submitted: a block was handed to the provider.
	Submitted Stage = "submitted"
	// Running: the scheduler has started the block. On the endpoint's own host
	// that is one with Submitted.
	Running Stage = "running"
	// Connected: the workers of a block have reported.
	Connected Stage = "connected"
	// Returned: the task has returned what it should.
	Returned Stage = "returned"
)

// Stages are all stages in their order.
func Stages() []Stage {
	return []Stage{Accepted, Commanded, Started, Submitted, Running, Connected, Returned}
}

// describe says for people what has happened when a stage is reached, and what is
// waited for before.
func (s Stage) describe() (reached, awaited string) {
	switch s {
	case Accepted:
		return "the service has accepted the task", "the service is asked"
	case Commanded:
		return "the endpoint was told to start a user endpoint", "the endpoint is to hear of it"
	case Started:
		return "the user endpoint is up", "the user endpoint starts"
	case Submitted:
		return "a block was submitted", "a block is to be submitted"
	case Running:
		return "the block runs", "the block waits for the scheduler"
	case Connected:
		return "its workers have connected", "its workers start"
	}
	return "the task has returned", "the task is under way"
}

// Reached is a stage that was reached.
type Reached struct {
	Stage Stage
	// After is the time since the probe began. A stage that happens on another
	// machine is seen when a later one is.
	After time.Duration
	// Detail says more, such as the job's id.
	Detail string
}

// Failure is why a probe did not come to its end.
type ProbeFailure struct {
	// Stage is the first that was not reached.
	Stage Stage
	// Timeout is true when time ran out and nothing worse is known.
	Timeout bool
	// Cause is a sentence, Lines are what shows it: of a log, or a scheduler's
	// words. File is where they are from.
	Cause  string
	Lines  []string
	File   string
	Remedy string
}

// Probe is what a probe has shown.
type Probe struct {
	Pool     Pool
	Endpoint EndpointLookup
	// Reached are the stages reached, in their order. A stage that cannot be
	// seen from here is left out.
	Reached []Reached
	// Failure is nil for a pool that is proven.
	Failure *ProbeFailure
	// UserEndpoint is the UUID of the user endpoint that served it, Job the
	// scheduler's id of the block, Worker what the worker told of itself; each
	// is empty where it is not known.
	UserEndpoint, Job string
	Worker            Worker
	Took              time.Duration
	// Left are things that could not be taken away again, a sentence each.
	Left []string
}

// Worker is where the task ran.
type Worker struct {
	Host, Python, Directory string
}

// explainFailure turns the words of a scheduler, a shell or the daemon into a cause
// and a remedy that name the option. words are lines, the most telling last.
func explain(words []string, found Scheduler) (cause, remedy string) {
	text := strings.ToLower(strings.Join(words, "\n"))
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(text, p) {
				return true
			}
		}
		return false
	}
	one := func(list []string, what string) string {
		if len(list) == 0 {
			return ""
		}
		return fmt.Sprintf("; there are the %s %s", what, joinAndShortened(list))
	}
	switch {
	case has("invalid partition", "invalid_partition"):
		return "Slurm knows no such partition", "mend partition" + one(found.Partitions, "partitions")
	case has("invalid account", "account/partition combination"):
		return "Slurm does not let this account use the partition", "mend account or partition; sacctmgr show associations user=$USER shows what is allowed"
	case has("invalid qos"):
		return "Slurm knows no such QOS for this account", "mend queue, which is the QOS for Slurm"
	case has("time limit is invalid", "partitiontimelimit", "requested time limit"):
		return "the walltime is longer than the partition allows", "lower walltime; sinfo -o '%P %l' shows the limits"
	case has("node configuration is not available", "node count specification invalid", "partitionnodelimit", "more processors requested than permitted"):
		return "the partition has no such nodes, or not so many", "lower nodes_per_block or cores_per_node; sinfo shows what there is"
	case has("unknown queue", "qsub: illegal -q", "queue is not enabled"):
		return "PBS knows no such queue, or it takes no jobs", "mend queue" + one(found.Queues, "queues")
	case has("could not establish a configuration source", "fetch_config"):
		return "the commands of the scheduler Slurm are here, and no Slurm is known to them", "run the endpoint on a login node of the cluster, set SLURM_CONF in its user_environment.yaml, or choose another provider"
	case has("unable to contact slurm controller", "cannot connect to server", "connection refused"):
		return "the scheduler does not answer", "try again later, or ask those who run the machine"
	case has("sbatch: command not found", "sbatch: not found", "qsub: command not found", "qsub: not found"):
		return "the scheduler's programs are not on the PATH of the user endpoint", "add their directory to PATH in user_environment.yaml of the endpoint"
	case has("command not found", "no such file or directory", "module: not found", "lmod has detected"):
		return "a command of the block is not found", "mend environment; globus-compute-endpoint must be on the PATH of the workers"
	case has("is not of type", "additional properties", "is not one of", "does not match", "failed validating", "is less than the minimum"):
		return "the endpoint's schema refuses the options", "chiltepin pool check names the option"
	case has("is undefined"):
		return "the endpoint's template wants a variable that Chiltepin does not send", "give it a default in the template"
	case has("jinja2"):
		return "the endpoint's template is broken", "chiltepin pool render shows the error"
	case has("no space left", "disk quota"):
		return "the disk or its quota is full", "make room in the home directory"
	}
	return "", ""
}

func joinAndShortened(list []string) string {
	if len(list) > 12 {
		list = append(append([]string(nil), list[:12]...), "more")
	}
	if len(list) == 1 {
		return list[0]
	}
	return joinAnd(list)
}

// never says whether waiting helps against a reason of Slurm.
func never(reason string) bool {
	return reason == "PartitionTimeLimit" || reason == "PartitionNodeLimit"
}

// reportWaiting explains a reason for which Slurm holds a job back.
func waiting(reason string) string {
	switch reason {
	case "Resources":
		return "the nodes are busy; it starts when enough are free"
	case "Priority":
		return "other jobs come first"
	case "Dependency", "BeginTime", "JobHeldUser", "JobHeldAdmin":
		return "it is held back on purpose"
	case "PartitionTimeLimit":
		return "the walltime is longer than the partition allows; it will never start"
	case "PartitionNodeLimit":
		return "the partition gives no job so many nodes; it will never start"
	case "PartitionDown", "PartitionInactive":
		return "the partition is closed"
	case "ReqNodeNotAvail", "Nodes_required_for_job_are_DOWN,_DRAINED_or_reserved_for_jobs_in_higher_priority_partitions":
		return "nodes that it wants are down, drained or reserved"
	}
	switch {
	case strings.Contains(reason, "ReqNodeNotAvail"), strings.Contains(reason, "DOWN"):
		return "nodes that it wants are down, drained or reserved"
	case strings.HasPrefix(reason, "QOS"):
		return "a limit of the QOS is reached"
	case strings.HasPrefix(reason, "Assoc"):
		return "a limit of the account is reached"
	}
	return ""
}
