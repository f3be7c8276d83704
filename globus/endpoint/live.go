package endpoint

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Live is what is known about the resource pool that a user endpoint serves.
// Numbers are -1 and times 0 where they are not known.
type Live struct {
	// Options are those of the pool, in the words of a Chiltepin
	// configuration, as the template has made them.
	Options map[string]string
	// Running and Pending are blocks, Workers those that are connected.
	Running, Pending, Workers int
	// Soft and Hard are how long it stays without work, and without a task
	// that moves; StopsIn is what is left of one of them while it is idle.
	Soft, Hard, StopsIn time.Duration
}

// How much of a log is read: its configuration stands at the head, its state at
// the end.
const (
	headSize = 64 << 10
	tailSize = 256 << 10
)

// live reads the log of a user endpoint, its title, what it reported to the
// service, which may be nil, and the template that it was made of.
//
// The daemon writes the configuration into the log and loses it again unless
// PYTHONUNBUFFERED is set (print before exec in core_endpoint.py); then what
// parsl writes of its provider tells the options, and the template the limits.
func live(logPath, title string, details json.RawMessage, template string) *Live {
	l := &Live{Running: -1, Pending: -1, Workers: -1}
	head, end := ends(logPath)
	if config := loggedConfig(end); config != nil {
		l.configured(config)
	} else if config := loggedConfig(head); config != nil {
		l.configured(config)
	} else {
		l.logged(head)
		l.limits(template)
	}
	// strategy.py of parsl writes it every five seconds, where debug is set.
	if all := strategyLine.FindAllSubmatch(end, -1); len(all) > 0 {
		last := all[len(all)-1]
		l.Workers, l.Running, l.Pending = number(last[1]), number(last[2]), number(last[3])
	}
	var told struct {
		Workers *int `json:"total_workers"`
	}
	if len(details) > 0 && json.Unmarshal(details, &told) == nil && told.Workers != nil && l.Workers < *told.Workers {
		l.Workers = *told.Workers
	}
	if m := shutdownIn.FindStringSubmatch(title); m != nil {
		l.StopsIn = time.Duration(number([]byte(strings.ReplaceAll(m[1], ",", "")))) * time.Second
	}
	return l
}

// These are never written to.
var (
	strategyLine = regexp.MustCompile(`Executor \d+ active tasks, (\d+) active slots, and (\d+)/(\d+) running/pending blocks`)
	shutdownIn   = regexp.MustCompile(`^\[(?:possibly )?idle; shut down in ([0-9,]+)(?:\.[0-9]+)?s\] `)
	configBlock  = regexp.MustCompile(`(?s)Begin Compute endpoint configuration \(\d+ lines\):\n(.*?)\nEnd Compute endpoint configuration`)
)

// These are of the log that parsl writes, and of a template that has plain
// numbers. They are never written to.
var (
	providerBlock = regexp.MustCompile(`(?s)with provider:\n(\w+)\(\n(.*?)\n\)`)
	providerLine  = regexp.MustCompile(`(?m)^ {4}(\w+)=(.*?),? *$`)
	limitLine     = regexp.MustCompile(`(?m)^(idle_heartbeats_soft|idle_heartbeats_hard|heartbeat_period): *([0-9]+) *$`)
)

// logged takes the options out of what parsl writes of its provider.
func (l *Live) logged(head []byte) {
	all := providerBlock.FindAllSubmatch(head, -1)
	if len(all) == 0 {
		return
	}
	last := all[len(all)-1]
	l.Options = map[string]string{"provider": providerWord(string(last[1]))}
	if bytes.Contains(head, []byte("GlobusMPIEngine")) {
		l.Options["mpi"] = "true"
	}
	for _, m := range providerLine.FindAllSubmatch(last[2], -1) {
		value := strings.Trim(string(m[2]), "'")
		if value == "" || value == "None" {
			continue
		}
		switch name := string(m[1]); name {
		case "qos":
			l.Options["queue"] = value
		case "cpus_per_node":
			l.Options["cores_per_node"] = value
		case "nodes_per_block":
			if string(last[1]) != "LocalProvider" {
				l.Options[name] = value
			}
		case "partition", "queue", "account", "cores_per_node", "init_blocks", "min_blocks", "max_blocks", "walltime", "exclusive":
			l.Options[name] = value
		}
	}
}

// limits takes the limits out of a template that has them as plain numbers.
func (l *Live) limits(template string) {
	found := map[string]int{"heartbeat_period": 30, "idle_heartbeats_hard": 5760}
	for _, m := range limitLine.FindAllStringSubmatch(template, -1) {
		found[m[1]] = number([]byte(m[2]))
	}
	if soft := found["idle_heartbeats_soft"]; soft > 0 {
		period := time.Duration(found["heartbeat_period"]) * time.Second
		l.Soft, l.Hard = time.Duration(soft)*period, time.Duration(found["idle_heartbeats_hard"])*period
	}
}

func number(b []byte) int {
	n, err := strconv.Atoi(string(b))
	if err != nil {
		return -1
	}
	return n
}

// ends returns the head and the end of a file; of one that cannot be read,
// nothing.
func ends(path string) (head, end []byte) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	read := func(from, n int64) []byte {
		data, _ := io.ReadAll(io.NewSectionReader(f, from, n)) // what can be read is shown
		return data
	}
	return read(0, headSize), read(max(0, info.Size()-tailSize), tailSize)
}

// loggedConfig is the last configuration in a piece of a log: the daemon writes
// it before the user endpoint starts, each line after "  | ".
func loggedConfig(text []byte) []byte {
	all := configBlock.FindAllSubmatch(text, -1)
	if len(all) == 0 {
		return nil
	}
	var b bytes.Buffer
	for line := range bytes.Lines(all[len(all)-1][1]) {
		b.Write(bytes.TrimPrefix(line, []byte("  | ")))
	}
	return b.Bytes()
}

// configured takes the options and limits out of a configuration.
func (l *Live) configured(text []byte) {
	var doc struct {
		Heartbeat *float64 `yaml:"heartbeat_period"`
		Soft      int      `yaml:"idle_heartbeats_soft"`
		Hard      *int     `yaml:"idle_heartbeats_hard"`
		Engine    struct {
			Type     string    `yaml:"type"`
			Apps     yaml.Node `yaml:"max_workers_per_block"`
			Launcher yaml.Node `yaml:"mpi_launcher"`
			Provider yaml.Node `yaml:"provider"`
		} `yaml:"engine"`
	}
	if yaml.Unmarshal(text, &doc) != nil {
		return
	}
	period := 30.0 // of UserEndpointConfig
	if doc.Heartbeat != nil {
		period = *doc.Heartbeat
	}
	hard := 5760
	if doc.Hard != nil {
		hard = *doc.Hard
	}
	if doc.Soft > 0 && period > 0 && period < 1e6 {
		l.Soft = time.Duration(float64(doc.Soft) * period * float64(time.Second))
		l.Hard = time.Duration(float64(hard) * period * float64(time.Second))
	}
	l.Options = map[string]string{}
	put := func(name string, n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && n.Value != "" && n.ShortTag() != "!!null" {
			l.Options[name] = n.Value
		}
	}
	if strings.Contains(doc.Engine.Type, "MPI") {
		l.Options["mpi"] = "true"
		put("max_mpi_apps", &doc.Engine.Apps)
		put("mpi_launcher", &doc.Engine.Launcher)
	}
	p := &doc.Engine.Provider
	for i := 0; i+1 < len(p.Content); i += 2 {
		switch name := p.Content[i].Value; name {
		case "type":
			l.Options["provider"] = providerWord(p.Content[i+1].Value)
		case "qos":
			put("queue", p.Content[i+1])
		case "cpus_per_node":
			put("cores_per_node", p.Content[i+1])
		case "partition", "queue", "account", "cores_per_node", "nodes_per_block", "init_blocks", "min_blocks", "max_blocks", "walltime", "exclusive":
			put(name, p.Content[i+1])
		}
	}
}

// providerWord is a class of parsl in the word of a Chiltepin configuration.
func providerWord(class string) string {
	switch class {
	case "SlurmProvider":
		return "slurm"
	case "PBSProProvider":
		return "pbspro"
	case "LocalProvider":
		return "localhost"
	}
	return class
}
