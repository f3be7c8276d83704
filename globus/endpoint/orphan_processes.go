package endpoint

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"chiltepin/endpointfs"
	"chiltepin/globus/daemon"
	"chiltepin/globus/next"
	"chiltepin/globus/process"
	"chiltepin/globus/progress"
)

// Survivors are the processes that a user endpoint has left running which was
// killed: parsl's interchange and workers. Nobody hears of what they compute,
// and they do not end by themselves.
type Survivors struct {
	// UserEndpoint is the UUID of the user endpoint.
	UserEndpoint string
	Processes    []process.Process
	// Busy is the number of their workers that are in the midst of a task.
	Busy int
}

// undeliverable is what is special about their tasks.
const undeliverable = "of leftover workers, whose user endpoint was killed: their results will not be delivered"

// countRunningTasks is the number of tasks that all of them are at.
func countRunningTasks(all []Survivors) (n int) {
	for _, o := range all {
		n += o.Busy
	}
	return n
}

// findSurvivors returns what killed user endpoints of an endpoint have left running
// on this machine. It finds them by their session: the daemon gives each user
// endpoint a session of its own (core_endpoint.py cmd_start_endpoint), which
// bears its process id, and nobody can join a session. That number, in the user
// endpoint's daemon.pid, cannot come round again while the session has members;
// so that one of another machine or boot is not mistaken for it, a member must
// also be writing parsl's files in the user endpoint's directory.
func (m *Manager) findSurvivors(ep *endpointfs.Endpoint) (all []Survivors) {
	dirs, _ := ep.UserEndpoints() // what cannot be read is not shown
	for _, d := range dirs {
		f, err := d.PIDFile()
		if err != nil || f.PID <= 1 {
			continue
		}
		if _, alive, err := m.processTable().Lookup(f.PID); err != nil || alive {
			continue
		}
		members, err := m.processTable().Session(f.PID)
		if err != nil || !m.anyWrites(members, d.Path()) {
			continue
		}
		first := members[0].StartTime
		for _, p := range members {
			first = min(first, p.StartTime)
		}
		began := m.thisMachine().ClockTime(first).Add(-time.Second)
		busy := daemon.ReadWorkerLogs(m.Dir.Path(), filepath.Base(d.Path()), began).Running
		all = append(all, Survivors{UserEndpoint: d.ID, Processes: members, Busy: busy})
	}
	return all
}

// anyWrites says whether one of the processes writes parsl's files in a directory.
func (m *Manager) anyWrites(all []process.Process, dir string) bool {
	for _, p := range all {
		if m.processTable().Writes(p, dir, daemon.ParslOutputs()...) {
			return true
		}
	}
	return false
}

// troubleOfSurvivors tells of survivors, nil when there are none.
func troubleOfSurvivors(ep *endpointfs.Endpoint, all []Survivors) *Trouble {
	if len(all) == 0 {
		return nil
	}
	n := 0
	for _, o := range all {
		n += len(o.Processes)
	}
	t := &Trouble{
		Survivors: true,
		Problem:   fmt.Sprintf("a user endpoint was killed; %d leftover processes (such as PID %d) still run, but their results will not be delivered", n, all[0].Processes[0].PID),
		Next:      []next.Step{next.Endpoint(next.EndpointStop, ep.Name(), "end them")},
	}
	if tasks := countRunningTasks(all); tasks > 0 {
		t.Next = []next.Step{next.Endpoint(next.EndpointStop, ep.Name(), fmt.Sprintf("wait for their %d tasks and end them; stopping without waiting for tasks kills both", tasks))}
	}
	return t
}

// endSurvivors ends what killed user endpoints have left running. Without Now it
// waits for the tasks that they are at, as for any others: what these write to
// the disk may be wanted.
func (s *stopping) endSurvivors(ctx context.Context) error {
	for {
		all := s.m.findSurvivors(s.ep)
		if len(all) == 0 {
			return nil
		}
		tasks := countRunningTasks(all)
		if tasks > 0 && !s.o.Now {
			known := fmt.Sprintf("%d tasks are not finished, %s", tasks, undeliverable)
			s.report(ctx, "draining", known)
			if s.isLate() {
				return s.timeout(known, s.waitAgain())
			}
			if err := progress.Pause(ctx, min(time.Second, time.Until(s.deadline))); err != nil {
				return s.interrupted(err, known, s.seeStatus())
			}
			continue
		}
		s.result.Lost += tasks
		for _, o := range all {
			if err := s.endSurvivingSession(ctx, o); err != nil {
				return err
			}
		}
	}
}

// endSurvivingSession ends the processes of a session whose leader is gone. They are
// proven again while they are held.
func (s *stopping) endSurvivingSession(ctx context.Context, o Survivors) error {
	var all process.HeldList
	defer func() { all.Close() }()
	for _, p := range o.Processes {
		held, err := process.Hold(s.m.processTable(), p)
		if errors.Is(err, syscall.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return s.wrap(err)
		}
		if held.Session != p.Session {
			held.Handle.Close()
			continue
		}
		all = append(all, held)
	}
	s.report(ctx, "stopping", fmt.Sprintf("sending SIGTERM to %d leftover processes of user endpoint %s", len(all), o.UserEndpoint))
	for _, p := range all {
		if err := s.signal(p.PID, p.Handle, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	for _, grace := range []time.Duration{2 * time.Second, 5 * time.Second} {
		waiting, cancel := context.WithTimeout(ctx, grace)
		left := 0
		for _, p := range all {
			if p.Handle.Wait(waiting) != nil {
				left = p.PID
			}
		}
		cancel()
		switch {
		case left == 0:
			return nil
		case ctx.Err() != nil:
			return s.interrupted(ctx.Err(), fmt.Sprintf("the daemon has ended; process %d, which a user endpoint left behind, has not yet", left), s.seeStatus())
		case grace > 2*time.Second:
			return s.timeout(fmt.Sprintf("the daemon has ended; process %d, which a user endpoint left behind, got SIGKILL and has not", left), s.waitAgain())
		}
		if err := s.killAll(all); err != nil {
			return err
		}
	}
	return nil
}
