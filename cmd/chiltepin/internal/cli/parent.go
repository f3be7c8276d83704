package cli

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// processEnd returns a channel that is closed when the process of that id
// ends, and an error if there is none on this machine. It stops looking with
// ctx.
func processEnd(ctx context.Context, pid int) (<-chan struct{}, error) {
	if pid <= 0 {
		return nil, fmt.Errorf("%d is no process id", pid)
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("finding process %d: %w", pid, err)
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
