package venv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// CommandError says that a program which builds an environment failed.
type CommandError struct {
	// Command is what ran, without its arguments' paths: "pip install".
	Command string
	// Err is how it ended.
	Err error
	// Tail is the end of what it printed, passwords in addresses left out.
	Tail []string
}

func (e *CommandError) Error() string {
	s := fmt.Sprintf("running %s: %v", e.Command, e.Err)
	if len(e.Tail) == 0 {
		return s
	}
	// pip and uv go on after the line that says it.
	for _, line := range slices.Backward(e.Tail) {
		if strings.HasPrefix(strings.ToLower(line), "error: ") {
			return s + ": " + line
		}
	}
	return s + ": " + e.Tail[len(e.Tail)-1]
}

func (e *CommandError) Unwrap() error { return e.Err }

// Environ returns what a child that works on Python environments gets of env:
// everything but the variables that would lead it to another interpreter, to
// another directory, or to another endpoint.
func Environ(env []string) []string {
	drop := []string{
		"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV",
		"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_LOG", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT",
		// Set in every task and user endpoint; they override the daemon's arguments.
		"GLOBUS_COMPUTE_ENDPOINT_DIR", "GLOBUS_COMPUTE_LOG_PATH", "GLOBUS_COMPUTE_ENDPOINT_NAME",
	}
	kept := slices.DeleteFunc(slices.Clone(env), func(s string) bool {
		name, _, _ := strings.Cut(s, "=")
		return slices.Contains(drop, name)
	})
	// A pip.conf that says "user = true" makes pip refuse an environment.
	return append(kept, "PIP_USER=0", "PYTHONUNBUFFERED=1")
}

// Job is one program to run beside this one.
type Job struct {
	// Dir is the working directory.
	Dir string
	// Environ is its whole environment, NAME=VALUE.
	Environ []string
	// Log receives what it prints, passwords in addresses left out. Nil discards.
	Log io.Writer
	// Each is called with every line it prints, as Log gets it. Nil is not.
	Each func(string)
}

// Run runs a program to its end; its failure is a *CommandError. The program has
// no standard input, is in a process group of its own, and ends when ctx does or
// this process dies.
func (j Job) Run(ctx context.Context, name string, args ...string) error {
	// The death signal is tied to the thread that starts the program.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	out := &outputLines{log: j.Log, each: j.Each}
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env = j.Dir, j.Environ
	c.Stdout, c.Stderr = out, out
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	c.WaitDelay = 2 * time.Second
	err := c.Run()
	out.flushLine()
	if err == nil {
		return nil
	}
	if c.Process != nil {
		// What it left behind in its group goes too; mostly there is nothing.
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	} else if errors.Is(err, exec.ErrWaitDelay) {
		err = fmt.Errorf("its output was not closed: %w", err)
	}
	return &CommandError{Command: commandName(name, args), Err: err, Tail: out.tail}
}

// commandName names a program by the words a person would say.
func commandName(name string, args []string) string {
	words := []string{filepath.Base(name)}
	for _, a := range args {
		if strings.HasPrefix(a, "-") && a != "-m" || len(words) == 4 || strings.Contains(a, "/") {
			break
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// maskUserinfo replaces what stands before the @ of an address, which may be a
// password. A line that was cut may end before an @, so all of that address goes.
func maskUserinfo(line string, cut bool) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(line, "://")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("://")
		end := strings.IndexAny(rest, "/ \t\n\f\r")
		if end < 0 && cut {
			return b.String() + "***"
		}
		if end < 0 {
			end = len(rest)
		}
		if at := strings.LastIndexByte(rest[:end], '@'); at > 0 {
			b.WriteString("***")
			rest = rest[at:]
		}
		line = rest
	}
}

// outputLines cuts a stream into lines, logs them without passwords, and keeps the last.
type outputLines struct {
	log  io.Writer
	each func(string)
	part []byte
	cut  bool
	tail []string
}

const (
	keptLines = 20
	keptBytes = 4096 // of one line
)

func (l *outputLines) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		line, after, found := bytes.Cut(rest, []byte{'\n'})
		room := keptBytes - len(l.part)
		l.part = append(l.part, line[:min(len(line), room)]...)
		l.cut = l.cut || len(line) > room
		if found {
			l.flushLine()
		}
		rest = after
	}
	return len(p), nil
}

// flushLine ends the line that is under way.
func (l *outputLines) flushLine() {
	s := maskUserinfo(strings.TrimRight(string(l.part), " \r"), l.cut)
	if l.cut {
		s += "…"
	}
	l.part, l.cut = l.part[:0], false
	if s == "" {
		return
	}
	if l.log != nil {
		// A full disk shows in what follows; the log is only its witness.
		_, _ = io.WriteString(l.log, s+"\n")
	}
	l.tail = append(l.tail, s)
	if len(l.tail) > keptLines {
		l.tail = l.tail[1:]
	}
	if l.each != nil {
		l.each(s)
	}
}
