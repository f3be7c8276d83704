//go:build slurm

package pool_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chiltepin/globus/pool"
	"chiltepin/globus/sandbox"
)

// TestSlurm sends tasks through a real Slurm: make test-slurm starts it.
func TestSlurm(t *testing.T) {
	conf := os.Getenv("SLURM_CONF")
	if conf == "" {
		t.Fatal("SLURM_CONF is not set\nnext: make test-slurm")
	}
	w := newWorld(t)
	w.Environ = append(w.Environ, "SLURM_CONF="+conf)
	file := filepath.Join(w.Endpoints.Dir.Path(), "mesa", "user_environment.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, fmt.Appendf(text, "SLURM_CONF: %s\n", conf), 0o600); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.box.Await(5*time.Minute, "the endpoint online", func(e sandbox.Entry) bool { return e.IsEvent("online", w.id) })
	ctx := t.Context()

	t.Run("Detect", func(t *testing.T) {
		s, err := w.Detect(ctx)
		if err != nil || s.Name != "slurm" || s.Partition != "debug" || s.Cores < 1 || strings.Join(s.Partitions, " ") != "debug closed" {
			t.Errorf("%+v, %v", s, err)
		}
	})
	t.Run("Works", func(t *testing.T) {
		p, err := w.probe(ctx, 0, "provider: slurm", "partition: debug")
		noJobs(t)
		if err != nil || p.Failure != nil || reached(p) != every || p.Job == "" {
			t.Fatalf("%+v, %v", p, err)
		}
	})
	t.Run("WorksMPI", func(t *testing.T) {
		p, err := w.probe(ctx, 0, "mpi: true", "provider: slurm", "partition: debug", "nodes_per_block: 1")
		noJobs(t)
		if err != nil || p.Failure != nil || reached(p) != every {
			t.Fatalf("%+v, %v", p, err)
		}
	})
	t.Run("WrongPartition", func(t *testing.T) {
		p, err := w.probe(ctx, 0, "provider: slurm", "partition: nowhere")
		stopped(t, p, err, pool.Submitted, "accepted commanded started", "Slurm has no such partition", "correct partition; there are the partitions debug and closed")
		if p.Failure != nil && !strings.Contains(strings.Join(p.Failure.Lines, "\n"), "invalid partition specified: nowhere") {
			t.Errorf("lines %q", p.Failure.Lines)
		}
	})
	t.Run("ClosedPartition", func(t *testing.T) {
		p, err := w.probe(ctx, 40*time.Second, "provider: slurm", "partition: closed")
		noJobs(t)
		stopped(t, p, err, pool.Running, "accepted commanded started submitted", "still waits, and the scheduler's reason is PartitionDown: the partition is closed", "another partition")
		if p.Failure != nil && !p.Failure.Timeout || p.Job == "" {
			t.Errorf("%+v", p)
		}
	})
	t.Run("LongerThanThePartition", func(t *testing.T) {
		p, err := w.probe(ctx, 0, "provider: slurm", `walltime: "02:00:00"`)
		noJobs(t)
		stopped(t, p, err, pool.Running, "accepted commanded started submitted", "will never start: PartitionTimeLimit, the walltime is longer than the partition allows", "lower walltime")
		if p.Failure != nil && p.Failure.Timeout {
			t.Errorf("%+v", p)
		}
	})
	t.Run("BlockEnds", func(t *testing.T) {
		p, err := w.probe(ctx, 0, "provider: slurm", "environment:", "  - no-such-command-at-all", "  - exit 3")
		noJobs(t)
		stopped(t, p, err, pool.Connected, "accepted commanded started submitted running", "the block has ended before its workers connected: a command of the block is not found", "correct environment")
	})
}

// noJobs wants the queue to be empty.
func noJobs(t *testing.T) {
	t.Helper()
	out := ""
	for range 40 {
		b, err := exec.Command("squeue", "-h").CombinedOutput()
		if out = string(b); err == nil && strings.TrimSpace(out) == "" {
			return
		}
		time.Sleep(250 * time.Millisecond)
	}
	t.Errorf("left in the queue: %s", out)
}
