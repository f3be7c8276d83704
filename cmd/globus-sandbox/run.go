package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// runProgram runs a program in a sandbox of its own, and ends with its status.
func (w world) runProgram() (int, error) {
	var f sandboxFlags
	set := w.newFlagSet("run", &f)
	stop := set.Bool("stop-leftovers", false, "")
	if status, err, on := w.parseFlags(set); !on {
		return status, err
	}
	if set.NArg() == 0 {
		return exitUsage, errors.New("usage: globus-sandbox run [flags] -- COMMAND [ARG…]")
	}
	b, err := f.startSandbox()
	if err != nil {
		return exitError, err
	}
	defer b.Close()
	status, err := w.runChild(b, set.Args())
	w.endLeftovers(b, *stop)
	return status, err
}

// runChild runs the command in a process group of its own: a Globus endpoint that
// stops signals its whole group, and must not take the sandbox with it. The
// signals that we get are passed on to that group.
func (w world) runChild(b *startedSandbox, argv []string) (int, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = w.stdin, w.stdout, w.stderr
	cmd.Env = append(b.Environ(w.environ), b.extra...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	terminal := term.IsTerminal(int(w.stdin.Fd()))
	if terminal {
		cmd.SysProcAttr.Foreground, cmd.SysProcAttr.Ctty = true, int(w.stdin.Fd())
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			return 127, err
		}
		return 126, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			_ = syscall.Kill(-cmd.Process.Pid, s.(syscall.Signal)) // one that ended already is no error
		case err := <-done:
			if terminal {
				takeTerminal(int(w.stdin.Fd()))
			}
			return exitStatus(cmd.ProcessState, err)
		}
	}
}

// takeTerminal makes us the terminal's foreground group again.
func takeTerminal(fd int) {
	signal.Ignore(syscall.SIGTTOU)
	defer signal.Reset(syscall.SIGTTOU)
	_ = unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, syscall.Getpgrp())
}

func exitStatus(state *os.ProcessState, err error) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return exitError, fmt.Errorf("waiting for the command: %w", err)
	}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return state.ExitCode(), nil
}
