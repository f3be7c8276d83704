package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"chiltepin/globus/process"

	"golang.org/x/sys/unix"
)

// processEnd returns a channel that is closed when the process of that id
// ends, and an error if it is none that this one descends from: a client at the
// other end of ssh names a number that belongs to a stranger here. It stops
// looking with ctx.
func processEnd(ctx context.Context, pid int) (<-chan struct{}, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("finding process %d: %w", pid, err)
	}
	// Looked at while it is held: its number cannot come round again.
	if err := descendsFrom(pid); err != nil {
		unix.Close(fd)
		return nil, err
	}
	dead := make(chan struct{})
	go func() {
		defer unix.Close(fd)
		// The poll ends by itself now and then, only to see whether anybody
		// still wants to know.
		const patience = 5 * time.Second
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for ctx.Err() == nil {
			if n, err := unix.Poll(fds, int(patience.Milliseconds())); n > 0 && err == nil {
				close(dead)
				return
			}
		}
	}()
	return dead, nil
}

// descendsFrom is an error unless this process was started by that one, or by
// one that it has started.
func descendsFrom(ancestor int) error {
	for pid := os.Getppid(); pid > 1; {
		if pid == ancestor {
			return nil
		}
		p, ok, err := process.System{}.Lookup(pid)
		if err != nil || !ok {
			break
		}
		pid = p.Parent
	}
	return fmt.Errorf("process %d has not started this one", ancestor)
}
