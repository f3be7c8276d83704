package endpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"chiltepin/globus"
)

// DeleteOptions say how far to go.
type DeleteOptions struct {
	// Force stops an endpoint that runs, as [Manager.Stop] does.
	Force bool
	// Now, with Force, does not wait for tasks.
	Now bool
	// LocalOnly removes the files even when the registration cannot be ended,
	// or there is nobody to ask.
	LocalOnly bool
	// Timeout is for everything together; 0 is [DefaultTimeout].
	Timeout time.Duration
}

// StepOutcome is one step of an operation that has several.
type StepOutcome struct {
	// Name is stable: "stop", "deregister", "user endpoints", "directory".
	Name string
	// Outcome is a word or two: "done", "already gone", "not needed",
	// "failed", "not done".
	Outcome string
	// Detail says more, where there is more to say.
	Detail string
}

// DeleteResult is an endpoint that is gone.
type DeleteResult struct {
	Name  string
	ID    string
	Steps []StepOutcome
}

// Delete ends the registration of an endpoint and then removes its files, in
// this order, so that a deletion which was cut short can be repeated. It is
// refused while the endpoint runs, unless Force stops it first. The
// registration of a crashed daemon is ended even while the service still
// believes it online: what runs is known better here.
//
// When the service cannot be reached, or refuses, nothing is removed and the
// error is a *[DeleteError], unless LocalOnly is set. A registration that is
// gone already is no error.
func (m *Manager) Delete(ctx context.Context, name string, o DeleteOptions) (DeleteResult, error) {
	ctx, op, err := m.begin(ctx, name, "deleting", o.Timeout)
	if err != nil {
		return DeleteResult{}, err
	}
	defer op.end()
	d := deletion{operation: op, o: o, result: DeleteResult{Name: op.ep.Name()}}
	err = d.runSteps(ctx)
	return d.result, op.wrapLostLock(err)
}

// deletion is an operation that deletes an endpoint.
type deletion struct {
	*operation
	o      DeleteOptions
	result DeleteResult
}

// runSteps does the work of Delete.
func (d *deletion) runSteps(ctx context.Context) error {
	if err := d.stopFirst(ctx); err != nil {
		return err
	}
	if err := d.checkIdentity(); err != nil {
		return d.wrapSteps(err)
	}
	// Not after the registration is ended: then its id is needed no more.
	if err := d.ep.Removable(); err != nil {
		d.addStep("directory", "failed", err.Error())
		return d.wrapSteps(fmt.Errorf("nothing was done: %w", err))
	}
	if err := d.endRegistration(ctx); err != nil {
		return d.wrapSteps(err)
	}
	if err := d.removeFiles(ctx); err != nil {
		return d.wrapSteps(err)
	}
	return nil
}

func (d *deletion) addStep(name, outcome, detail string) {
	d.result.Steps = append(d.result.Steps, StepOutcome{Name: name, Outcome: outcome, Detail: detail})
}

func (d *deletion) wrapSteps(err error) error {
	return &DeleteError{Name: d.ep.Name(), Steps: d.result.Steps, Err: err}
}

// stopFirst makes sure that the endpoint does not run.
func (d *deletion) stopFirst(ctx context.Context) error {
	e, v, err := d.settle(ctx)
	if err != nil {
		return d.interrupted(err, "nothing was done", d.seeStatus())
	}
	p := e.Process
	switch {
	case v.Elsewhere:
		return d.runsElsewhere(v)
	case p != nil && p.Proven && !d.o.Force:
		return &RunningError{Name: d.ep.Name(), Operation: d.name, PID: p.PID, State: v.State}
	case !v.Settled && (p == nil || !p.Proven):
		return d.doubt(e, v)
	}
	// Also for one that does not run: its user endpoints may outlive it by a
	// second or two.
	r, err := d.stop(ctx, StopOptions{Now: d.o.Now})
	if err != nil {
		return err
	}
	outcome, detail := "not needed", "it was not running"
	if r.Outcome == WasStopped {
		outcome, detail = "done", r.Signal
	}
	d.addStep("stop", outcome, detail)
	d.result.ID = cmp.Or(e.ID, recordedID(e))
	return nil
}

// recordedID is the id that our own record knows.
func recordedID(e Evidence) string {
	if e.Record != nil {
		return e.Record.ID
	}
	return ""
}

// checkIdentity finds out which registration is to be ended. An endpoint.json that
// cannot be read is not taken for none: the registration would be orphaned.
func (d *deletion) checkIdentity() error {
	_, err := d.ep.ID()
	if err == nil || d.result.ID != "" || d.o.LocalOnly {
		return nil
	}
	d.addStep("deregister", "failed", err.Error())
	return err
}

// endRegistration ends the registration.
func (d *deletion) endRegistration(ctx context.Context) error {
	id := d.result.ID
	if id == "" {
		d.addStep("deregister", "not needed", "it was never registered")
		return nil
	}
	if err := d.checkLockHeld(); err != nil {
		d.addStep("deregister", "not done", "interrupted")
		return err
	}
	d.report(ctx, "deregistering", "ending the registration "+id)
	err := d.askService(ctx, id)
	switch {
	case err == nil:
		d.addStep("deregister", "done", id)
	case globus.IsNotFound(err):
		d.addStep("deregister", "already gone", id)
	case d.o.LocalOnly && ctx.Err() == nil:
		d.addStep("deregister", "not done", fmt.Sprintf("%s is still registered: %v", id, err))
	default:
		d.addStep("deregister", "failed", err.Error())
		return fmt.Errorf("nothing was removed: %w", err)
	}
	return nil
}

func (d *deletion) askService(ctx context.Context, id string) error {
	service, err := d.m.connectService(ctx)
	if err != nil {
		return err
	}
	return service.Delete(ctx, id)
}

// removeFiles removes the directories, the endpoint's own last: while it is there
// the id is known, and the deletion can be repeated.
func (d *deletion) removeFiles(ctx context.Context) error {
	err := d.checkLockHeld()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		d.addStep("directory", "not done", "interrupted")
		return err
	}
	d.report(ctx, "removing", "removing "+d.ep.Path())
	if d.result.ID != "" {
		gone, err := d.m.Dir.RemoveUserEndpoints(d.result.ID)
		if err != nil {
			d.addStep("user endpoints", "failed", err.Error())
			return err
		}
		if len(gone) > 0 {
			d.addStep("user endpoints", "done", fmt.Sprintf("%d removed", len(gone)))
		}
	}
	if err = d.checkLockHeld(); err == nil {
		err = d.ep.Remove()
	}
	if err == nil {
		if _, statErr := os.Lstat(d.ep.Path()); !errors.Is(statErr, os.ErrNotExist) {
			err = fmt.Errorf("%s is still there", d.ep.Path())
		}
	}
	if err != nil {
		d.addStep("directory", "failed", err.Error())
		return err
	}
	d.addStep("directory", "done", d.ep.Path())
	return nil
}
