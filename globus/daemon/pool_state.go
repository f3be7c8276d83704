package daemon

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

	"chiltepin/globus/pool/scheduler"
)

// PoolState is what is known about the resource pool that a user endpoint
// serves, by what the daemon and parsl have written.
// Numbers are -1 and times 0 where they are not known.
type PoolState struct {
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

// ReadPoolState reads the log of a user endpoint, its title, what it reported
// to the service, which may be nil, and the template that it was made of.
//
// The daemon writes the configuration into the log and loses it again unless
// PYTHONUNBUFFERED is set (print before exec in core_endpoint.py); then what
// parsl writes of its provider tells the options, and the template the limits.
func ReadPoolState(logPath, title string, details json.RawMessage, template string) *PoolState {
	l := &PoolState{Running: -1, Pending: -1, Workers: -1}
	head, end := readEnds(logPath)
	if config := findConfiguration(end); config != nil {
		l.applyConfiguration(config)
	} else if config := findConfiguration(head); config != nil {
		l.applyConfiguration(config)
	} else {
		l.applyProvider(head)
		l.applyLimits(template)
	}
	// strategy.py of parsl writes it every five seconds, where debug is set.
	strategy := regexp.MustCompile(`Executor \d+ active tasks, (\d+) active slots, and (\d+)/(\d+) running/pending blocks`)
	if all := strategy.FindAllSubmatch(end, -1); len(all) > 0 {
		last := all[len(all)-1]
		l.Workers, l.Running, l.Pending = parseCount(last[1]), parseCount(last[2]), parseCount(last[3])
	}
	l.Workers = max(l.Workers, reportedWorkers(details))
	l.StopsIn = parseShutdownDelay(title)
	return l
}

// applyProvider takes the options out of what parsl writes of its provider.
func (l *PoolState) applyProvider(head []byte) {
	block := regexp.MustCompile(`(?s)with provider:\n(\w+)\(\n(.*?)\n\)`)
	line := regexp.MustCompile(`(?m)^ {4}(\w+)=(.*?),? *$`)
	all := block.FindAllSubmatch(head, -1)
	if len(all) == 0 {
		return
	}
	last := all[len(all)-1]
	l.Options = map[string]string{"provider": providerName(string(last[1]))}
	if bytes.Contains(head, []byte("GlobusMPIEngine")) {
		l.Options["mpi"] = "true"
	}
	for _, m := range line.FindAllSubmatch(last[2], -1) {
		value := strings.Trim(string(m[2]), "'")
		if value == "" || value == "None" {
			continue
		}
		if option := scheduler.All().PoolOption(string(last[1]), string(m[1])); option != "" {
			l.Options[option] = value
		}
	}
}

// applyLimits takes the limits out of a template that has them as plain numbers.
func (l *PoolState) applyLimits(template string) {
	found := map[string]int{"heartbeat_period": int(HeartbeatPeriod / time.Second), "idle_heartbeats_hard": hardHeartbeats}
	limit := regexp.MustCompile(`(?m)^(idle_heartbeats_soft|idle_heartbeats_hard|heartbeat_period): *([0-9]+) *$`)
	for _, m := range limit.FindAllStringSubmatch(template, -1) {
		found[m[1]] = parseCount([]byte(m[2]))
	}
	if soft := found["idle_heartbeats_soft"]; soft > 0 {
		period := time.Duration(found["heartbeat_period"]) * time.Second
		l.Soft, l.Hard = time.Duration(soft)*period, time.Duration(found["idle_heartbeats_hard"])*period
	}
}

func parseCount(b []byte) int {
	n, err := strconv.Atoi(string(b))
	if err != nil {
		return -1
	}
	return n
}

// readEnds returns the head and the end of a file; of one that cannot be read,
// nothing.
func readEnds(path string) (head, end []byte) {
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

// findConfiguration is the last configuration in a piece of a log: the daemon writes
// it before the user endpoint starts, each line after "  | ".
func findConfiguration(text []byte) []byte {
	block := regexp.MustCompile(`(?s)Begin Compute endpoint configuration \(\d+ lines\):\n(.*?)\nEnd Compute endpoint configuration`)
	all := block.FindAllSubmatch(text, -1)
	if len(all) == 0 {
		return nil
	}
	var b bytes.Buffer
	for line := range bytes.Lines(all[len(all)-1][1]) {
		b.Write(bytes.TrimPrefix(line, []byte("  | ")))
	}
	return b.Bytes()
}

// applyConfiguration takes the options and limits out of a configuration.
func (l *PoolState) applyConfiguration(text []byte) {
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
	period := HeartbeatPeriod.Seconds()
	if doc.Heartbeat != nil {
		period = *doc.Heartbeat
	}
	hard := hardHeartbeats
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
	p, class := &doc.Engine.Provider, ""
	for i := 0; i+1 < len(p.Content); i += 2 {
		if p.Content[i].Value == "type" {
			class = p.Content[i+1].Value
			l.Options["provider"] = providerName(class)
		}
	}
	for i := 0; i+1 < len(p.Content); i += 2 {
		if option := scheduler.All().PoolOption(class, p.Content[i].Value); option != "" {
			put(option, p.Content[i+1])
		}
	}
}

// providerName is a class of parsl in the word of a Chiltepin configuration.
func providerName(class string) string {
	if s, ok := scheduler.All().OfClass(class); ok {
		return s.Facts().Name
	}
	return class
}
