package scheduler

import (
	"bytes"
	"cmp"
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Commands runs the programs of a scheduler.
type Commands struct {
	// Environ is their environment; its PATH is where they are looked for.
	Environ []string
}

// answerTimeout is how long a scheduler's program may take; on a busy cluster
// they take seconds.
const answerTimeout = 20 * time.Second

// ProgramError is a program of a scheduler that could not be run or failed.
type ProgramError struct {
	// Name is the program, Problem what is wrong with it, in its own words where
	// it has printed any.
	Name, Problem string
	// Missing is true when it is not on PATH.
	Missing bool
}

// Error names the program and its problem.
func (e *ProgramError) Error() string { return e.Name + ": " + e.Problem }

// Run runs a program and returns what it prints. It fails with a
// *[ProgramError].
func (c Commands) Run(ctx context.Context, name string, args ...string) (string, error) {
	path := c.lookPath(name)
	if path == "" {
		return "", &ProgramError{Name: name, Problem: "it is not on PATH", Missing: true}
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var out, says bytes.Buffer
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = c.Environ, "/", &out, &says
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", &ProgramError{Name: name, Problem: "it does not answer"}
		}
		words := strings.TrimSpace(regexp.MustCompile(`\s+`).ReplaceAllString(says.String(), " "))
		return "", &ProgramError{Name: name, Problem: cmp.Or(words, err.Error())}
	}
	return out.String(), nil
}

// Getenv is a variable of the environment, "" for one that is not set.
func (c Commands) Getenv(name string) string {
	for i := len(c.Environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(c.Environ[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// lookPath finds a program on the PATH of Environ, "" where it is not.
func (c Commands) lookPath(name string) string {
	for _, dir := range filepath.SplitList(c.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if filepath.IsAbs(path) && unix.Access(path, unix.X_OK) == nil {
			return path
		}
	}
	return ""
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}

// mentions says whether text has one of the parts.
func mentions(text string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// listed names what there is, to be put behind what to do; "" for nothing.
func listed(what string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	if len(names) > 12 {
		names = append(append([]string(nil), names[:12]...), "more")
	}
	return "; there are the " + what + " " + joinWords(names, "and")
}

// joinWords joins words with commas and a last word between.
func joinWords(words []string, last string) string {
	n := len(words)
	if n < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n-1], ", ") + " " + last + " " + words[n-1]
}
