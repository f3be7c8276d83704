package endpoint

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus/daemon"
	"chiltepin/globus/process"
	"chiltepin/globus/runtime"
)

// outputFile is where a daemon's standard output and error go.
const outputFile = "chiltepin.out"

// awaitedDaemon is a daemon that is being waited for: one that this process has
// launched, or one that was found.
type awaitedDaemon struct {
	pid    int
	handle process.Handle
	// from is the size of the log when it was launched.
	from int64
	// exited is closed when a child of ours has ended, and state is how. Nil
	// for a daemon that is not our child.
	exited chan struct{}
	state  *os.ProcessState
	// output is what the daemon has printed; empty for one that was found.
	output string
	// lostRace is true when somebody else, who was starting the endpoint at the
	// same time, was in its way: made its password void, so that it ended or
	// nobody hears it, or had endpoint.json half written.
	lostRace bool
}

// hasEnded says whether the daemon has ended, and waits for its status if we are
// to get it.
func (d *awaitedDaemon) hasEnded() bool {
	if d.exited == nil {
		return d.handle.Dead()
	}
	select {
	case <-d.exited:
		return true
	default:
		return false
	}
}

// readOwnLog returns what the daemon has written to the endpoint's log since its
// launch, and whether other programs have written to it as well.
func (d *awaitedDaemon) readOwnLog(ep *endpointfs.Endpoint) (own []byte, others bool, err error) {
	data, _, err := ep.Log().ReadFrom(d.from, launchLog)
	own, others = log.WrittenBy(d.pid, data)
	return own, others, err
}

// launchDaemon starts the daemon in a session of its own, with nothing of ours but
// an environment, and notes which process it is.
func (op *operation) launchDaemon(rt runtime.Runtime, env []string) (*awaitedDaemon, error) {
	from, err := op.ep.Log().Size()
	if err != nil {
		return nil, op.wrap(fmt.Errorf("reading its log: %w", err))
	}
	d := &awaitedDaemon{from: from, exited: make(chan struct{}), output: filepath.Join(op.ep.Path(), outputFile)}
	out, err := openOutput(op.ep.Path())
	if err != nil {
		return nil, op.wrap(err)
	}
	defer out.Close()
	cmd := exec.Command(rt.Path, daemon.StartArguments(op.m.Dir.Path(), op.ep.Name())...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = env, op.ep.Path(), out, out
	process.CloseInherited()
	if err := op.checkLockHeld(); err != nil {
		return nil, err
	}
	if d.handle, err = process.StartInSession(cmd); err != nil {
		return nil, op.wrap(fmt.Errorf("launching %s: %w", rt.Path, err))
	}
	d.pid = cmd.Process.Pid
	// Until it is waited for, its id is its own, dead or alive.
	start, recordErr := process.StartTime(d.pid)
	if d.handle == nil {
		if d.handle, err = op.m.processTable().Hold(d.pid); err != nil {
			d.handle = process.NoHandle{}
		}
	}
	go func() {
		_ = cmd.Wait() // the state says it all
		d.state = cmd.ProcessState
		close(d.exited)
	}()
	if recordErr == nil {
		recordErr = op.recordLaunch(d.pid, start, d.from, rt.Path, env)
	}
	if recordErr != nil {
		// The daemon lives, and can be proven by its title alone.
		return d, &recordError{recordErr}
	}
	return d, nil
}

// recordError is a launch that could not be noted.
type recordError struct{ error }

func (e *recordError) Unwrap() error { return e.error }

// recordLaunch notes which process the daemon is.
func (op *operation) recordLaunch(pid int, start uint64, from int64, program string, env []string) error {
	here := op.m.thisMachine()
	s := endpointfs.LaunchRecord{
		Host: here.Host, BootID: here.BootID, PID: pid, StartTime: start,
		Runtime: program, ChiltepinVersion: op.m.Version, LogOffset: from, Launched: time.Now(),
	}
	s.ID, _ = op.ep.ID()
	for _, v := range env {
		if id, ok := strings.CutPrefix(v, daemon.ClientIDVariable+"="); ok {
			s.ClientID = id
		}
	}
	return op.ep.WriteLaunchRecord(s)
}

// openOutput opens the file for a daemon's standard output and error, emptied.
// It appends, so that two daemons do not overwrite each other's words.
func openOutput(dir string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	// A link there would lead the daemon's words out of its directory.
	if info, err := root.Lstat(outputFile); err == nil && !info.Mode().IsRegular() {
		if err := root.Remove(outputFile); err != nil {
			return nil, err
		}
	}
	f, err := root.OpenFile(outputFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	// Whatever the umask: it is read again when the daemon ends.
	if err := f.Chmod(0o600); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// readOutput returns the end of what the daemon has printed.
func (d *awaitedDaemon) readOutput() string {
	if d.output == "" {
		return ""
	}
	f, err := os.Open(d.output)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	const most = 16 << 10
	data, _ := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-most), most))
	return string(data)
}

// daemonEnvironment returns the environment of the daemon: the caller's, without what
// leads to another endpoint, with the runtime's programs first in PATH, the
// configuration directory, and what its tokens need.
func (m *Manager) daemonEnvironment(ctx context.Context, rt runtime.Runtime) ([]string, error) {
	var own []string
	if m.ChildEnv != nil {
		var err error
		if own, err = m.ChildEnv(ctx); err != nil {
			return nil, err
		}
	}
	own = append(own, daemon.DirectoryVariable+"="+m.Dir.Path())
	names := map[string]bool{}
	for _, v := range own {
		name, _, _ := strings.Cut(v, "=")
		names[name] = true
	}
	var env []string
	for _, v := range rt.Environ(m.Environ) {
		name, value, ok := strings.Cut(v, "=")
		if !ok || names[name] {
			continue
		}
		env = append(env, name+"="+absolutePathOf(name, value))
	}
	return append(env, own...), nil
}

// absolutePathOf makes the path of a certificate file absolute: the daemon
// works in another directory than the caller, who may have meant his own.
func absolutePathOf(name, value string) string {
	switch name {
	case "GLOBUS_SDK_VERIFY_SSL", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE":
		if _, err := os.Stat(value); value != "" && err == nil {
			if path, err := filepath.Abs(value); err == nil {
				return path
			}
		}
	}
	return value
}
