package pool

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"chiltepin/endpointfs"
	"chiltepin/globus/pool/pyyaml"
)

// Script is what parsl submits for one block.
type Script struct {
	// Provider is the class that submits it, such as SlurmProvider.
	Provider string
	// Submit is the command by which it is submitted.
	Submit string
	// Header is the script up to where the workers start. JOB and SCRIPT stand
	// for names that parsl chooses anew for each block.
	Header string
	// Problem is why the provider would not submit it, or why this program
	// does not know what it would submit.
	Problem string
}

// providerName is the provider's part of a configuration.
type provider map[string]pyyaml.Value

// scriptOf reads the configuration of a user endpoint. Its providers are those
// of parsl 2026.10.26.
func scriptOf(config string) (Script, error) {
	var doc struct {
		Engine struct {
			Provider yaml.Node `yaml:"provider"`
		} `yaml:"engine"`
	}
	if err := yaml.Unmarshal([]byte(config), &doc); err != nil {
		return Script{}, &endpointfs.FormatError{File: "the rendered configuration", Problem: strings.TrimPrefix(err.Error(), "yaml: "), Remedy: "mend the template: what it makes of these options is not YAML"}
	}
	node := &doc.Engine.Provider
	if node.Kind == 0 {
		return Script{Problem: "the template sets no provider, and blocks run on the endpoint's own host"}, nil
	}
	p := provider{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		p[node.Content[i].Value] = pyyaml.ValueOf(node.Content[i+1], 1)
	}
	s := Script{Provider: p["type"].Written}
	if takes := keywords(s.Provider); takes != nil {
		for i := 0; i+1 < len(node.Content); i += 2 {
			if name := node.Content[i].Value; !slices.Contains(takes, name) {
				s.problem("%s takes no %s", s.Provider, name)
			}
		}
	}
	switch s.Provider {
	case "SlurmProvider":
		s.slurm(p)
	case "PBSProProvider":
		s.pbs(p)
	case "LocalProvider":
		if v, ok := p["worker_init"]; ok && v.Kind != pyyaml.Text && v.Kind != pyyaml.Null {
			s.problem("worker_init is %s, and the provider wants a text", v.Kind.WithArticle())
		}
		s.Submit, s.Header = "bash SCRIPT", p.text("worker_init")+"\nexport JOBNAME=JOB"
	default:
		s.Problem = fmt.Sprintf("what %s submits is not known to this program", firstOf(s.Provider, "a provider without type"))
	}
	return s, nil
}

// textOption is a value as Python formats it, but "" for None.
func (p provider) text(name string) string {
	if p[name].Kind == pyyaml.Null {
		return ""
	}
	return p.formatted(name, "")
}

// formatted is a value as Python's format has it, or def where it is left out.
func (p provider) formatted(name, def string) string {
	switch v := p[name]; v.Kind {
	case "":
		return def
	case pyyaml.Null:
		return "None"
	case pyyaml.Bool:
		return map[bool]string{true: "True", false: "False"}[v.Bool]
	case pyyaml.Int:
		return strconv.FormatInt(v.Int, 10)
	default:
		return v.Written
	}
}

// holds is the truth of a value as Python has it: not None, false, 0 or empty.
func (p provider) holds(name string) bool {
	switch v := p[name]; v.Kind {
	case "", pyyaml.Null:
		return false
	case pyyaml.Bool:
		return v.Bool
	case pyyaml.Int:
		return v.Int != 0
	default:
		return v.Written != ""
	}
}

// keywords are what a provider can be given, nil for one that is not known.
func keywords(class string) []string {
	all := []string{"type", "launcher", "nodes_per_block", "init_blocks", "min_blocks", "max_blocks", "parallelism", "worker_init", "cmd_timeout"}
	switch class {
	case "SlurmProvider":
		return append(all, "partition", "account", "qos", "constraint", "clusters", "cores_per_node", "mem_per_node", "gpus_per_node", "gres", "walltime",
			"scheduler_options", "regex_job_id", "status_batch_size", "exclusive")
	case "PBSProProvider":
		return append(all, "account", "queue", "scheduler_options", "select_options", "cpus_per_node", "walltime")
	case "LocalProvider":
		return all
	}
	return nil
}

// problem notes the first thing that the provider would refuse.
func (s *Script) problem(format string, args ...any) {
	if s.Problem == "" {
		s.Problem = fmt.Sprintf(format, args...)
	}
}

// slurm is parsl/providers/slurm/slurm.py and template.py, with one task a
// node, as its only caller has it.
func (s *Script) slurm(p provider) {
	s.Submit = "sbatch SCRIPT"
	for _, name := range []string{"partition", "account", "qos", "constraint", "clusters", "gres", "walltime", "scheduler_options", "worker_init"} {
		v, ok := p[name]
		if !ok || v.Kind == pyyaml.Text || v.Kind == pyyaml.Null && name != "walltime" && name != "scheduler_options" {
			continue
		}
		s.problem("%s is %s, and the provider wants a text", name, v.Kind.WithArticle())
	}
	for _, name := range []string{"nodes_per_block", "cores_per_node", "mem_per_node", "gpus_per_node", "init_blocks", "min_blocks", "max_blocks"} {
		v, ok := p[name]
		optional := name == "cores_per_node" || name == "mem_per_node" || name == "gpus_per_node"
		if ok && v.Kind != pyyaml.Int && v.Kind != pyyaml.Bool && !(optional && v.Kind == pyyaml.Null) {
			s.problem("%s is %s, and the provider wants a number", name, v.Kind.WithArticle())
		}
	}
	if v, ok := p["exclusive"]; ok && v.Kind != pyyaml.Bool {
		s.problem("exclusive is %s, and the provider wants true or false", v.Kind.WithArticle())
	}
	wall := "00:10:00"
	if p["walltime"].Kind == pyyaml.Text {
		wall = p["walltime"].Written
	}
	minutes, err := minutes(wall)
	if err != nil {
		s.problem("%v", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/bash\n\n#SBATCH --job-name=JOB\n#SBATCH --output=SCRIPT.stdout\n#SBATCH --error=SCRIPT.stderr\n#SBATCH --nodes=%s\n#SBATCH --time=%d\n#SBATCH --ntasks-per-node=1\n", p.formatted("nodes_per_block", "1"), minutes)
	b.WriteString(p.text("scheduler_options") + "\n")
	if v, ok := p["exclusive"]; !ok || v.Kind == pyyaml.Bool && v.Bool {
		b.WriteString("#SBATCH --exclusive\n")
	}
	for _, o := range []struct{ name, flag string }{
		{"partition", "partition"}, {"account", "account"}, {"qos", "qos"}, {"constraint", "constraint"},
		{"clusters", "clusters"}, {"gpus_per_node", "gpus-per-node"}, {"gres", "gres"},
	} {
		if p.holds(o.name) {
			fmt.Fprintf(&b, "#SBATCH --%s=%s\n", o.flag, p.text(o.name))
		}
	}
	after := ""
	if v := p.text("mem_per_node"); v != "" {
		fmt.Fprintf(&b, "#SBATCH --mem=%sg\n", v)
		after += fmt.Sprintf("export PARSL_MEMORY_GB=%s\n", v)
	}
	if v := p["cores_per_node"]; v.Kind == pyyaml.Int || v.Kind == pyyaml.Bool {
		// The provider counts with it, and to Python true is 1.
		cores := v.Int
		if v.Bool {
			cores = 1
		}
		fmt.Fprintf(&b, "#SBATCH --cpus-per-task=%d", cores)
		after += fmt.Sprintf("export PARSL_CORES=%d\n", cores)
	}
	fmt.Fprintf(&b, "\n\n%s\n%s\n\nexport JOBNAME=\"JOB\"", p.text("worker_init"), after)
	s.Header = b.String()
}

// minutes is wtime_to_minutes in parsl/utils.py.
func minutes(wall string) (int64, error) {
	part := strings.Split(wall, ":")
	if len(part) == 3 {
		h, err := strconv.ParseInt(strings.TrimSpace(part[0]), 10, 32)
		m, err2 := strconv.ParseInt(strings.TrimSpace(part[1]), 10, 32)
		if err == nil && err2 == nil && h < math.MaxInt32 {
			return 60*h + m, nil
		}
	}
	return 0, fmt.Errorf("walltime is %q, and the provider wants HH:MM:SS", wall)
}

// pbs is parsl/providers/pbspro/pbspro.py and template.py.
func (s *Script) pbs(p provider) {
	s.Submit = "qsub"
	// What is not None is given, an empty text too.
	if v, ok := p["queue"]; ok && v.Kind != pyyaml.Null {
		s.Submit += "  -q " + p.text("queue")
	}
	if v, ok := p["account"]; ok && v.Kind != pyyaml.Null {
		s.Submit += " -A " + p.text("account")
	}
	s.Submit += " SCRIPT"
	for _, name := range []string{"queue", "account"} {
		if v, ok := p[name]; ok && v.Kind == pyyaml.Text && v.Written == "" {
			s.problem("%s is an empty text, and qsub would take what follows for it", name)
		}
	}
	options := p.text("select_options")
	if options != "" && !strings.HasPrefix(options, ":") {
		options = ":" + options
	}
	s.Header = fmt.Sprintf("#!/bin/bash\n\n#PBS -S /bin/bash\n#PBS -N JOB\n#PBS -m n\n#PBS -l walltime=%s\n#PBS -l select=%s:ncpus=%s%s\n#PBS -o SCRIPT.stdout\n#PBS -e SCRIPT.stderr\n%s\n\n%s\n\nexport JOBNAME=\"JOB\"",
		p.formatted("walltime", "00:20:00"), p.formatted("nodes_per_block", "1"), p.formatted("cpus_per_node", "1"), options, p.text("scheduler_options"), p.text("worker_init"))
}
