package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/endpointfs/log"
	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
	"chiltepin/globus/progress"
)

// A daemon on another machine cannot be signalled from here, and no process id
// of that machine means anything here. But it looks for its daemon.pid every 15
// seconds and shuts down in an orderly way when it is gone (_touch_pid in
// cli.py), and marks its end in its log. So taking the file away stops it, and
// the mark proves it.

// afterMark is how long the process needs after its mark to be gone: the end of
// the interpreter is all that is left of it, a quarter of a second.
const afterMark = 2 * time.Second

// remoteStop is how long stopping from another machine may take: until the
// daemon misses its file, and then as long as it needs to shut down.
const remoteStop = 30 * time.Second

// stopRemote ends a daemon that runs on another machine, if that can be
// done without losing tasks. v says where it runs.
func (s *stopping) stopRemote(ctx context.Context, e Evidence, v verdict) error {
	refusal := s.runsElsewhere(v)
	// A restart would move the endpoint to this machine; and what was launched
	// under another host name but is seen here need not be at its end there.
	if p := e.Process; s.name != "stopping" || p != nil && p.Host != "" || e.ID == "" || e.PIDFile.PID == 0 {
		return refusal
	}
	if busy := s.findBusyUserEndpoint(); busy != "" && !s.o.Now {
		refusal.Reason += "; " + busy
		return refusal
	}
	if time.Until(s.deadline) < remoteStop {
		return s.timeout(fmt.Sprintf("%s; from here it takes up to %s to stop it, and nothing was done", v.Reason, remoteStop),
			next.Call(next.EndpointStop, next.Args{"name": s.ep.Name(), "timeout": "2m"}, "give it that time"))
	}
	from, err := s.ep.Log().Size()
	if err != nil {
		return s.wrap(fmt.Errorf("reading its log: %w", err))
	}
	taken, err := s.takePIDFile(e)
	if err != nil {
		return s.wrap(fmt.Errorf("moving daemon.pid away: %w", err))
	}
	s.report(ctx, "stopping", "daemon.pid was moved away, so the daemon on "+hostInWords(v)+" shuts down within 15 seconds")
	began := time.Now()
	if err := s.waitForEndMarker(ctx, e, v, from); err != nil {
		return errors.Join(err, s.putPIDFileBack(taken))
	}
	if err := s.checkLockHeld(); err != nil {
		return err
	}
	if err := taken.Remove(); err != nil {
		return s.wrap(fmt.Errorf("removing daemon.pid: %w", err))
	}
	if err := progress.Pause(ctx, afterMark); err != nil {
		return s.interrupted(err, "the daemon on "+hostInWords(v)+" has logged its end", s.seeStatus())
	}
	s.ended, s.how = true, "the daemon on "+hostInWords(v)+" found daemon.pid missing, shut down and logged its end"
	s.result.Took += time.Since(began)
	return nil
}

// hostInWords names the other machine.
func hostInWords(v verdict) string {
	if v.Host == "" {
		return "the other machine"
	}
	return v.Host
}

// findBusyUserEndpoint says which user endpoint may have tasks: one whose log does not
// end with the mark of its end.
func (s *stopping) findBusyUserEndpoint() string {
	all, err := s.ep.UserEndpoints()
	if err != nil {
		return "its user endpoints cannot be seen: " + err.Error()
	}
	for _, u := range all {
		mark, ok, err := u.Log().LastMarker()
		if err != nil || !ok || mark.Kind != log.Ends {
			return "its user endpoint " + u.ID + " may have tasks, which cannot be seen from here; stopping without waiting for tasks would lose them"
		}
	}
	return ""
}

// takePIDFile takes daemon.pid away, so that its daemon ends by itself.
func (s *stopping) takePIDFile(e Evidence) (taken endpointfs.TakenPIDFile, err error) {
	if err := s.checkLockHeld(); err != nil {
		return taken, err
	}
	if taken, err = s.ep.TakePIDFile(); err != nil {
		return taken, err
	}
	// Somebody may have started another one meanwhile.
	if f, err := taken.Read(); err != nil || f.PID != e.PIDFile.PID {
		return taken, errors.Join(errors.New("it has changed meanwhile: another program is starting the daemon"), s.putPIDFileBack(taken))
	}
	return taken, nil
}

// putPIDFileBack gives daemon.pid its name again, so that a daemon which has not
// missed it yet is seen to run.
func (s *stopping) putPIDFileBack(taken endpointfs.TakenPIDFile) error {
	if err := s.checkLockHeld(); err != nil {
		return err
	}
	return taken.PutBack()
}

// waitForEndMarker waits until the daemon has marked its end in the log after the
// offset from.
func (s *stopping) waitForEndMarker(ctx context.Context, e Evidence, v verdict, from int64) error {
	for {
		data, _, err := s.ep.Log().ReadFrom(from, launchLog)
		if err != nil {
			return s.wrap(fmt.Errorf("reading its log: %w", err))
		}
		for _, mark := range log.Markers(data) {
			if mark.Kind == log.Ends && mark.ID == e.ID {
				return nil
			}
		}
		// Touching it, the daemon may have made it anew in the very instant.
		if f, err := s.ep.PIDFile(); f.Exists && (err != nil || f.PID == e.PIDFile.PID) && s.checkLockHeld() == nil {
			if err := s.changeFiles(func(root *os.Root) error { return root.Remove(daemon.PIDFile) }); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		if s.isLate() {
			return s.timeout("the daemon on "+hostInWords(v)+" has not logged its end after daemon.pid was moved away; the file was put back", s.waitAgain())
		}
		if err := progress.Pause(ctx, 100*time.Millisecond); err != nil {
			return s.interrupted(err, "daemon.pid was moved away and put back; the daemon on "+hostInWords(v)+" may be shutting down", s.seeStatus())
		}
	}
}

// changeFiles changes something in the endpoint's directory.
func (op *operation) changeFiles(do func(*os.Root) error) error {
	if err := op.checkLockHeld(); err != nil {
		return err
	}
	root, err := os.OpenRoot(op.ep.Path())
	if err != nil {
		return err
	}
	defer root.Close()
	return do(root)
}
