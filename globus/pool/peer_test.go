package pool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/pool/scheduler"
	"chiltepin/globus/runtime"
	"chiltepin/globus/runtime/runtimetest"
)

// answers are what the code of others says.
type answers map[string][]json.RawMessage

// ask runs testdata/peer.py.
func ask(t *testing.T, questions map[string][]any) answers {
	t.Helper()
	in, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), runtimetest.Env(t, runtimetest.Newest).Python, "testdata/peer.py")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	home := t.TempDir()
	cmd.Env = []string{"HOME=" + home, "TMPDIR=" + home, "GLOBUS_COMPUTE_USER_DIR=" + home, "PATH=" + os.Getenv("PATH"), "PYTHONUTF8=1"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the code of others: %v\n%s", err, stderr.Bytes())
	}
	var a answers
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%v in %.200s", err, out)
	}
	return a
}

func refused(answer json.RawMessage) string {
	var v struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(answer, &v) // a text is no refusal
	return v.Error
}

func decode[T any](t *testing.T, answer json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(answer, &v); err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
	return v
}

// TestSentIsWhatChiltepinSends has Python Chiltepin load every right file, and
// compares what it sends for each pool.
func TestSentIsWhatChiltepinSends(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/right/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var texts []any
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(data))
	}
	compared := 0
	for i, a := range ask(t, map[string][]any{"sent": texts})["sent"] {
		if e := refused(a); e != "" {
			t.Errorf("%s: Python Chiltepin does not load it: %s", files[i], e)
			continue
		}
		f := Parse([]byte(texts[i].(string)))
		for name, want := range decode[map[string]map[string]any](t, a) {
			p, ok := f.Pool(name)
			if !ok {
				t.Errorf("%s: pool %s is not found", files[i], name)
				continue
			}
			if want == nil {
				continue
			}
			data, err := json.Marshal(p.Sent(scheduler.All()))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, decode[map[string]any](t, data)); diff != "" {
				t.Errorf("%s, pool %s (-Python Chiltepin +ours):\n%s", files[i], name, diff)
			}
			compared++
		}
	}
	if compared < 18 {
		t.Errorf("only %d pools were compared", compared)
	}
}

// someOptions are options as Python Chiltepin sends them, and now and then
// what it should not.
func someOptions(r *rand.Rand) map[string]any {
	pick := func(of ...any) any { return of[r.IntN(len(of))] }
	o := map[string]any{
		"mpi": r.IntN(3) == 0, "provider": pick("slurm", "pbspro", "localhost"), "max_mpi_apps": r.IntN(4),
		"mpi_launcher": pick("srun", "mpiexec"), "cores_per_node": pick(1, 4, 128, nil), "nodes_per_block": 1 + r.IntN(40),
		"init_blocks": r.IntN(2), "min_blocks": r.IntN(2), "max_blocks": 1 + r.IntN(9), "exclusive": r.IntN(2) == 0,
		"partition": pick("", "batch", "gpu-a", nil), "queue": pick("", "debug", "long queue", nil), "account": pick("", "abc", nil),
		"walltime": fmt.Sprintf("%02d:%02d:00", r.IntN(100), r.IntN(60)), "worker_init": pick("", "module load a", "export A=\"b c\"\ncd /x", nil),
	}
	// In an order, so that each run has the same options.
	for _, name := range slices.Sorted(maps.Keys(o)) {
		switch r.IntN(40) {
		case 0:
			delete(o, name)
		case 1:
			o[name] = pick(nil, true, 7, "x", "1h")
		}
	}
	return o
}

// TestScriptIsWhatParslSubmits renders 1,000 inputs with the daemon's own
// renderer and hands what comes of each to parsl's own provider: the script of
// a block and the command that submits it are to the byte what ours are, and
// where ours names a problem the provider refuses.
func TestScriptIsWhatParslSubmits(t *testing.T) {
	t.Parallel()
	const inputs = 1000
	r := rand.New(rand.NewPCG(5, 6))
	template, err := filepath.Abs("../../endpointfs/files/user_config_template.yaml.j2")
	if err != nil {
		t.Fatal(err)
	}
	site := filepath.Join(t.TempDir(), "user_config_template.yaml.j2")
	if err := os.WriteFile(site, []byte(siteTemplate), 0o600); err != nil {
		t.Fatal(err)
	}
	var asked []any
	for i := range inputs {
		asked = append(asked, map[string]any{"template": []string{template, site}[i%2], "options": someOptions(r)})
	}
	var configs []any
	for _, a := range ask(t, map[string][]any{"render": asked})["render"] {
		if refused(a) == "" {
			configs = append(configs, decode[string](t, a))
		}
	}
	if len(configs) < 900 {
		t.Fatalf("%d of %d inputs were rendered", len(configs), inputs)
	}
	// What looks like another kind than it is to Python.
	for _, odd := range []string{"cores_per_node: true", "cores_per_node: false", "mem_per_node: true", "gpus_per_node: false", "gpus_per_node: true", `partition: "0"`, `qos: "False"`, "nodes_per_block: true"} {
		configs = append(configs, "engine:\n  type: GlobusComputeEngine\n  provider:\n    type: SlurmProvider\n    "+odd+"\n")
	}
	kinds, refusals := map[string]int{}, 0
	for i, a := range ask(t, map[string][]any{"script": configs})["script"] {
		ours, err := scheduler.All().Script(configs[i].(string))
		if err != nil {
			t.Errorf("%v in\n%s", err, configs[i])
			continue
		}
		if e := refused(a); e != "" {
			if ours.Problem == "" {
				t.Errorf("parsl refuses with %s, and ours has no problem with\n%s", e, configs[i])
			}
			refusals++
			continue
		}
		theirs := decode[struct{ Header, Submit string }](t, a)
		ours.Submit = regexp.MustCompile(` +`).ReplaceAllString(ours.Submit, " ")
		if diff := cmp.Diff(strings.TrimRight(theirs.Header, "\n"), strings.TrimRight(ours.Header, "\n")); diff != "" {
			t.Errorf("header (-parsl +ours):\n%s\nof\n%s", diff, configs[i])
		}
		if theirs.Submit != ours.Submit {
			t.Errorf("submits with %q, parsl with %q", ours.Submit, theirs.Submit)
		}
		if ours.Problem != "" && !strings.Contains(ours.Problem, "qsub would take") {
			t.Errorf("parsl takes it, and ours has the problem %q with\n%s", ours.Problem, configs[i])
		}
		kinds[ours.Provider]++
	}
	for _, kind := range []string{"SlurmProvider", "PBSProProvider", "LocalProvider"} {
		if kinds[kind] < 100 {
			t.Errorf("only %d scripts of %s", kinds[kind], kind)
		}
	}
	if refusals == 0 {
		t.Error("parsl refused nothing")
	}
}

// siteTemplate is a template that a site has changed.
const siteTemplate = `{%- set memory = {"gpu-a": 64}.get((partition | default("", true))[1:-1], 8) %}
engine:
  type: GlobusComputeEngine
  provider:
{%- if provider | default('""') == '"pbspro"' %}
    type: PBSProProvider
    select_options: ngpus=1
    scheduler_options: "#PBS -W umask=022"
{%- else %}
    type: SlurmProvider
    mem_per_node: {{ memory }}
    constraint: fast
    scheduler_options: |
      #SBATCH --reservation=week
      #SBATCH --mail-type=NONE
{%- endif %}
    account: site
    walltime: {{ walltime | default('"02:00:00"') }}
    nodes_per_block: {{ [nodes_per_block | default(1), 4] | min if nodes_per_block is number else 1 }}
    worker_init: {{ worker_init | shell_escape if worker_init else "null" }}
`

// pools is a manager of a fresh configuration directory, with the newest
// runtime, and the endpoint mesa in it, of the UUID that the files name.
func pools(t *testing.T) (*Manager, *endpointfs.Endpoint) {
	t.Helper()
	dir := endpointfs.Open(filepath.Join(t.TempDir(), "gc"))
	ep, err := dir.Configure("mesa", endpointfs.NewEndpoint{Email: "me@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(ep.Path(), "endpoint.json"), []byte(`{"endpoint_id":"11111111-1111-1111-1111-111111111111"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	finder := runtime.Finder{Explicit: runtimetest.Env(t, runtimetest.Newest).Bin("globus-compute-endpoint")}
	return &Manager{Endpoints: &endpoint.Manager{Dir: dir}, Runtime: finder.Find, Environ: []string{"HOME=" + t.TempDir(), "PATH=/usr/bin:/bin"}}, ep
}

// TestRenderIsTheDaemons compares what the product renders, one process a
// pool, with the daemon's renderer called from within Python.
func TestRenderIsTheDaemons(t *testing.T) {
	t.Parallel()
	m, ep := pools(t)
	for name, template := range map[string]string{"Ours": "", "Site": siteTemplate} {
		if template != "" {
			if err := os.WriteFile(filepath.Join(ep.Path(), "user_config_template.yaml.j2"), []byte(template), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, file := range []string{"01-documentation", "18-literal"} {
			data, err := os.ReadFile("testdata/right/" + file + ".yaml")
			if err != nil {
				t.Fatal(err)
			}
			pool := Parse(data).Names()[0]
			got, err := m.Render(t.Context(), file, data, pool)
			if err != nil {
				t.Fatal(err)
			}
			want := ask(t, map[string][]any{"render": {map[string]any{"template": ep.Path() + "/user_config_template.yaml.j2", "options": got.Options}}})["render"][0]
			if diff := cmp.Diff(decode[string](t, want), got.Config); diff != "" || got.Script.Header == "" {
				t.Errorf("%s, %s (-daemon +ours):\n%s", name, file, diff)
			}
		}
		if template == "" {
			continue
		}
		if left, _ := filepath.Glob(m.Endpoints.Dir.Path() + "/uep.*"); len(left) > 0 {
			t.Errorf("rendering left %v", left)
		}
	}
}

// TestRenderRefused tells why the daemon would refuse a pool.
func TestRenderRefused(t *testing.T) {
	t.Parallel()
	m, ep := pools(t)
	for _, tt := range []struct{ name, template, pool, option, cause, remedy string }{
		{"Schema", "", "max_blocks: 0", "max_blocks", "max_blocks: 0 is less than the minimum of 1", "correct max_blocks"},
		{"Undefined", "engine: {{ nothing }}", "", "", "'nothing' is undefined", "give the variable a default in the template, {{ name | default(...) }}: Chiltepin does not send it"},
		{"Syntax", "engine: {{ nothing", "", "", "unexpected end of template, expected 'end of print statement'.", "correct the template"},
		{"Filter", "engine: {{ mpi | nothing }}", "", "", "No filter named 'nothing'.", "correct the template"},
	} {
		if tt.template != "" {
			if err := os.WriteFile(filepath.Join(ep.Path(), "user_config_template.yaml.j2"), []byte(tt.template), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := m.Render(t.Context(), "pools.yaml", []byte("gpu:\n  endpoint: 11111111-1111-1111-1111-111111111111\n  "+tt.pool+"\n"), "gpu")
		e, ok := err.(*RenderError)
		if !ok || e.Cause != tt.cause || e.Option != tt.option || len(e.Steps) != 1 || e.Steps[0].Why != tt.remedy {
			t.Errorf("%s: %#v", tt.name, err)
		}
	}
}
