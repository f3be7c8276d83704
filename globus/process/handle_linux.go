package process

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	needPIDFDOpen   = "pidfd_open (Linux 5.3 or later)"
	needPIDFDSignal = "pidfd_send_signal (Linux 5.1 or later)"
)

// Hold returns a handle that names the process which has that id now. Where
// the kernel knows no handles the error is an *[UnsupportedError].
func (System) Hold(pid int) (Handle, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		return nil, &UnsupportedError{Need: needPIDFDOpen}
	}
	if err != nil {
		return nil, fmt.Errorf("opening a handle on process %d: %w", pid, err)
	}
	return &pidfd{fd: fd}, nil
}

// StartInSession starts a command as the leader of a new session and returns a
// handle on it, nil where the kernel gives none. The caller has to wait for the
// command.
func StartInSession(cmd *exec.Cmd) (Handle, error) {
	fd := -1
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, PidFD: &fd}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if fd < 0 {
		return nil, nil
	}
	return &pidfd{fd: fd}, nil
}

// pidfd is a process file descriptor. It names one process for ever.
type pidfd struct{ fd int }

func (h *pidfd) Signal(s syscall.Signal) error {
	err := unix.PidfdSendSignal(h.fd, s, nil, 0)
	if errors.Is(err, unix.ENOSYS) {
		return &UnsupportedError{Need: needPIDFDSignal}
	}
	return err
}

func (h *pidfd) Dead() bool { return h.poll(0) }

// poll waits at most d for the end of the process.
func (h *pidfd) poll(d time.Duration) bool {
	fds := []unix.PollFd{{Fd: int32(h.fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int(d.Milliseconds()))
	return err == nil && n > 0
}

func (h *pidfd) Wait(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			if h.Dead() {
				return nil
			}
			return err
		}
		if h.poll(20 * time.Millisecond) {
			return nil
		}
	}
}

func (h *pidfd) Close() error { return unix.Close(h.fd) }

// NoHandle stands for a process that the kernel gives no handle on: it cannot
// be signalled, and its end is not seen.
type NoHandle struct{}

// Signal is an *[UnsupportedError].
func (NoHandle) Signal(syscall.Signal) error { return &UnsupportedError{Need: needPIDFDOpen} }

// Dead is false.
func (NoHandle) Dead() bool { return false }

// Wait waits until ctx is done.
func (NoHandle) Wait(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// Close does nothing.
func (NoHandle) Close() error { return nil }
