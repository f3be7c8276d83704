package pool

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
)

// job is what a scheduler says of a block.
type job struct {
	ID string
	// State is the scheduler's word, Reason why it waits, Nodes where it runs.
	State, Reason, Nodes string
	// Known is false when the scheduler could not be asked or does not know it.
	Known bool
	// Gone is true when the scheduler was asked and no longer knows it, or says
	// that it has ended.
	Gone bool
}

// Waits is true for a job that has not started.
func (j job) Waits() bool {
	switch j.State {
	case "PENDING", "CONFIGURING", "REQUEUED", "SUSPENDED", "Q", "H", "W", "T":
		return true
	}
	return false
}

// Runs is true for one that has, and has not ended.
func (j job) Runs() bool {
	switch j.State {
	case "RUNNING", "COMPLETING", "R", "E":
		return true
	}
	return false
}

// askJob asks the scheduler of this machine about the block with that script:
// by its id where the log told it, else by the job's name, which is the
// script's.
func (m *Manager) askJob(ctx context.Context, provider, id, script string) job {
	name := filepath.Base(script)
	switch provider {
	case "slurm":
		args := []string{"-h", "-o", "%i|%T|%r|%N"}
		if id != "" {
			args = append(args, "-j", id)
		} else {
			args = append(args, "-n", name)
		}
		out, err := m.runTool(ctx, "squeue", args...)
		if err != nil {
			return job{ID: id, Gone: strings.Contains(err.Error(), "Invalid job id")}
		}
		return slurmJob(id, out)
	case "pbspro":
		if id == "" {
			return job{}
		}
		out, err := m.runTool(ctx, "qstat", "-x", "-f", "-F", "json", id)
		if err != nil {
			return job{ID: id}
		}
		return pbsJob(id, out)
	}
	return job{}
}

// slurmJob reads ID|STATE|REASON|NODES.
func slurmJob(id, out string) job {
	part := strings.SplitN(firstLine(out), "|", 4)
	if len(part) != 4 {
		return job{ID: id, Gone: strings.TrimSpace(out) == ""}
	}
	j := job{ID: part[0], State: part[1], Reason: part[2], Nodes: part[3], Known: true}
	if j.Reason == "None" {
		j.Reason = ""
	}
	return j
}

// pbsJob reads what qstat -f -F json says.
func pbsJob(id, out string) job {
	var doc struct {
		Jobs map[string]struct {
			State   string `json:"job_state"`
			Comment string `json:"comment"`
			Host    string `json:"exec_host"`
		}
	}
	if json.Unmarshal([]byte(out), &doc) != nil || len(doc.Jobs) != 1 {
		return job{ID: id}
	}
	for _, j := range doc.Jobs {
		return job{ID: id, State: j.State, Reason: j.Comment, Nodes: j.Host, Known: j.State != "F", Gone: j.State == "F"}
	}
	return job{ID: id}
}
