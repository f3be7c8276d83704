package faults

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// kill sends a signal to a process of this test and, for one that ends, waits
// until it is gone.
func (b *fixture) kill(pid int, s syscall.Signal) {
	b.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, s, nil, 0); err != nil {
		b.Fatal(err)
	}
	if s == syscall.SIGKILL {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			n, err := unix.Poll(fds, 10_000)
			if err == unix.EINTR {
				continue
			}
			if n != 1 {
				b.Fatalf("process %d does not end: %v", pid, err)
			}
			return
		}
	}
}

// living returns the processes that serve an endpoint of this fixture, whatever
// the program thinks of them: those that were launched with its configuration
// directory and have the daemon's name or title. Zombies have neither.
func (b *fixture) living() []int {
	return b.processes(func(command []byte) bool {
		return bytes.Contains(command, []byte("Globus Compute Endpoint *(")) || bytes.Contains(command, []byte("globus-compute-endpoint"))
	})
}

// users waits until so many user endpoints live, and returns them.
func (b *fixture) users(want int) []int {
	b.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		all := b.processes(func(command []byte) bool { return bytes.HasPrefix(command, []byte("Globus Compute Endpoint (")) })
		if len(all) == want {
			return all
		}
		if time.Since(began) > patience {
			b.Fatalf("user endpoints %v live, want %d", all, want)
		}
	}
}

// processes returns the processes of this fixture whose command line is right.
func (b *fixture) processes(right func([]byte) bool) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		b.Fatal(err)
	}
	var all []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		command, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err != nil || !right(command) {
			continue
		}
		env, err := os.ReadFile("/proc/" + e.Name() + "/environ")
		if err == nil && bytes.Contains(env, []byte("GLOBUS_COMPUTE_USER_DIR="+b.dir+"\x00")) {
			all = append(all, pid)
		}
	}
	return all
}

// sweep kills what the test has left running in its directory.
func (b *fixture) sweep() {
	for _, pid := range b.processes(func([]byte) bool { return true }) {
		if fd, err := unix.PidfdOpen(pid, 0); err == nil {
			_ = unix.PidfdSendSignal(fd, syscall.SIGKILL, nil, 0)
			unix.Close(fd)
		}
	}
}

// registered says whether the service has a registration of that id.
func (b *fixture) registered(id string) bool {
	for _, e := range b.box.State().Endpoints {
		if e.ID == id {
			return true
		}
	}
	return false
}

// snapshot is everything under the configuration directory, so that what must
// write nothing can be held against it.
func (b *fixture) snapshot() string {
	var text strings.Builder
	_ = filepath.WalkDir(b.root+b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		switch filepath.Base(path) {
		case "daemon.pid", "endpoint.log": // the daemon's to touch
			fmt.Fprintln(&text, path, info.Mode())
		case "storage.db", "clients.json": // a token may be renewed
		default:
			if d.IsDir() {
				fmt.Fprintln(&text, path, info.Mode())
				break
			}
			fmt.Fprintln(&text, path, info.Mode(), info.Size(), info.ModTime())
		}
		return nil
	})
	return text.String()
}
