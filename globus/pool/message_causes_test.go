package pool

import (
	"strings"
	"testing"
	"time"

	"chiltepin/globus/pool/scheduler"
	"chiltepin/globus/progress"
)

// TestExplain knows the words of schedulers and shells.
func TestExplain(t *testing.T) {
	t.Parallel()
	r := &probe{m: &Manager{}, path: "pools.yaml"}
	found := scheduler.Detection{Partitions: []string{"debug", "batch"}}
	for words, want := range map[string]string{
		"sbatch: error: invalid partition specified: gpu":                                                        "correct partition; there are the partitions debug and batch",
		"sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified": "correct account or partition",
		"sbatch: error: Batch job submission failed: Invalid qos specification":                                  "correct queue",
		"Requested time limit is invalid (missing or exceeds some limit)":                                        "lower walltime",
		"Batch job submission failed: Requested node configuration is not available":                             "lower nodes_per_block",
		"qsub: Unknown queue": "correct queue",
		"sbatch: error: Unable to contact slurm controller (connect failure)": "try again later",
		"sbatch: fatal: Could not establish a configuration source":           "login node of the cluster",
		"/bin/sh: 1: sbatch: not found":                                       "PATH in user_environment.yaml",
		"line 4: globus-compute-endpoint: command not found":                  "must be on the PATH of the workers",
		"(jinja2.exceptions.UndefinedError) 'x' is undefined":                 "give it a default",
		"OSError: [Errno 28] No space left on device":                         "make room",
	} {
		if e := r.explainMessages([]string{"first", words}, found); e.Cause == "" || len(e.Next) != 1 || !strings.Contains(e.Next[0].Why, want) {
			t.Errorf("%s: %+v", words, e)
		}
	}
	if e := r.explainMessages([]string{"all is well"}, found); e.Cause != "" {
		t.Errorf("explains nothing by %q", e.Cause)
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
