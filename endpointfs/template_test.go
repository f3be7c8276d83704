package endpointfs

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/runtime/runtimetest"
)

// someOptions are options of a resource pool, each with values of the kind it should have.
func someOptions(r *rand.Rand) map[string]any {
	text := func() any {
		return []any{"", "batch", "a b", "ümlaut: \"x\" # y", "l1\nl2\\", "007", "yes", "{{ x }}"}[r.IntN(8)]
	}
	small := func() any { return r.IntN(5) }
	flag := func() any { return r.IntN(2) == 0 }
	all := map[string]func() any{
		"account": text, "partition": text, "queue": text, "worker_init": text, "endpoint_setup": text,
		"cores_per_node": small, "nodes_per_block": small, "max_mpi_apps": small, "init_blocks": small, "min_blocks": small, "max_blocks": small,
		"exclusive":    flag,
		"mpi_launcher": func() any { return []any{"srun", "mpiexec", "aprun"}[r.IntN(3)] },
		"walltime":     func() any { return fmt.Sprintf("%02d:%02d:00", r.IntN(48), r.IntN(60)) },
	}
	opts := map[string]any{"mpi": flag(), "provider": []any{"slurm", "pbspro", "localhost"}[r.IntN(3)]}
	for name, value := range all {
		switch r.IntN(4) {
		case 0, 1:
			opts[name] = value()
		case 2: // what it should not have
			opts[name] = []any{nil, true, 0, -1, 2.5, "x", []any{1, "a"}, map[string]any{"k": "v"}}[r.IntN(8)]
		}
	}
	if r.IntN(10) == 0 {
		opts["provider"] = []any{"torque", "Slurm", "", nil, 3, true}[r.IntN(6)]
	}
	if r.IntN(10) == 0 {
		opts["mpi"] = []any{nil, 0, 1, "false", ""}[r.IntN(5)]
	}
	return opts
}

// TestTemplateAgreesWithChiltepin renders our template and that of Python
// Chiltepin through the daemon's own renderer: what comes of the same options
// is the same configuration.
func TestTemplateAgreesWithChiltepin(t *testing.T) {
	t.Parallel()
	const inputs = 500
	r := rand.New(rand.NewPCG(1, 2))
	var asked []any
	for range inputs {
		asked = append(asked, someOptions(r))
	}
	var ours, upstream []any
	for _, o := range asked {
		ours = append(ours, map[string]any{"template": "files/" + templateFile, "options": o})
		upstream = append(upstream, map[string]any{"options": o})
	}
	a := ask(t, runtimetest.Newest, map[string][]any{"render": append(ours, upstream...)})["render"]
	rendered := 0
	for i := range inputs {
		if refused(a[i]) != "" || refused(a[inputs+i]) != "" {
			t.Errorf("not rendered: %v: %s, %s", asked[i], refused(a[i]), refused(a[inputs+i]))
			continue
		}
		rendered++
		got, want := given(decode[any](t, a[i])), given(decode[any](t, a[inputs+i]))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: %s", asked[i], diff)
		}
	}
	if rendered < 300 {
		t.Errorf("only %d of %d inputs were rendered by both", rendered, inputs)
	}
}

// given takes an empty account, partition, qos or queue for none: Python
// Chiltepin sends the empty text for what an entry leaves out, its template
// hands it on, and qsub takes the next word of its command line for it. Ours
// has none instead.
func given(config any) any {
	m, _ := config.(map[string]any)
	engine, _ := m["engine"].(map[string]any)
	provider, _ := engine["provider"].(map[string]any)
	for _, name := range []string{"account", "partition", "qos", "queue"} {
		if provider[name] == "" {
			provider[name] = nil
		}
	}
	return config
}

// TestTemplateDefaults renders options that are left out or empty with an
// endpoint's own defaults, and those that are given without.
func TestTemplateDefaults(t *testing.T) {
	t.Parallel()
	ep, err := Open(t.TempDir()).Configure("mesa", NewEndpoint{Defaults: TemplateDefaults{Provider: "slurm", Partition: "debug", Queue: "high", Account: "abc-1"}})
	if err != nil {
		t.Fatal(err)
	}
	var asked []any
	for _, o := range []map[string]any{{}, {"partition": "", "queue": "", "account": nil}, {"partition": "gpu", "account": "x", "queue": "low"}, {"provider": "pbspro", "queue": ""}} {
		asked = append(asked, map[string]any{"template": ep.filePath(templateFile), "options": o})
	}
	want := []map[string]any{
		{"type": "SlurmProvider", "partition": "debug", "qos": "high", "account": "abc-1"},
		{"type": "SlurmProvider", "partition": "debug", "qos": "high", "account": "abc-1"},
		{"type": "SlurmProvider", "partition": "gpu", "qos": "low", "account": "x"},
		{"type": "PBSProProvider", "queue": "high", "account": "abc-1"},
	}
	for i, a := range ask(t, runtimetest.Newest, map[string][]any{"render": asked})["render"] {
		if e := refused(a); e != "" {
			t.Fatal(e)
		}
		got := decode[map[string]any](t, a)["engine"].(map[string]any)["provider"].(map[string]any)
		for name, value := range want[i] {
			if got[name] != value {
				t.Errorf("%v: %s is %v, want %v", asked[i], name, got[name], value)
			}
		}
	}
	for _, bad := range []TemplateDefaults{{Partition: "a b"}, {Account: `x"'`}, {Queue: "{{ x }}"}, {Provider: "lsf"}} {
		if _, err := Open(t.TempDir()).Configure("mesa", NewEndpoint{Defaults: bad}); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// someEntry is an entry of a Chiltepin configuration that is right, in YAML.
func someEntry(r *rand.Rand) string {
	provider := []string{"slurm", "pbspro", "localhost"}[r.IntN(3)]
	b := &strings.Builder{}
	fmt.Fprintf(b, "endpoint: 6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11\nprovider: %s\n", provider)
	maybe := func(key string, values ...string) {
		if r.IntN(2) == 0 {
			fmt.Fprintf(b, "%s: %s\n", key, values[r.IntN(len(values))])
		}
	}
	maybe("mpi", "true", "false", "yes")
	maybe("max_mpi_apps", "1", "4", "")
	maybe("mpi_launcher", "srun", "mpiexec")
	maybe("cores_per_node", "1", "128", "")
	maybe("nodes_per_block", "1", "30", "")
	maybe("init_blocks", "0", "2", "")
	maybe("min_blocks", "0", "1", "")
	maybe("max_blocks", "1", "10", "")
	maybe("exclusive", "true", "False", "")
	maybe("partition", "batch", "\"8\"", "")
	maybe("queue", "debug", "")
	maybe("account", "gsd-hpcs", "null", "~")
	maybe("walltime", "\"10:00:00\"", "00:10:00", "'1:0:0'", "")
	maybe("environment", "[]", "[module load intel, 'export A=\"b c\"']")
	if provider == "pbspro" { // which takes numbers for names, and seconds
		maybe("account", "12345")
		maybe("queue", "7")
		maybe("walltime", "10:00:00", "3600")
	}
	return b.String()
}

// TestSchemaTakesWhatChiltepinSends lets Python Chiltepin turn right entries
// of a configuration into options. All of them must pass the schema, make what
// Python Chiltepin's template makes, and be taken by the daemon.
func TestSchemaTakesWhatChiltepinSends(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var entries []any
	for range 120 {
		entries = append(entries, someEntry(r))
	}
	var renders []any
	for i, sent := range ask(t, runtimetest.Newest, map[string][]any{"pool": entries})["pool"] {
		if e := refused(sent); e != "" {
			t.Fatalf("%s: %s", entries[i], e)
		}
		renders = append(renders,
			map[string]any{"template": "files/" + templateFile, "schema": "files/" + schemaFile, "options": sent, "load": true},
			map[string]any{"options": sent})
	}
	a := ask(t, runtimetest.Newest, map[string][]any{"render": renders})["render"]
	for i, entry := range entries {
		ours, theirs := a[2*i], a[2*i+1]
		if e := refused(ours); e != "" {
			t.Errorf("%s: %s", entry, e)
		} else if diff := cmp.Diff(given(decode[any](t, theirs)), given(decode[any](t, ours))); diff != "" {
			t.Errorf("%s: %s", entry, diff)
		}
	}
}

// TestSchemaNamesWrongOption gives the daemon options that would come to
// nothing, or to a mystery, hours later.
func TestSchemaNamesWrongOption(t *testing.T) {
	t.Parallel()
	wrong := []struct {
		option string
		value  any
		other  map[string]any
	}{
		{"partitoin", "batch", nil},
		{"requirements", "numpy", nil},
		{"provider", "torque", nil},
		{"provider", "Slurm", nil},
		{"provider", nil, nil},
		{"mpi", "false", nil},
		{"mpi", nil, nil}, // Python Chiltepin's template takes that for true
		{"mpi", 1, nil},
		{"max_mpi_apps", 0, nil},
		{"mpi_launcher", "mpirun", map[string]any{"mpi": true}},
		{"cores_per_node", "4", nil},
		{"nodes_per_block", 0, nil},
		{"init_blocks", -1, nil},
		{"min_blocks", 0.5, nil},
		{"max_blocks", 0, nil},
		{"exclusive", "False", nil},
		{"partition", true, nil},
		{"partition", 8, map[string]any{"provider": "slurm"}},
		{"queue", []string{"a"}, nil},
		{"account", 12345, map[string]any{"provider": "slurm"}},
		{"walltime", 36000, map[string]any{"provider": "slurm"}},
		{"walltime", "1 hour", map[string]any{"provider": "slurm"}},
		{"worker_init", []string{"module load intel"}, nil},
		{"endpoint_setup", 1, nil},
	}
	var asked []any
	for _, w := range wrong {
		options := map[string]any{w.option: w.value}
		for k, v := range w.other {
			options[k] = v
		}
		asked = append(asked, map[string]any{"template": "files/" + templateFile, "schema": "files/" + schemaFile, "options": options})
	}
	for i, a := range ask(t, runtimetest.Newest, map[string][]any{"render": asked})["render"] {
		if e := refused(a); !strings.HasPrefix(e, "ValidationError: ") || !strings.Contains(e, wrong[i].option) {
			t.Errorf("%v: %q", wrong[i], e)
		}
	}
}

// TestTemplateForEveryRelease renders one pool of each kind in old releases of
// the daemon.
func TestTemplateForEveryRelease(t *testing.T) {
	t.Parallel()
	var asked []any
	for _, provider := range []string{"slurm", "pbspro", "localhost"} {
		for _, mpi := range []bool{false, true} {
			asked = append(asked, map[string]any{"template": "files/" + templateFile, "schema": "files/" + schemaFile, "load": true,
				"options": map[string]any{"provider": provider, "mpi": mpi, "worker_init": "module load intel\nexport A=b"}})
		}
	}
	type engine struct {
		Type     string
		Launcher string `json:"mpi_launcher"`
		Provider struct {
			Type     string
			Launcher struct{ Type string }
		}
	}
	want := []string{
		"GlobusComputeEngine SlurmProvider SrunLauncher ", "GlobusMPIEngine SlurmProvider SimpleLauncher srun",
		"GlobusComputeEngine PBSProProvider MpiExecLauncher ", "GlobusMPIEngine PBSProProvider SimpleLauncher mpiexec",
		"GlobusComputeEngine LocalProvider SingleNodeLauncher ", "GlobusMPIEngine LocalProvider SimpleLauncher mpiexec",
	}
	for _, set := range []runtimetest.Set{runtimetest.Newest, runtimetest.V415, runtimetest.V46} {
		t.Run(string(set), func(t *testing.T) {
			t.Parallel()
			var got []string
			for i, a := range ask(t, set, map[string][]any{"render": asked})["render"] {
				if e := refused(a); e != "" {
					t.Fatalf("%v: %s", asked[i], e)
				}
				e := decode[struct{ Engine engine }](t, a).Engine
				got = append(got, strings.Join([]string{e.Type, e.Provider.Type, e.Provider.Launcher.Type, e.Launcher}, " "))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
