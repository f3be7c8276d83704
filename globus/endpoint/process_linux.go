package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// machineProcesses are the processes of this machine, as /proc shows them.
type machineProcesses struct{}

func (machineProcesses) Candidates() ([]Process, error) {
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
		command, err := readProc(pid, "cmdline")
		if exhausted(err) {
			return nil, fmt.Errorf("listing processes: %w", err)
		}
		if err != nil || !bytes.Contains(command, []byte(program)) && !bytes.Contains(command, []byte("Globus Compute Endpoint")) && !bytes.Contains(command, []byte("/"+programAlias)) {
			continue
		}
		p, ok, err := (machineProcesses{}).Lookup(pid)
		if exhausted(err) {
			return nil, err
		}
		if ok && err == nil {
			all = append(all, p)
		}
	}
	return all, nil
}

func (machineProcesses) Lookup(pid int) (Process, bool, error) {
	if pid <= 0 {
		return Process{}, false, nil
	}
	stat, err := readProc(pid, "stat")
	if err != nil {
		return gone(pid, err)
	}
	p, state, err := parseStat(stat)
	if err != nil {
		return Process{}, false, fmt.Errorf("looking at process %d: %w", pid, err)
	}
	if state == 'Z' || state == 'X' || p.PID != pid {
		return Process{}, false, nil
	}
	p.Suspended = state == 'T'
	command, err := readProc(pid, "cmdline")
	if err != nil {
		return gone(pid, err)
	}
	p.Command = parseCommand(command)
	var info unix.Stat_t
	if err := unix.Stat("/proc/"+strconv.Itoa(pid), &info); err != nil {
		return gone(pid, err)
	}
	p.UID = int(info.Uid)
	return p, true, nil
}

// exhausted says whether we could not look for want of something of our own, so
// that nothing is known. Any other error means that the process is another
// user's, or has ended.
func exhausted(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}

// gone tells the end of a process from another trouble with /proc.
func gone(pid int, err error) (Process, bool, error) {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return Process{}, false, nil
	}
	return Process{}, false, fmt.Errorf("looking at process %d: %w", pid, err)
}

// readProc reads the beginning of a file about a process. A title and the
// command line of a daemon fit by far.
func readProc(pid int, name string) ([]byte, error) {
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

// parseStat reads /proc/PID/stat, see proc(5). The name of the program is in
// parentheses and may hold anything, parentheses too.
func parseStat(data []byte) (p Process, state byte, err error) {
	text := strings.TrimSpace(string(data))
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return Process{}, 0, errors.New("reading its stat: no program name")
	}
	fields := strings.Fields(text[end+1:])
	if len(fields) < 20 || len(fields[0]) != 1 {
		return Process{}, 0, errors.New("reading its stat: too few fields")
	}
	var errs [4]error
	p.PID, errs[0] = strconv.Atoi(strings.TrimSpace(text[:open]))
	p.Parent, errs[1] = strconv.Atoi(fields[1])
	p.Session, errs[2] = strconv.Atoi(fields[3])
	p.StartTime, errs[3] = strconv.ParseUint(fields[19], 10, 64)
	if err := errors.Join(errs[:]...); err != nil {
		return Process{}, 0, fmt.Errorf("reading its stat: %w", err)
	}
	return p, fields[0][0], nil
}

// parseCommand splits an argument list. setproctitle leaves the title and then
// zeros where the arguments were.
func parseCommand(data []byte) []string {
	data = bytes.TrimRight(data, "\x00")
	if len(data) == 0 {
		return nil
	}
	return strings.Split(string(data), "\x00")
}

func (machineProcesses) Place(p Process, dir string) Place {
	link := "/proc/" + strconv.Itoa(p.PID)
	home, err := os.Stat(dir)
	if err != nil {
		return Unseen
	}
	cwd, err := os.Stat(link + "/cwd")
	if err != nil {
		return Unseen
	}
	if os.SameFile(cwd, home) {
		return Inside
	}
	// A daemon that was started by hand works wherever its shell did.
	files, err := openFiles(p.PID)
	if err != nil {
		return Unseen
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return Unseen
	}
	for _, target := range files {
		if !strings.HasPrefix(filepath.Base(target), "endpoint.log") {
			continue
		}
		if filepath.Dir(strings.TrimSuffix(target, " (deleted)")) == real {
			return Inside
		}
		if parent, err := os.Stat(filepath.Dir(target)); err == nil && os.SameFile(parent, home) {
			return Inside
		}
	}
	return Outside
}

// openFiles returns the files that a process has open: the links to them in
// /proc, and where these lead.
func openFiles(pid int) (iter.Seq2[string, string], error) {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd/"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	return func(yield func(link, target string) bool) {
		for _, e := range entries {
			link := dir + e.Name()
			target, err := os.Readlink(link)
			if err == nil && !yield(link, target) {
				return
			}
		}
	}, nil
}

func (machineProcesses) Writes(p Process, dir string, patterns ...string) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	files, err := openFiles(p.PID)
	if err != nil {
		return false
	}
	for link, target := range files {
		if !strings.HasPrefix(target, real+"/") {
			continue
		}
		// The mode of the link is how the file was opened, see proc(5).
		info, err := os.Lstat(link)
		if err != nil || info.Mode().Perm()&0o200 == 0 {
			continue
		}
		for _, pattern := range patterns {
			if ok, _ := filepath.Match(pattern, filepath.Base(target)); ok {
				return true
			}
		}
	}
	return false
}

func (machineProcesses) Session(id int) ([]Process, error) {
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
		if p, ok, err := (machineProcesses{}).Lookup(pid); ok && err == nil && p.Session == id {
			all = append(all, p)
		}
	}
	return all, nil
}

func (machineProcesses) Hold(pid int) (Held, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		return nil, &UnsupportedError{Need: "pidfd_open (Linux 5.3 or later)"}
	}
	if err != nil {
		return nil, fmt.Errorf("taking hold of process %d: %w", pid, err)
	}
	return &pidfd{fd: fd}, nil
}

// pidfd is a process file descriptor. It names one process for ever.
type pidfd struct{ fd int }

func (h *pidfd) Signal(s syscall.Signal) error {
	err := unix.PidfdSendSignal(h.fd, s, nil, 0)
	if errors.Is(err, unix.ENOSYS) {
		return &UnsupportedError{Need: "pidfd_send_signal (Linux 5.1 or later)"}
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
