package scheduler

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"chiltepin/globus/pool/pyyaml"
)

// Script is parsl/providers/slurm/slurm.py and template.py, with one task a
// node, as its only caller has it.
func (Slurm) Script(config ProviderConfig) Script {
	s := Script{Submit: "sbatch SCRIPT"}
	s.checkSlurmKinds(config)
	wall := "00:10:00"
	if config["walltime"].Kind == pyyaml.Text {
		wall = config["walltime"].Written
	}
	minutes, err := wallMinutes(wall)
	if err != nil {
		s.addProblem("%v", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/bash\n\n#SBATCH --job-name=JOB\n#SBATCH --output=SCRIPT.stdout\n#SBATCH --error=SCRIPT.stderr\n#SBATCH --nodes=%s\n#SBATCH --time=%d\n#SBATCH --ntasks-per-node=1\n", config.Format("nodes_per_block", "1"), minutes)
	b.WriteString(config.Text("scheduler_options") + "\n")
	if v, ok := config["exclusive"]; !ok || v.Kind == pyyaml.Bool && v.Bool {
		b.WriteString("#SBATCH --exclusive\n")
	}
	for _, name := range []string{"partition", "account", "qos", "constraint", "clusters", "gpus_per_node", "gres"} {
		if config[name].IsTrue() {
			fmt.Fprintf(&b, "#SBATCH --%s=%s\n", strings.ReplaceAll(name, "_", "-"), config.Text(name))
		}
	}
	after := ""
	if v := config.Text("mem_per_node"); v != "" {
		fmt.Fprintf(&b, "#SBATCH --mem=%sg\n", v)
		after += fmt.Sprintf("export PARSL_MEMORY_GB=%s\n", v)
	}
	if v := config["cores_per_node"]; v.Kind == pyyaml.Int || v.Kind == pyyaml.Bool {
		// The provider counts with it, and to Python true is 1.
		cores := v.Int
		if v.Bool {
			cores = 1
		}
		fmt.Fprintf(&b, "#SBATCH --cpus-per-task=%d", cores)
		after += fmt.Sprintf("export PARSL_CORES=%d\n", cores)
	}
	fmt.Fprintf(&b, "\n\n%s\n%s\n\nexport JOBNAME=\"JOB\"", config.Text("worker_init"), after)
	s.Header = b.String()
	return s
}

// checkSlurmKinds notes a value of a kind that the provider refuses.
func (s *Script) checkSlurmKinds(config ProviderConfig) {
	for _, name := range []string{"partition", "account", "qos", "constraint", "clusters", "gres", "walltime", "scheduler_options", "worker_init"} {
		v, ok := config[name]
		if !ok || v.Kind == pyyaml.Text || v.Kind == pyyaml.Null && name != "walltime" && name != "scheduler_options" {
			continue
		}
		s.addProblem("%s is %s, and the provider wants a text", name, v.Kind.WithArticle())
	}
	for _, name := range []string{"nodes_per_block", "cores_per_node", "mem_per_node", "gpus_per_node", "init_blocks", "min_blocks", "max_blocks"} {
		v, ok := config[name]
		optional := name == "cores_per_node" || name == "mem_per_node" || name == "gpus_per_node"
		if ok && v.Kind != pyyaml.Int && v.Kind != pyyaml.Bool && !(optional && v.Kind == pyyaml.Null) {
			s.addProblem("%s is %s, and the provider wants a number", name, v.Kind.WithArticle())
		}
	}
	if v, ok := config["exclusive"]; ok && v.Kind != pyyaml.Bool {
		s.addProblem("exclusive is %s, and the provider wants true or false", v.Kind.WithArticle())
	}
}

// wallMinutes is wtime_to_minutes in parsl/utils.py.
func wallMinutes(wall string) (int64, error) {
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
