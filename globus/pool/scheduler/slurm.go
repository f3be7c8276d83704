package scheduler

import (
	"context"
	"strconv"
	"strings"

	"chiltepin/globus/next"
)

// Slurm submits blocks to Slurm. Its script is in slurm_script.go.
type Slurm struct{}

// Facts are its names.
func (Slurm) Facts() Facts {
	return Facts{Name: "slurm", Title: "Slurm", Class: "SlurmProvider", Program: "sbatch", Batch: true, Spellings: []string{"sbatch"}}
}

// Detect asks sinfo for the partitions, and sacctmgr for the user's account.
func (Slurm) Detect(ctx context.Context, c Commands) (Detection, error) {
	out, err := c.Run(ctx, "sinfo", "-h", "-o", "%P|%c")
	if err != nil {
		return Detection{}, err
	}
	d := parsePartitions(out)
	if user := firstWord(c.Getenv("USER")); user != "" {
		if out, err := c.Run(ctx, "sacctmgr", "-nP", "show", "user", user, "format=defaultaccount"); err == nil {
			d.Account = firstLine(out)
		}
	}
	return d, nil
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

// parsePartitions reads the lines of sinfo, PARTITION|CPUS, where a * marks the
// default.
func parsePartitions(out string) Detection {
	d := Detection{Name: Slurm{}.Facts().Name, Why: "sinfo answers"}
	for line := range strings.Lines(out) {
		name, cpus, _ := strings.Cut(strings.TrimSpace(line), "|")
		if name == "" {
			continue
		}
		name, isDefault := strings.CutSuffix(name, "*")
		if len(d.Partitions) == 0 || d.Partitions[len(d.Partitions)-1] != name {
			d.Partitions = append(d.Partitions, name)
		}
		if isDefault && d.Partition == "" {
			d.Partition = name
			d.Cores, _ = strconv.Atoi(strings.TrimSuffix(cpus, "+")) // 0 where it is none
		}
	}
	return d
}

// Options are those of partitions and nodes; the QOS is the option queue.
func (Slurm) Options() OptionSupport {
	return OptionSupport{
		Takes:    []string{"partition", "queue", "account", "cores_per_node", "nodes_per_block", "walltime", "exclusive"},
		Launcher: "srun",
		Keywords: []string{"partition", "account", "qos", "constraint", "clusters", "cores_per_node", "mem_per_node", "gpus_per_node", "gres", "walltime",
			"scheduler_options", "regex_job_id", "status_batch_size", "exclusive"},
		Renamed: map[string]string{"qos": "queue"},
	}
}

// SubmittedJob asks squeue, by the job's id or else by its name.
func (Slurm) SubmittedJob(ctx context.Context, c Commands, b Block) BatchJob {
	args := []string{"-h", "-o", "%i|%T|%r|%N", "-n", b.Name}
	if b.ID != "" {
		args = []string{"-h", "-o", "%i|%T|%r|%N", "-j", b.ID}
	}
	out, err := c.Run(ctx, "squeue", args...)
	if err != nil && strings.Contains(err.Error(), "Invalid job id") {
		return BatchJob{ID: b.ID, Phase: Gone}
	}
	if err != nil {
		return BatchJob{ID: b.ID}
	}
	return parseSlurmJob(b.ID, out)
}

// parseSlurmJob reads ID|STATE|REASON|NODES.
func parseSlurmJob(id, out string) BatchJob {
	part := strings.SplitN(firstLine(out), "|", 4)
	switch {
	case strings.TrimSpace(out) == "":
		return BatchJob{ID: id, Phase: Gone}
	case len(part) != 4:
		return BatchJob{ID: id}
	}
	j := BatchJob{ID: part[0], State: part[1], Reason: part[2], Nodes: part[3], Phase: Listed}
	if j.Reason == "None" {
		j.Reason = ""
	}
	switch j.State {
	case "PENDING", "CONFIGURING", "REQUEUED", "SUSPENDED":
		j.Phase = Waiting
	case "RUNNING", "COMPLETING":
		j.Phase = Running
	}
	return j
}

// Cancel runs scancel.
func (Slurm) Cancel(ctx context.Context, c Commands, id string) error {
	_, err := c.Run(ctx, "scancel", id)
	return err
}

// Reason explains the reasons of squeue.
func (Slurm) Reason(j BatchJob) Reason {
	switch r := j.Reason; {
	case r == "Resources":
		return Reason{Text: "the nodes are busy; it starts when enough are free"}
	case r == "Priority":
		return Reason{Text: "other jobs come first"}
	case r == "Dependency", r == "BeginTime", r == "JobHeldUser", r == "JobHeldAdmin":
		return Reason{Text: "it is held back on purpose"}
	case r == "PartitionTimeLimit":
		return Reason{Text: "the walltime is longer than the partition allows; it will never start", Final: true}
	case r == "PartitionNodeLimit":
		return Reason{Text: "the partition gives no job so many nodes; it will never start", Final: true}
	case r == "PartitionDown", r == "PartitionInactive":
		return Reason{Text: "the partition is closed"}
	case strings.Contains(r, "ReqNodeNotAvail"), strings.Contains(r, "DOWN"):
		return Reason{Text: "nodes that it needs are down, drained or reserved"}
	case strings.HasPrefix(r, "QOS"):
		return Reason{Text: "a limit of the QOS is reached"}
	case strings.HasPrefix(r, "Assoc"):
		return Reason{Text: "a limit of the account is reached"}
	}
	return Reason{}
}

// Explain knows what sbatch and the shell that looks for it print.
func (Slurm) Explain(words string, seen Detection) Explanation {
	explain := func(cause, what string) Explanation { return Explanation{cause, []next.Step{next.Do(what)}} }
	switch {
	case mentions(words, "invalid partition", "invalid_partition"):
		return explain("Slurm has no such partition", "correct partition"+listed("partitions", seen.Partitions))
	case mentions(words, "invalid account", "account/partition combination"):
		return explain("Slurm does not let this account use the partition", "correct account or partition; sacctmgr show associations user=$USER shows what is allowed")
	case mentions(words, "invalid qos"):
		return explain("Slurm has no such QOS for this account", "correct queue, which is the QOS for Slurm")
	case mentions(words, "time limit is invalid", "partitiontimelimit", "requested time limit"):
		return explain("the walltime is longer than the partition allows", "lower walltime; sinfo -o '%P %l' shows the limits")
	case mentions(words, "node configuration is not available", "node count specification invalid", "partitionnodelimit", "more processors requested than permitted"):
		return explain("the partition has no such nodes, or not so many", "lower nodes_per_block or cores_per_node; sinfo shows what there is")
	case mentions(words, "could not establish a configuration source", "fetch_config"):
		return explain("the commands of Slurm are installed here, but no Slurm cluster is configured for them", "run the endpoint on a login node of the cluster, set SLURM_CONF in its user_environment.yaml, or choose another provider")
	case mentions(words, "unable to contact slurm controller"):
		return schedulerSilent()
	case mentions(words, "sbatch: command not found", "sbatch: not found"):
		return programsMissing()
	}
	return Explanation{}
}

// schedulerSilent and programsMissing are the same for every scheduler.
func schedulerSilent() Explanation {
	return Explanation{"the scheduler does not answer", []next.Step{next.Do("try again later, or ask the administrators of the machine")}}
}

func programsMissing() Explanation {
	return Explanation{"the scheduler's programs are not on the PATH of the user endpoint", []next.Step{next.Do("add their directory to PATH in user_environment.yaml of the endpoint")}}
}
