package faults

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// patience is how long a command may take at most.
const patience = 10 * time.Minute

// answer is what a run of the program gave.
type answer struct {
	exit           int
	stdout, stderr string
	took           time.Duration
}

// run runs the program to its end.
func (b *fixture) run(args ...string) answer {
	b.Helper()
	return b.finish(b.command(args...))
}

func (b *fixture) command(args ...string) *exec.Cmd {
	argv := append(slices.Clone(b.prefix), append([]string{place.chiltepin}, args...)...)
	if b.on != nil {
		argv = append(b.on.enter(), argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Dir = slices.Clone(b.env), b.home
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: b.as}
	return cmd
}

// finish runs a command with its output in files, which nobody who inherits
// them keeps us waiting for.
func (b *fixture) finish(cmd *exec.Cmd) answer {
	b.Helper()
	var files [2]*os.File
	for i, to := range []*io.Writer{&cmd.Stdout, &cmd.Stderr} {
		if *to != nil {
			continue
		}
		f, err := os.CreateTemp(b.TempDir(), "out")
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		files[i], *to = f, f
	}
	began := time.Now()
	if b.unlocked {
		return b.finishUnlocked(cmd, files)
	}
	late := time.AfterFunc(patience, func() {
		b.Errorf("%q does not end within %s", cmd.Args, patience)
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
	err := cmd.Run()
	late.Stop()
	a := answer{took: time.Since(began)}
	a.read(b, files)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		a.exit = exit.ExitCode()
	case err != nil:
		b.Fatalf("%v: %v", cmd.Args, err)
	}
	if exit != nil && exit.ExitCode() < 0 {
		b.Fatalf("%q ended by %v\n%s", cmd.Args, exit, a.stderr)
	}
	if leaks := b.box.Leaks(a.stdout + a.stderr); len(leaks) > 0 {
		b.Errorf("%q printed %v", cmd.Args, leaks)
	}
	return a
}

// read reads what a command has printed into files.
func (a *answer) read(b *fixture, files [2]*os.File) {
	b.Helper()
	for i, into := range []*string{&a.stdout, &a.stderr} {
		if files[i] == nil {
			continue
		}
		data, err := os.ReadFile(files[i].Name())
		if err != nil {
			b.Fatal(err)
		}
		*into = string(data)
	}
}

// finishUnlocked is finish on a file system that has no locks.
func (b *fixture) finishUnlocked(cmd *exec.Cmd, files [2]*os.File) answer {
	b.Helper()
	began := time.Now()
	tr := tracer{unlocked: true}
	done := make(chan error, 1)
	go func() {
		_, err := tr.run(cmd)
		done <- err
	}()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	a := answer{exit: tr.exit, took: time.Since(began)}
	a.read(b, files)
	return a
}

// must runs the program, which must succeed.
func (b *fixture) must(args ...string) answer {
	b.Helper()
	a := b.run(args...)
	if a.exit != 0 {
		b.Fatalf("chiltepin %s: exit status %d\n%s", strings.Join(args, " "), a.exit, a.stderr)
	}
	return a
}
