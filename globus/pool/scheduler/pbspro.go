package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"chiltepin/globus/next"
	"chiltepin/globus/pool/pyyaml"
)

// PBSPro submits blocks to PBS Professional.
type PBSPro struct{}

// Facts are its names.
func (PBSPro) Facts() Facts {
	return Facts{Name: "pbspro", Title: "PBS Professional", Class: "PBSProProvider", Program: "qsub", Batch: true, Spellings: []string{"pbs", "torque", "openpbs", "qsub"}}
}

// Detect asks qstat for the queues.
func (PBSPro) Detect(ctx context.Context, c Commands) (Detection, error) {
	out, err := c.Run(ctx, "qstat", "-Q")
	if err != nil {
		return Detection{}, err
	}
	return parseQueues(out), nil
}

// parseQueues reads the table of qstat -Q: a queue a line, below a line of
// dashes.
func parseQueues(out string) Detection {
	d := Detection{Name: PBSPro{}.Facts().Name, Why: "qstat answers"}
	table := false
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case strings.Trim(fields[0], "-") == "":
			table = true
		case table:
			d.Queues = append(d.Queues, fields[0])
		}
	}
	if len(d.Queues) == 1 {
		d.Queue = d.Queues[0]
	}
	return d
}

// Options are those of queues and nodes. A value goes into the script as it is.
func (PBSPro) Options() OptionSupport {
	return OptionSupport{
		Takes:    []string{"queue", "account", "cores_per_node", "nodes_per_block", "walltime"},
		Instead:  map[string]string{"partition": "PBS Professional has queues: set queue instead"},
		Verbatim: true, Launcher: DefaultLauncher,
		Keywords: []string{"account", "queue", "scheduler_options", "select_options", "cpus_per_node", "walltime"},
		Renamed:  map[string]string{"cpus_per_node": "cores_per_node"},
	}
}

// Script is parsl/providers/pbspro/pbspro.py and template.py.
func (PBSPro) Script(config ProviderConfig) Script {
	s := Script{Submit: "qsub"}
	// What is not None is given, an empty text too.
	if v, ok := config["queue"]; ok && v.Kind != pyyaml.Null {
		s.Submit += "  -q " + config.Text("queue")
	}
	if v, ok := config["account"]; ok && v.Kind != pyyaml.Null {
		s.Submit += " -A " + config.Text("account")
	}
	s.Submit += " SCRIPT"
	for _, name := range []string{"queue", "account"} {
		if v, ok := config[name]; ok && v.Kind == pyyaml.Text && v.Written == "" {
			s.addProblem("%s is an empty text, and qsub would take what follows for it", name)
		}
	}
	options := config.Text("select_options")
	if options != "" && !strings.HasPrefix(options, ":") {
		options = ":" + options
	}
	s.Header = fmt.Sprintf("#!/bin/bash\n\n#PBS -S /bin/bash\n#PBS -N JOB\n#PBS -m n\n#PBS -l walltime=%s\n#PBS -l select=%s:ncpus=%s%s\n#PBS -o SCRIPT.stdout\n#PBS -e SCRIPT.stderr\n%s\n\n%s\n\nexport JOBNAME=\"JOB\"",
		config.Format("walltime", "00:20:00"), config.Format("nodes_per_block", "1"), config.Format("cpus_per_node", "1"), options, config.Text("scheduler_options"), config.Text("worker_init"))
	return s
}

// SubmittedJob asks qstat for the job of that id; a name alone finds none.
func (PBSPro) SubmittedJob(ctx context.Context, c Commands, b Block) BatchJob {
	if b.ID == "" {
		return BatchJob{}
	}
	out, err := c.Run(ctx, "qstat", "-x", "-f", "-F", "json", b.ID)
	if err != nil {
		return BatchJob{ID: b.ID}
	}
	return parsePBSJob(b.ID, out)
}

// parsePBSJob reads what qstat -f -F json says.
func parsePBSJob(id, out string) BatchJob {
	var doc struct {
		Jobs map[string]struct {
			State   string `json:"job_state"`
			Comment string `json:"comment"`
			Host    string `json:"exec_host"`
		}
	}
	if json.Unmarshal([]byte(out), &doc) != nil || len(doc.Jobs) != 1 {
		return BatchJob{ID: id}
	}
	found := BatchJob{ID: id}
	for _, j := range doc.Jobs {
		found.State, found.Reason, found.Nodes = j.State, j.Comment, j.Host
	}
	switch found.State {
	case "Q", "H", "W", "T":
		found.Phase = Waiting
	case "R", "E":
		found.Phase = Running
	case "F":
		found.Phase = Gone
	default:
		found.Phase = Listed
	}
	return found
}

// Reason knows none: the comment of PBS is a sentence.
func (PBSPro) Reason(BatchJob) Reason { return Reason{} }

// Cancel runs qdel.
func (PBSPro) Cancel(ctx context.Context, c Commands, id string) error {
	_, err := c.Run(ctx, "qdel", id)
	return err
}

// Explain knows what qsub and the shell that looks for it print.
func (PBSPro) Explain(words string, seen Detection) Explanation {
	switch {
	case mentions(words, "unknown queue", "qsub: illegal -q", "queue is not enabled"):
		return Explanation{"PBS has no such queue, or the queue takes no jobs", []next.Step{next.Do("correct queue" + listed("queues", seen.Queues))}}
	case mentions(words, "cannot connect to server", "connection refused"):
		return schedulerSilent()
	case mentions(words, "qsub: command not found", "qsub: not found"):
		return programsMissing()
	}
	return Explanation{}
}
