package scheduler

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestJobs reads what squeue and qstat print of a job.
func TestJobs(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]BatchJob{
		"12|PENDING|Resources|\n": {ID: "12", State: "PENDING", Reason: "Resources", Phase: Waiting},
		"12|RUNNING|None|n1\n":    {ID: "12", State: "RUNNING", Nodes: "n1", Phase: Running},
		"12|FAILED|None|\n":       {ID: "12", State: "FAILED", Phase: Listed},
		"":                        {ID: "12", Phase: Gone},
		"something else":          {ID: "12"},
	} {
		if diff := cmp.Diff(want, parseSlurmJob("12", out)); diff != "" {
			t.Errorf("%q: %s", out, diff)
		}
	}
	for out, want := range map[string]BatchJob{
		`{"Jobs":{"7.pbs":{"job_state":"Q","comment":"Not Running: Insufficient amount of resource: ncpus"}}}`: {ID: "7.pbs", State: "Q", Reason: "Not Running: Insufficient amount of resource: ncpus", Phase: Waiting},
		`{"Jobs":{"7.pbs":{"job_state":"R","exec_host":"n1/0"}}}`:                                              {ID: "7.pbs", State: "R", Nodes: "n1/0", Phase: Running},
		`{"Jobs":{"7.pbs":{"job_state":"F"}}}`:                                                                 {ID: "7.pbs", State: "F", Phase: Gone},
		`{}`:                                                                                                   {ID: "7.pbs"},
		`nay`:                                                                                                  {ID: "7.pbs"},
	} {
		if diff := cmp.Diff(want, parsePBSJob("7.pbs", out)); diff != "" {
			t.Errorf("%s: %s", out, diff)
		}
	}
}

// TestDetections reads what sinfo and qstat print of a machine.
func TestDetections(t *testing.T) {
	t.Parallel()
	got := parsePartitions("debug|4\nbatch*|36+\nbatch*|48\n")
	got.Why = ""
	want := Detection{Name: "slurm", Partition: "batch", Cores: 36, Partitions: []string{"debug", "batch"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	const table = `Queue              Max   Tot Ena Str   Que   Run   Hld   Wat   Trn   Ext Type
---------------- ----- ----- --- --- ----- ----- ----- ----- ----- ----- ----
workq                0     0 yes yes     0     0     0     0     0     0 Exec
`
	got = parseQueues(table)
	got.Why = ""
	if diff := cmp.Diff(Detection{Name: "pbspro", Queue: "workq", Queues: []string{"workq"}}, got); diff != "" {
		t.Error(diff)
	}
}

// TestNoScheduler says what was looked for on a machine that has none.
func TestNoScheduler(t *testing.T) {
	t.Parallel()
	d, err := All().Detect(t.Context(), Commands{Environ: []string{"PATH=" + t.TempDir()}})
	if err != nil || d.Provider() != "localhost" {
		t.Errorf("%+v, %v", d, err)
	}
	if diff := cmp.Diff(Detection{Name: "none", Why: "neither sinfo nor qstat is on PATH"}, d); diff != "" {
		t.Error(diff)
	}
}

// TestPoolOption turns the keywords of parsl back into the options of a pool.
func TestPoolOption(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ class, keyword, want string }{
		{"SlurmProvider", "qos", "queue"},
		{"SlurmProvider", "partition", "partition"},
		{"SlurmProvider", "constraint", ""},
		{"PBSProProvider", "cpus_per_node", "cores_per_node"},
		{"PBSProProvider", "queue", "queue"},
		{"LocalProvider", "max_blocks", "max_blocks"},
		{"LocalProvider", "nodes_per_block", ""},
		{"LocalProvider", "endpoint", ""},
		{"KubernetesProvider", "max_blocks", "max_blocks"},
		{"KubernetesProvider", "partition", ""},
	} {
		if got := All().PoolOption(tt.class, tt.keyword); got != tt.want {
			t.Errorf("%s, %s: %q, want %q", tt.class, tt.keyword, got, tt.want)
		}
	}
}

// TestSchedulers holds each scheduler to what the interface asks of it.
func TestSchedulers(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, o := range All().Catalogue() {
		known[o.Name] = o.Batch
	}
	for _, s := range All() {
		f := s.Facts()
		if f.Name == "" || f.Title == "" || !strings.HasSuffix(f.Class, "Provider") {
			t.Errorf("%T: %+v", s, f)
		}
		if found, ok := All().OfClass(f.Class); !ok || found != s {
			t.Errorf("%T is not found by its class", s)
		}
		for _, option := range s.Options().Takes {
			if !known[option] {
				t.Errorf("%T takes %s, which is no option of a batch scheduler", s, option)
			}
		}
		if f.Batch != (len(s.Options().Takes) > 0) {
			t.Errorf("%T: a batch scheduler takes options that no other takes", s)
		}
	}
}
