package pool

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Scheduler is the batch scheduler of a machine and what it would take for a
// block that says nothing more.
type Scheduler struct {
	// Name is "slurm", "pbspro" or "none".
	Name string
	// Partition and Queue are the default ones, Account the user's; each is
	// empty where it cannot be told.
	Partition, Queue, Account string
	// Cores are those of a node of the partition, 0 where that is not known.
	Cores int
	// Partitions and Queues are all there are.
	Partitions, Queues []string
	// Why says what was seen.
	Why string
}

// Provider is the provider of a pool on such a machine.
func (s Scheduler) Provider() string {
	if s.Name == "slurm" || s.Name == "pbspro" {
		return s.Name
	}
	return "localhost"
}

// askTimeout is how long a scheduler's program may take; on a busy cluster
// they take seconds.
const askTimeout = 20 * time.Second

// Detect looks for a scheduler on this machine: Slurm's sinfo that gets an
// answer, then PBS Professional's qstat. It changes nothing. The error is that
// of ctx.
func (m *Manager) Detect(ctx context.Context) (Scheduler, error) {
	s := Scheduler{Name: "none", Why: "neither sinfo nor qstat is on PATH"}
	if out, err := m.runTool(ctx, "sinfo", "-h", "-o", "%P|%c"); err == nil {
		s = slurmOf(out)
		user, _, _ := strings.Cut(m.getenv("USER"), " ")
		if user != "" {
			if out, err := m.runTool(ctx, "sacctmgr", "-nP", "show", "user", user, "format=defaultaccount"); err == nil {
				s.Account = firstLine(out)
			}
		}
	} else if out, pbsErr := m.runTool(ctx, "qstat", "-Q"); pbsErr == nil {
		s = pbsOf(out)
	} else if path := m.lookPath("sinfo"); path != "" {
		s.Why = "sinfo is on PATH and gets no answer: " + err.Error()
	} else if m.lookPath("qstat") != "" {
		s.Why = "qstat is on PATH and gets no answer: " + pbsErr.Error()
	}
	return s, ctx.Err()
}

// slurmOf reads the lines of sinfo, PARTITION|CPUS, where a * marks the
// default.
func slurmOf(out string) Scheduler {
	s := Scheduler{Name: "slurm", Why: "sinfo answers"}
	for line := range strings.Lines(out) {
		name, cpus, _ := strings.Cut(strings.TrimSpace(line), "|")
		if name == "" {
			continue
		}
		name, isDefault := strings.CutSuffix(name, "*")
		if len(s.Partitions) == 0 || s.Partitions[len(s.Partitions)-1] != name {
			s.Partitions = append(s.Partitions, name)
		}
		if isDefault && s.Partition == "" {
			s.Partition = name
			s.Cores, _ = strconv.Atoi(strings.TrimSuffix(cpus, "+")) // 0 where it is none
		}
	}
	return s
}

// pbsOf reads the table of qstat -Q: a queue a line, below a line of dashes.
func pbsOf(out string) Scheduler {
	s := Scheduler{Name: "pbspro", Why: "qstat answers"}
	table := false
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case strings.Trim(fields[0], "-") == "":
			table = true
		case table:
			s.Queues = append(s.Queues, fields[0])
		}
	}
	if len(s.Queues) == 1 {
		s.Queue = s.Queues[0]
	}
	return s
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}

func (m *Manager) getenv(name string) string {
	for i := len(m.Environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(m.Environ[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// lookPath finds a program on the PATH of the caller, "" where it is not.
func (m *Manager) lookPath(name string) string {
	for _, dir := range filepath.SplitList(m.getenv("PATH")) {
		path := filepath.Join(dir, name)
		if filepath.IsAbs(path) && unix.Access(path, unix.X_OK) == nil {
			return path
		}
	}
	return ""
}

// toolError is a program of a scheduler that failed.
type toolError struct{ name, says string }

func (e *toolError) Error() string { return e.name + ": " + e.says }

// runTool runs a program of a scheduler and returns what it prints.
func (m *Manager) runTool(ctx context.Context, name string, args ...string) (string, error) {
	path := m.lookPath(name)
	if path == "" {
		return "", &toolError{name, "it is not on PATH"}
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var out, says bytes.Buffer
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = m.Environ, "/", &out, &says
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", &toolError{name, "it does not answer"}
		}
		return "", &toolError{name, firstOf(firstLine(regexp.MustCompile(`\s+`).ReplaceAllString(says.String(), " ")), err.Error())}
	}
	return out.String(), nil
}
