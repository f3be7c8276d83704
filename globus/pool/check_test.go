package pool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"chiltepin/endpointfs"
	"chiltepin/globus/next"
	"chiltepin/globus/pool/scheduler"
)

// world answers for the endpoints that the test files name.
func world(t testing.TB) Checker {
	t.Helper()
	ep, err := endpointfs.Open(t.TempDir()).Configure("mesa", endpointfs.NewEndpoint{})
	if err != nil {
		t.Fatal(err)
	}
	template, _, err := ep.Template()
	if err != nil {
		t.Fatal(err)
	}
	schema, _, err := ep.Schema()
	if err != nil {
		t.Fatal(err)
	}
	return Checker{
		Endpoint: func(_ context.Context, id string) EndpointLookup {
			switch id[:1] {
			case "1":
				return EndpointLookup{ID: id, Name: "mesa", Here: true, State: "Running", Up: 1, Template: template, Schema: schema}
			case "2":
				return EndpointLookup{ID: id, Name: "old", Here: true, State: "Stopped", Reason: "there is no pid file", Up: -1}
			case "4":
				return EndpointLookup{ID: id, Name: "site", State: "online", Up: 1,
					Template: `{# max_blocks #}engine: { type: {{ provider }}, x: "{% raw %}{{ max_blocks }}{% endraw %}{{ user.max_blocks }}", init: {{ worker_init }} }`,
					Schema:   `{"type":"object","properties":{"worker_init":{"type":"string","maxLength":20}}}`}
			}
			return EndpointLookup{ID: id, Missing: true}
		},
		LocalID: func(_ context.Context, name string) string {
			if name == "mesa" {
				return "11111111-1111-1111-1111-111111111111"
			}
			return ""
		},
	}
}

// nextText is what to do in one line: an operation by its name and arguments.
func nextText(steps []next.Step) string {
	var words []string
	for _, s := range steps {
		if s.Operation == "" {
			words = append(words, s.Why)
			continue
		}
		words = append(words, fmt.Sprintf("%s %v to %s", s.Operation, map[string]any(s.Args), s.Why))
	}
	return strings.Join(words, "; ")
}

// TestWrongFiles finds each mistake of testdata/wrong.txtar at its place, with
// the reason and the remedy, and nothing else.
func TestWrongFiles(t *testing.T) {
	t.Parallel()
	archive, err := txtar.ParseFile("testdata/wrong.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.Files) < 20 {
		t.Fatalf("%d files", len(archive.Files))
	}
	checker := world(t)
	for _, f := range archive.Files {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			text, wanted, _ := strings.Cut(string(f.Data), "#! ")
			r, err := checker.Check(t.Context(), []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			var wants []string
			for line := range strings.SplitSeq(strings.TrimSpace(wanted), "\n") {
				wants = append(wants, strings.TrimPrefix(line, "#! "))
			}
			for i, p := range r.Problems {
				got := fmt.Sprintf("%d:%d %s | %s | %s", p.Line, p.Column, p.Severity, p.Message, nextText(p.Next))
				if i >= len(wants) {
					t.Errorf("false alarm: %s", got)
					continue
				}
				part := strings.Split(wants[i], " | ")
				if fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Severity) != part[0] || !strings.Contains(p.Message, part[1]) || !strings.Contains(nextText(p.Next), part[2]) {
					t.Errorf("got  %s\nwant %s", got, wants[i])
				}
			}
			for _, w := range wants[min(len(r.Problems), len(wants)):] {
				t.Errorf("not found: %s", w)
			}
		})
	}
}

// TestRightFiles raises no alarm on files that Python Chiltepin loads and that
// are as they should be.
func TestRightFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/right/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	checker := world(t)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := checker.Check(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		if w := Worst(r.Problems); w == Error || w == Warning {
			t.Errorf("%s: false alarm: %+v", file, r.Problems)
		}
	}
}

// TestManyPools looks at 200 pools of one endpoint, and holds the time to what
// is not quadratic, on any machine.
func TestManyPools(t *testing.T) {
	t.Parallel()
	checker, data := world(t), manyPools(200)
	began := time.Now()
	r, err := checker.Check(t.Context(), data)
	if err != nil || len(r.File.Pools) != 200 || len(r.Problems) != 0 {
		t.Fatalf("%d pools, %d problems, %v", len(r.File.Pools), len(r.Problems), err)
	}
	if took := time.Since(began); took > 2*time.Minute {
		t.Errorf("took %v", took)
	}
}

func manyPools(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "pool-%d:\n  endpoint: \"11111111-1111-1111-1111-111111111111\"\n  provider: slurm\n  partition: compute\n  account: abc\n  cores_per_node: 36\n  nodes_per_block: 2\n  max_blocks: 4\n  walltime: \"01:00:00\"\n  exclusive: false\n  environment:\n    - module load python\n    - module load gcc\n", i)
	}
	return b.Bytes()
}

// BenchmarkCheck200 tells how long 200 pools take, beside a bare parse of the
// same file.
func BenchmarkCheck200(b *testing.B) {
	checker, data := world(b), manyPools(200)
	began, parses := time.Now(), 0
	for ; time.Since(began) < 200*time.Millisecond; parses++ {
		if _, problem := parseDocument(data); problem != nil {
			b.Fatal(problem)
		}
	}
	parse := time.Since(began).Seconds() * 1000 / float64(parses)
	b.ResetTimer()
	for b.Loop() {
		if _, err := checker.Check(b.Context(), data); err != nil {
			b.Fatal(err)
		}
	}
	ms := float64(b.Elapsed().Microseconds()) / 1000 / float64(b.N)
	b.ReportMetric(ms, "ms/file")
	b.ReportMetric(ms/parse, "x-parse")
}

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none"): "there is no such file",
		dir:                        "it is not a regular file",
		"/dev/zero":                "it is not a regular file",
		big:                        "it has 4194305 bytes",
	} {
		_, err := Read(path)
		var bad *FileError
		if !errors.As(err, &bad) || !strings.Contains(bad.Problem, want) || len(bad.Next()) == 0 {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

// TestSchemaKnowsEveryOption keeps the schema and the check at one.
func TestSchemaKnowsEveryOption(t *testing.T) {
	t.Parallel()
	s := parseSchema(`{"properties":{}}`)
	if s == nil {
		t.Fatal("a schema that is one is not read")
	}
	text := string(Schema())
	for _, o := range scheduler.All().Catalogue() {
		if !strings.Contains(text, `"`+o.Name+`":{`) {
			t.Errorf("the schema lacks %s", o.Name)
		}
	}
	// The only option that the check takes for granted is the name of a pool.
	if strings.Contains(text, "null") || !regexp.MustCompile(`"additionalProperties":false`).MatchString(text) {
		t.Error("a pool of the schema is open")
	}
}

// FuzzParse reads anything without a panic; a problem has a place in the file
// or stands for all of it, and what is sent is JSON.
func FuzzParse(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/wrong.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range archive.Files {
		f.Add(file.Data)
	}
	f.Add([]byte("a: &a {<<: *a}\nb: {<<: [*a, *a], mpi: *a}\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := Parse(data)
		lines := bytes.Count(data, []byte("\n")) + 2
		for _, p := range file.Check(scheduler.All()) {
			if p.Line < 1 || p.Line > lines || p.Column < 1 || p.Message == "" || len(p.Next) == 0 {
				t.Errorf("%+v of %d lines", p, lines)
			}
		}
		for _, p := range file.Pools {
			parseSchema(`{"type":"object"}`).findRefusals(p.Sent(scheduler.All()))
		}
	})
}

// TestSchemaKnowsEveryProvider keeps the schema of a new endpoint and the
// schedulers at one.
func TestSchemaKnowsEveryProvider(t *testing.T) {
	t.Parallel()
	dir := endpointfs.Open(t.TempDir())
	for _, name := range append(scheduler.All().Names(), "kubernetes") {
		_, err := dir.Configure("on-"+name, endpointfs.NewEndpoint{Defaults: endpointfs.TemplateDefaults{Provider: name}})
		if refused := err != nil; refused != (name == "kubernetes") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
