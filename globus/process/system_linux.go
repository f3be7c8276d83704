package process

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// System is the process table of this machine, as /proc shows it.
type System struct{}

// Select returns the processes of this user whose argument list match accepts.
func (System) Select(match func(arguments []byte) bool) ([]Process, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	own := os.Geteuid()
	var all []Process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		var info unix.Stat_t
		if own != 0 && (unix.Stat("/proc/"+name, &info) != nil || int(info.Uid) != own) {
			continue
		}
		arguments, err := readProcFile(pid, "cmdline")
		if IsExhausted(err) {
			return nil, fmt.Errorf("listing processes: %w", err)
		}
		if err != nil || !match(arguments) {
			continue
		}
		p, ok, err := System{}.Lookup(pid)
		if IsExhausted(err) {
			return nil, err
		}
		if ok && err == nil {
			all = append(all, p)
		}
	}
	return all, nil
}

// Lookup returns the process of that id, and whether there is one.
func (System) Lookup(pid int) (Process, bool, error) {
	if pid <= 0 {
		return Process{}, false, nil
	}
	stat, err := readProcFile(pid, "stat")
	if err != nil {
		return endedOrError(pid, err)
	}
	p, state, err := parseStat(stat)
	if err != nil {
		return Process{}, false, fmt.Errorf("looking at process %d: %w", pid, err)
	}
	if state == 'Z' || state == 'X' || p.PID != pid {
		return Process{}, false, nil
	}
	p.Suspended = state == 'T'
	arguments, err := readProcFile(pid, "cmdline")
	if err != nil {
		return endedOrError(pid, err)
	}
	p.Command = splitArguments(arguments)
	var info unix.Stat_t
	if err := unix.Stat("/proc/"+strconv.Itoa(pid), &info); err != nil {
		return endedOrError(pid, err)
	}
	p.UID = int(info.Uid)
	return p, true, nil
}

// Session returns the processes of a session.
func (System) Session(id int) ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var all []Process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, ok, err := (System{}).Lookup(pid); ok && err == nil && p.Session == id {
			all = append(all, p)
		}
	}
	return all, nil
}

// StartTime reads the start time of a child of this process, which may have
// ended as long as it was not waited for.
func StartTime(pid int) (uint64, error) {
	stat, err := readProcFile(pid, "stat")
	if err != nil {
		return 0, err
	}
	p, _, err := parseStat(stat)
	return p.StartTime, err
}

// IsExhausted says whether we could not look for want of something of our own,
// so that nothing is known. Any other error means that the process is another
// user's, or has ended.
func IsExhausted(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}

// endedOrError tells the end of a process from another trouble with /proc.
func endedOrError(pid int, err error) (Process, bool, error) {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return Process{}, false, nil
	}
	return Process{}, false, fmt.Errorf("looking at process %d: %w", pid, err)
}

// readProcFile reads the beginning of a file about a process. A title and the
// command line of a daemon fit by far.
func readProcFile(pid int, name string) ([]byte, error) {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/" + name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, 16<<10)
	n, err := io.ReadFull(f, data)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return data[:n], err
}
