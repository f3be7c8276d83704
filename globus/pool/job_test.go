package pool

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/progress"
)

func TestJobs(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]job{
		"12|PENDING|Resources|\n": {ID: "12", State: "PENDING", Reason: "Resources", Known: true},
		"12|RUNNING|None|n1\n":    {ID: "12", State: "RUNNING", Nodes: "n1", Known: true},
		"":                        {ID: "12", Gone: true},
		"something else":          {ID: "12"},
	} {
		if diff := cmp.Diff(want, slurmJob("12", out)); diff != "" {
			t.Errorf("%q: %s", out, diff)
		}
	}
	for out, want := range map[string]job{
		`{"Jobs":{"7.pbs":{"job_state":"Q","comment":"Not Running: Insufficient amount of resource: ncpus"}}}`: {ID: "7.pbs", State: "Q", Reason: "Not Running: Insufficient amount of resource: ncpus", Known: true},
		`{"Jobs":{"7.pbs":{"job_state":"R","exec_host":"n1/0"}}}`:                                              {ID: "7.pbs", State: "R", Nodes: "n1/0", Known: true},
		`{"Jobs":{"7.pbs":{"job_state":"F"}}}`:                                                                 {ID: "7.pbs", State: "F", Gone: true},
		`{}`:                                                                                                   {ID: "7.pbs"},
		`nay`:                                                                                                  {ID: "7.pbs"},
	} {
		if diff := cmp.Diff(want, pbsJob("7.pbs", out)); diff != "" {
			t.Errorf("%s: %s", out, diff)
		}
	}
}

func TestSchedulers(t *testing.T) {
	t.Parallel()
	got := slurmOf("debug|4\nbatch*|36+\nbatch*|48\n")
	got.Why = ""
	want := Scheduler{Name: "slurm", Partition: "batch", Cores: 36, Partitions: []string{"debug", "batch"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	const table = `Queue              Max   Tot Ena Str   Que   Run   Hld   Wat   Trn   Ext Type
---------------- ----- ----- --- --- ----- ----- ----- ----- ----- ----- ----
workq                0     0 yes yes     0     0     0     0     0     0 Exec
`
	got = pbsOf(table)
	got.Why = ""
	if diff := cmp.Diff(Scheduler{Name: "pbspro", Queue: "workq", Queues: []string{"workq"}}, got); diff != "" {
		t.Error(diff)
	}
}

// TestExplain knows the words of schedulers and shells.
func TestExplain(t *testing.T) {
	t.Parallel()
	found := Scheduler{Partitions: []string{"debug", "batch"}}
	for words, want := range map[string]string{
		"sbatch: error: invalid partition specified: gpu":                                                        "mend partition; there are the partitions debug and batch",
		"sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified": "mend account or partition",
		"sbatch: error: Batch job submission failed: Invalid qos specification":                                  "mend queue",
		"Requested time limit is invalid (missing or exceeds some limit)":                                        "lower walltime",
		"Batch job submission failed: Requested node configuration is not available":                             "lower nodes_per_block",
		"qsub: Unknown queue": "mend queue",
		"sbatch: error: Unable to contact slurm controller (connect failure)": "try again later",
		"sbatch: fatal: Could not establish a configuration source":           "login node of the cluster",
		"/bin/sh: 1: sbatch: not found":                                       "PATH in user_environment.yaml",
		"line 4: globus-compute-endpoint: command not found":                  "must be on the PATH of the workers",
		"(jinja2.exceptions.UndefinedError) 'x' is undefined":                 "give it a default",
		"OSError: [Errno 28] No space left on device":                         "make room",
	} {
		if cause, remedy := explain([]string{"first", words}, found); cause == "" || !strings.Contains(remedy, want) {
			t.Errorf("%s: %q, %q", words, cause, remedy)
		}
	}
	if cause, _ := explain([]string{"all is well"}, found); cause != "" {
		t.Errorf("explains nothing by %q", cause)
	}
}

// TestNext goes through the stages in their order.
func TestNext(t *testing.T) {
	t.Parallel()
	r := probe{began: time.Now(), tell: func(progress.Event) {}}
	var got []string
	for range Stages() {
		got = append(got, string(r.nextStage()))
		r.markReached(r.nextStage(), "")
	}
	if s := strings.Join(got, " "); s != "accepted commanded started submitted running connected returned" || r.nextStage() != Returned {
		t.Error(s)
	}
}
