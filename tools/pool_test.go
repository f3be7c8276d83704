package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/next"
	"chiltepin/globus/pool"
	"chiltepin/globus/pool/scheduler"
	"chiltepin/globus/runtime"
	"chiltepin/tools/operation"
)

// fakePools is one file with a pool, gpu, and what is said of it.
type fakePools struct {
	report   pool.Report
	rendered pool.Rendered
	snippet  pool.Snippet
	probe    pool.Probe
	found    scheduler.Detection
	err      error
}

func (f *fakePools) Detect(context.Context) (scheduler.Detection, error) { return f.found, f.err }

func (f *fakePools) Check(_ context.Context, data []byte, _ pool.CheckOptions) (pool.Report, error) {
	if f.report.Problems == nil {
		return pool.Checker{Endpoint: func(context.Context, string) pool.EndpointLookup {
			return pool.EndpointLookup{ID: fakeID, Name: "mesa", Here: true, State: "Running", Up: 1}
		}}.Check(context.Background(), data)
	}
	return f.report, f.err
}

func (f *fakePools) Render(context.Context, string, []byte, string) (pool.Rendered, error) {
	return f.rendered, f.err
}

func (f *fakePools) Snippet(context.Context, string, pool.SnippetOptions) (pool.Snippet, error) {
	return f.snippet, f.err
}

func (f *fakePools) Probe(context.Context, string, []byte, string, pool.ProbeOptions) (pool.Probe, error) {
	return f.probe, f.err
}

func (f *fakePools) services() Services {
	s := (&fakeEndpoints{}).services()
	s.Pools = func(context.Context, Place) (Pools, error) { return f, nil }
	return s
}

// TestPoolResults holds the bytes, the text and the verdict of the operations
// on pools.
func TestPoolResults(t *testing.T) {
	t.Parallel()
	target := pool.EndpointLookup{ID: fakeID, Name: "mesa", Here: true, State: "Running", Up: 1}
	const at = `{"id":"12345678-1234-1234-1234-123456789abc","name":"mesa","here":true,"status":"Running"}`
	const file = `{"file":"/d/pools.yaml","name":"gpu","text":"x: y"}`
	for _, tt := range []struct {
		name, tool, args string
		fake             fakePools
		verdict          operation.Code
		want, text       string
	}{
		{"Right", "pool.check", `{"file":"/d/pools.yaml","text":"gpu:\n  endpoint: ` + fakeID + `\n"}`, fakePools{}, "",
			`{"file":"/d/pools.yaml","ok":true,"pools":[{"name":"gpu","line":1,"endpoint":"` + fakeID + `"}],"endpoints":[` + at + `],"problems":[]}`,
			"pools.yaml: 1 pool, nothing wrong\n"},
		{"Wrong", "pool.check", `{"file":"/d/pools.yaml","text":"gpu:\n  max_block: 1\n"}`, fakePools{}, operation.CodeInvalid,
			`{"file":"/d/pools.yaml","ok":false,"pools":[{"name":"gpu","line":1}],"endpoints":[],"problems":[{"line":2,"column":3,"pool":"gpu","option":"max_block","severity":"error","message":"there is no option max_block; Chiltepin ignores it silently","next":[{"do":"did you mean max_blocks?"}]}]}`,
			"pools.yaml:2:3: error: gpu: there is no option max_block; Chiltepin ignores it silently\n    did you mean max_blocks?\npools.yaml: 1 pool, 1 error\n"},
		{"Rendered", "pool.render", file, fakePools{rendered: pool.Rendered{Pool: pool.Pool{Name: "gpu"}, Endpoint: target, Options: map[string]any{"mpi": false}, Config: "a: 1\nb: \x1b", Script: scheduler.Script{Provider: "PBSProProvider", Submit: "qsub SCRIPT", Header: "#!/bin/bash\n", Problem: "no"}, Runtime: runtime.Runtime{Path: "/r", Source: "PATH"}}}, operation.CodeInvalid,
			`{"pool":"gpu","endpoint":` + at + `,"options":{"mpi":false},"config":"a: 1\nb: \\u{1b}","provider":"PBSProProvider","submit":"qsub SCRIPT","script_header":"#!/bin/bash\n","problem":"no","runtime":{"path":"/r","source":"PATH"}}`,
			"a: 1\nb: \\u{1b}\n\n# A block is submitted with: qsub SCRIPT\n#!/bin/bash\n\n...\n# The provider would refuse it: no\n"},
		{"Snippet", "pool.snippet", `{"name":"mesa"}`, fakePools{snippet: pool.Snippet{Pool: "mesa", ID: fakeID, Text: "mesa:\n", Scheduler: &scheduler.Detection{Name: "slurm", Why: "sinfo answers", Partitions: []string{"a"}}}}, "",
			`{"pool":"mesa","id":"12345678-1234-1234-1234-123456789abc","text":"mesa:\n","scheduler":{"name":"slurm","why":"sinfo answers","partitions":["a"]}}`, "mesa:\n"},
		{"Proven", "pool.probe", file, fakePools{probe: pool.Probe{Pool: pool.Pool{Name: "gpu"}, Endpoint: target, Reached: []pool.Reached{{Stage: pool.Accepted, After: time.Second}}, Worker: pool.Worker{Host: "n1", Python: "3.11"}, Took: 2 * time.Second}}, "",
			`{"pool":"gpu","ok":true,"endpoint":` + at + `,"stages":[{"stage":"accepted","seconds":1}],"worker":{"host":"n1","python":"3.11"},"seconds":2}`,
			"   1.0 s  accepted   \nPool gpu works: a task ran on n1 under Python 3.11\n"},
		{"Stopped", "pool.probe", file, fakePools{probe: pool.Probe{Pool: pool.Pool{Name: "gpu"}, Endpoint: target, Failure: &pool.ProbeFailure{Stage: pool.Running, Timeout: true, Cause: "it waits", Lines: []string{"\x1b[2J"}, File: "/f", Next: []next.Step{next.Do("wait")}}, Left: []string{"a job"}}}, operation.CodeTimeout,
			`{"pool":"gpu","ok":false,"endpoint":` + at + `,"stages":[],"stopped":{"stage":"running","timeout":true,"cause":"it waits","lines":["\\u{1b}[2J"],"file":"/f","next":[{"do":"wait"}]},"seconds":0,"left":["a job"]}`,
			"   0.0 s  running    not reached\nPool gpu does not work: it waits\n  | \\u{1b}[2J\n  in /f\nNext: wait\nLeft behind: a job\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tool := All(tt.fake.services()).Lookup(tt.tool)
			r, err := tool.Call(t.Context(), json.RawMessage(tt.args))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(r.JSON)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			conforms(t, tool, r.JSON)
			if r.Verdict() != tt.verdict {
				t.Errorf("verdict %q, want %q", r.Verdict(), tt.verdict)
			}
			var text bytes.Buffer
			if err := r.WriteText(&operation.Printer{Writer: &text}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.text, text.String()); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPoolErrors gives the failures of the floor below their codes.
func TestPoolErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		code operation.Code
		next string
	}{
		{&pool.FileError{Path: "p", Problem: "none", Steps: []next.Step{next.Do("name it")}, Err: fs.ErrNotExist}, operation.CodeNotFound, "name it"},
		{&pool.FileError{Path: "p", Problem: "odd", Steps: []next.Step{next.Do("correct it")}}, operation.CodeInvalid, "correct it"},
		{&pool.RenderError{Pool: "gpu", Cause: "c", Lines: []string{"\x1b"}, Steps: []next.Step{next.Do("correct it")}}, operation.CodeInvalid, "correct it"},
		{&pool.UnregisteredError{Name: "mesa"}, operation.CodeNotFound, `to register it: endpoint.start {"name":"mesa"}`},
		{&pool.ProbeInterruptedError{Pool: "gpu", Stage: pool.Started, Err: context.Canceled}, operation.CodeCanceled, ""},
	} {
		got := Classify(tt.err)
		if got.Code != tt.code || tt.next != "" && sayNext(got.Next) != tt.next || len(got.Next) == 0 {
			t.Errorf("%T: %s, next %q", tt.err, got.Code, sayNext(got.Next))
		}
	}
	if e := Classify(&pool.RenderError{Lines: []string{"\x1b"}}); e.Data == nil || e.Data.Lines[0] != `\u{1b}` {
		t.Errorf("data %+v", e.Data)
	}
}

// TestConfigureDefaults asks the scheduler only where that is wanted, shows what
// it says before anything is written, and writes nothing in a preview.
func TestConfigureDefaults(t *testing.T) {
	t.Parallel()
	f := &fakePools{found: scheduler.Detection{Name: "slurm", Why: "sinfo answers", Partition: "debug", Account: "abc"}}
	eps := &fakeEndpoints{}
	s := f.services()
	s.Endpoints = func(context.Context, Place) (Endpoints, error) { return eps, nil }
	configure := All(s).Lookup("endpoint.configure")
	var told []string
	ctx := operation.WithProgress(t.Context(), func(p operation.Progress) { told = append(told, p.Text) })
	r, err := configure.Call(ctx, json.RawMessage(`{"name":"mesa","detect":true,"preview":true,"partition":"gpu"}`))
	if err != nil || len(eps.changed) > 0 {
		t.Fatalf("%v, did %v", err, eps.changed)
	}
	conforms(t, configure, r.JSON)
	const want = `{"name":"mesa","path":"/etc/gc","files":[],"defaults":{"account":"abc","partition":"gpu","provider":"slurm"},"scheduler":{"name":"slurm","why":"sinfo answers"},"preview":true}`
	if diff := cmp.Diff(want, string(r.JSON)); diff != "" {
		t.Error(diff)
	}
	if strings.Join(told, "\n") != "defaults: provider slurm, partition gpu, account abc" {
		t.Errorf("told %q", told)
	}
	var text bytes.Buffer
	if err := r.WriteText(&operation.Printer{Writer: &text}); err != nil || text.String() != "Scheduler: slurm (sinfo answers)\nDefault provider: slurm\nDefault partition: gpu\nDefault account: abc\nNothing was written: this is how endpoint mesa would be configured\n" {
		t.Errorf("%v: %s", err, text.String())
	}
	if _, err := configure.Call(ctx, json.RawMessage(`{"name":"mesa"}`)); err != nil || len(eps.changed) != 1 {
		t.Errorf("%v, did %v", err, eps.changed)
	}
	f.err = errors.New("no")
	if _, err := configure.Call(ctx, json.RawMessage(`{"name":"mesa","detect":true}`)); err == nil || len(eps.changed) != 1 {
		t.Errorf("%v, did %v", err, eps.changed)
	}
}
