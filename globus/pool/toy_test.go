package pool_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"chiltepin/globus/next"
	"chiltepin/globus/pool"
	"chiltepin/globus/pool/scheduler"
	"chiltepin/globus/sandbox"
)

// toy is a scheduler that only this file knows: it submits through parsl's
// LSFProvider to programs of three lines (testdata/toy.txtar). That a pool of it
// is checked, rendered and probed shows what another scheduler has to touch.
type toy struct{}

func (toy) Facts() scheduler.Facts {
	return scheduler.Facts{Name: "toy", Title: "the toy", Class: "LSFProvider", Batch: true, Program: "bsub", Spellings: []string{"lsf"}}
}

func (toy) Detect(ctx context.Context, c scheduler.Commands) (scheduler.Detection, error) {
	out, err := c.Run(ctx, "bqueues")
	return scheduler.Detection{Name: "toy", Queue: strings.TrimSpace(out), Queues: strings.Fields(out), Why: "bqueues answers"}, err
}

func (toy) Options() scheduler.OptionSupport {
	return scheduler.OptionSupport{
		Takes:    []string{"queue", "account", "nodes_per_block", "walltime"},
		Instead:  map[string]string{"partition": "set queue instead"},
		Launcher: scheduler.DefaultLauncher,
		Keywords: []string{"queue", "project", "walltime", "scheduler_options", "request_by_nodes"},
		Renamed:  map[string]string{"project": "account"},
	}
}

func (toy) Script(config scheduler.ProviderConfig) scheduler.Script {
	s := scheduler.Script{Submit: "bsub SCRIPT"}
	s.Header = fmt.Sprintf("#!/bin/bash\n\n#BSUB -J JOB\n#BSUB -q %s\n#BSUB -nnodes %s\n\n%s\n\nexport JOBNAME=\"JOB\"",
		config.Text("queue"), config.Format("nodes_per_block", "1"), config.Text("worker_init"))
	return s
}

func (toy) SubmittedJob(ctx context.Context, c scheduler.Commands, b scheduler.Block) scheduler.BatchJob {
	out, err := c.Run(ctx, "bjobs", b.ID)
	words := strings.Fields(out)
	if err != nil || len(words) < 2 {
		return scheduler.BatchJob{ID: b.ID}
	}
	j := scheduler.BatchJob{ID: words[0], State: words[1], Nodes: "here"}
	switch words[1] {
	case "PEND":
		j.Phase, j.Reason = scheduler.Waiting, "held"
	case "RUN":
		j.Phase = scheduler.Running
	default:
		j.Phase = scheduler.Gone
	}
	return j
}

func (toy) Reason(scheduler.BatchJob) scheduler.Reason {
	return scheduler.Reason{Text: "the toy holds it and never starts it", Final: true}
}

func (toy) Cancel(ctx context.Context, c scheduler.Commands, id string) error {
	_, err := c.Run(ctx, "bkill", id)
	return err
}

func (toy) Explain(words string, seen scheduler.Detection) scheduler.Explanation {
	if !strings.Contains(words, "no such queue") {
		return scheduler.Explanation{}
	}
	return scheduler.Explanation{Cause: "the toy has no such queue", Next: []next.Step{next.Do("choose one of " + strings.Join(seen.Queues, ", "))}}
}

// withToy are all schedulers and the toy.
func withToy() scheduler.List { return append(scheduler.All(), toy{}) }

// TestToyIsChecked: the options of another scheduler are checked as those of
// Slurm are, and an example of a snippet names its own.
func TestToyIsChecked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"provider: toy\n  queue: long\n  account: abc": "",
		"provider: toy\n  partition: gpu":              "3:3 warning the provider toy ignores partition: set queue instead",
		"provider: toy\n  exclusive: true":             "3:3 warning the provider toy ignores exclusive: remove it",
		"provider: LSF":                                "2:13 error provider is \"LSF\", and should be localhost, slurm, pbspro or toy: did you mean toy?",
		"queue: long":                                  "2:3 error provider is not given, so blocks run on the workflow's own host, and queue is ignored: add provider: slurm, provider: pbspro or provider: toy, or remove queue",
	} {
		r, err := pool.Checker{Schedulers: withToy()}.Check(t.Context(), []byte("gpu:\n  "+text+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range r.Problems {
			got = append(got, fmt.Sprintf("%d:%d %s %s: %s", p.Line, p.Column, p.Severity, p.Message, p.Next[0].Why))
		}
		if s := strings.Join(got, "\n"); s != strings.Replace(want, "2:3 ", "2:10 ", 1) {
			t.Errorf("%q:\ngot  %s\nwant %s", text, s, want)
		}
	}
}

// install puts the toy's programs on the PATH of the manager and of user
// endpoints, and has the endpoint's template and schema know it.
func (w *world) install(t *testing.T) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/toy.txtar")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(w.home, "toy")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	endpoint := filepath.Join(w.Endpoints.Dir.Path(), "mesa")
	for _, f := range archive.Files {
		path := filepath.Join(bin, f.Name)
		if strings.Contains(f.Name, ".") {
			path = filepath.Join(endpoint, f.Name)
		}
		if err := os.WriteFile(path, f.Data, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.setUserPath(t, func(path string) string { return bin + ":" + path })
	w.Environ = slices.Clone(w.Environ)
	for i, v := range w.Environ {
		if path, ok := strings.CutPrefix(v, "PATH="); ok {
			w.Environ[i] = "PATH=" + bin + ":" + path
		}
	}
	w.Schedulers = withToy()
}

// TestToyIsProbed sends tasks through the real daemon and parsl to the toy.
func TestToyIsProbed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.install(t)
	w.start()
	w.box.Await(10*time.Minute, "the endpoint online", func(e sandbox.Entry) bool { return e.IsEvent("online", w.id) })
	ctx := t.Context()

	t.Run("Rendered", func(t *testing.T) {
		r, err := w.Render(ctx, "pools.yaml", w.file("provider: toy", "queue: open", "nodes_per_block: 3", "environment: [module load x]"), "gpu")
		const header = "#!/bin/bash\n\n#BSUB -J JOB\n#BSUB -q open\n#BSUB -nnodes 3\n\nmodule load x\n\nexport JOBNAME=\"JOB\""
		if err != nil || r.Script.Header != header || r.Script.Submit != "bsub SCRIPT" || r.Script.Problem != "" {
			t.Errorf("%+v, %v", r.Script, err)
		}
	})
	t.Run("Snippet", func(t *testing.T) {
		s, err := w.Snippet(ctx, "mesa", pool.SnippetOptions{Provider: "toy"})
		if err != nil || !strings.Contains(s.Text, "\n  queue: \"open\"\n") || strings.Contains(s.Text, "partition") {
			t.Errorf("%s, %v", s.Text, err)
		}
	})
	t.Run("Works", func(t *testing.T) {
		p, err := w.probe(ctx, 0, "provider: toy", "queue: open")
		if err != nil || p.Failure != nil || reached(p) != every || p.Job == "" {
			t.Errorf("%+v, %v", p, err)
		}
	})
	t.Run("WrongQueue", func(t *testing.T) {
		p, err := w.probe(ctx, 0, "provider: toy", "queue: nowhere")
		stopped(t, p, err, pool.Submitted, "accepted commanded started", "the toy has no such queue", "choose one of open")
	})
	t.Run("NeverStarts", func(t *testing.T) {
		p, err := w.probe(ctx, 0, "provider: toy", "queue: held")
		stopped(t, p, err, pool.Running, "accepted commanded started submitted", "will never start: held", "choose another partition or queue")
	})
}
