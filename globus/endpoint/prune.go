package endpoint

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"chiltepin/endpointfs"
	"chiltepin/globus"
	"chiltepin/globus/next"
)

// PruneOptions say what to look at.
type PruneOptions struct {
	// Only, if not empty, are the UUIDs of the registrations to end, and
	// nothing else is pruned. One that another machine registered is pruned
	// only when it is named here.
	Only []string
}

// Plan is what a pruning would remove.
type Plan struct {
	// Registrations are those to end.
	Registrations []Pair
	// Leftovers are the directories to remove of user endpoints whose endpoint
	// is gone.
	Leftovers []endpointfs.UserEndpointDir
	// Kept are the things that look like it and stay, each with the reason.
	Kept []StepOutcome
}

// Empty says whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Registrations) == 0 && len(p.Leftovers) == 0 }

// Digest names what the plan would remove, so that an agreement to it is no
// agreement to another.
func (p Plan) Digest() string {
	h := sha256.New()
	for _, r := range p.Registrations {
		fmt.Fprintf(h, "registration %s\n", r.ID)
	}
	for _, u := range p.Leftovers {
		fmt.Fprintf(h, "directory %s\n", u.Path())
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// PruneError says that a registration that was named cannot be pruned.
type PruneError struct {
	ID, Reason string
	// Unknown is true when there is no such registration.
	Unknown bool
}

// Error names both.
func (e *PruneError) Error() string { return fmt.Sprintf("pruning %s: %s", e.ID, e.Reason) }

// Next is to see what there is.
func (e *PruneError) Next() []next.Step {
	return []next.Step{next.Call(next.EndpointList, next.Args{"remote": true}, "see which registrations there are")}
}

// PlanPruning finds the registrations that this machine has orphaned and the
// directories that user endpoints have left behind. It changes nothing. What
// is online, has a directory, or belongs to another machine is never in the
// plan, except that Only may name the last.
func (m *Manager) PlanPruning(ctx context.Context, o PruneOptions) (Plan, error) {
	pairs, err := m.Survey(ctx)
	if err != nil {
		return Plan{}, err
	}
	var plan Plan
	for _, id := range o.Only {
		i := slices.IndexFunc(pairs, func(p Pair) bool { return strings.EqualFold(p.ID, id) })
		if i < 0 {
			return Plan{}, &PruneError{ID: id, Reason: "no registration of the identity that is logged in has this UUID", Unknown: true}
		}
		if reason := pairs[i].mustStay(true); reason != "" {
			return Plan{}, &PruneError{ID: id, Reason: reason}
		}
		plan.Registrations = append(plan.Registrations, pairs[i])
	}
	if len(o.Only) > 0 {
		return plan, nil
	}
	for _, p := range pairs {
		if p.Local != nil {
			continue
		}
		if reason := p.mustStay(false); reason != "" {
			plan.Kept = append(plan.Kept, StepOutcome{Name: "registration " + p.Name + " " + p.ID, Outcome: "stays", Detail: reason})
			continue
		}
		plan.Registrations = append(plan.Registrations, p)
	}
	removable, kept, err := m.UserLeftovers()
	if err != nil {
		plan.Kept = append(plan.Kept, StepOutcome{Name: "user endpoints", Outcome: "stay", Detail: err.Error()})
	}
	plan.Leftovers = removable
	for path, reason := range kept {
		plan.Kept = append(plan.Kept, StepOutcome{Name: "directory " + path, Outcome: "stays", Detail: reason})
	}
	slices.SortFunc(plan.Kept, func(a, b StepOutcome) int { return strings.Compare(a.Name, b.Name) })
	return plan, nil
}

// mustStay says why a registration is not to be ended; empty when it may be.
func (p *Pair) mustStay(named bool) string {
	r := p.Registered
	switch {
	case p.Local != nil:
		return "it has a directory here; deleting that endpoint ends the registration too"
	case r.Problem != nil, r.Word == "":
		return cmp.Or(p.Why, "the service does not say whether it is online")
	case r.Online:
		return cmp.Or(p.Why, "it is online")
	case named, slices.Contains(p.Findings, Orphaned):
		return ""
	}
	return cmp.Or(p.Why, "the owner of this registration is unknown")
}

// Prune carries out a plan and tells each step. Each registration is looked at
// once more: one that has come online meanwhile, or has a directory now, stays.
// What fails does not keep the rest from being done; the error then is a
// *[PruneStepsError].
func (m *Manager) Prune(ctx context.Context, plan Plan) ([]StepOutcome, error) {
	service, err := m.connectService(ctx)
	if err != nil {
		return nil, err
	}
	ctx, op, err := m.beginDirectory(ctx, "pruning")
	if err != nil {
		return nil, err
	}
	defer op.end()
	steps, err := op.prune(ctx, service, plan)
	return steps, op.wrapLostLock(err)
}

// prune does the work of Prune.
func (op *operation) prune(ctx context.Context, service Service, plan Plan) ([]StepOutcome, error) {
	var steps []StepOutcome
	var failed []error
	done := func(name, outcome, detail string, err error) {
		if err != nil {
			outcome, detail = "failed", err.Error()
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
		}
		steps = append(steps, StepOutcome{Name: name, Outcome: outcome, Detail: detail})
	}
	for _, p := range plan.Registrations {
		name := "registration " + p.Name + " " + p.ID
		if ctx.Err() != nil {
			done(name, "not done", "interrupted", nil)
			continue
		}
		op.report(ctx, "deregistering", "ending the registration "+p.ID)
		outcome, detail, err := op.endOrphan(ctx, service, p)
		done(name, outcome, detail, err)
	}
	// What is left over may have got an owner meanwhile.
	removable, _, err := op.m.UserLeftovers()
	for _, u := range plan.Leftovers {
		name := "directory " + u.Path()
		still := slices.ContainsFunc(removable, func(r endpointfs.UserEndpointDir) bool { return r.Path() == u.Path() })
		switch {
		case ctx.Err() != nil:
			done(name, "not done", "interrupted", nil)
		case err != nil:
			done(name, "", "", err)
		case !still:
			done(name, "stays", "it is gone, or is in use now", nil)
		default:
			done(name, "removed", "", op.removeUserEndpointDir(u))
		}
	}
	if err := ctx.Err(); err != nil {
		failed = append(failed, err)
	}
	if len(failed) > 0 {
		return steps, &PruneStepsError{Steps: steps, Err: errors.Join(failed...)}
	}
	return steps, nil
}

// endOrphan ends one registration, unless it is none to end any more.
func (op *operation) endOrphan(ctx context.Context, service Service, p Pair) (outcome, detail string, err error) {
	if err := op.checkLockHeld(); err != nil {
		return "", "", err
	}
	kept, _, err := op.m.Dir.IDs()
	if err != nil {
		return "", "", err
	}
	if name := kept[strings.ToLower(p.ID)]; name != "" {
		return "stays", "endpoint " + name + " has it now", nil
	}
	st, err := service.Status(ctx, p.ID)
	switch {
	case globus.IsNotFound(err):
		return "already gone", "", nil
	case err != nil:
		return "", "", err
	case st.Online:
		return "stays", "it has come online", nil
	}
	if err := op.checkLockHeld(); err != nil {
		return "", "", err
	}
	if err := service.Delete(ctx, p.ID); err != nil && !globus.IsNotFound(err) {
		return "", "", err
	}
	return "removed", "", nil
}

// PruneStepsError says how far a pruning came.
type PruneStepsError struct {
	Steps []StepOutcome
	Err   error
}

// Error tells what failed.
func (e *PruneStepsError) Error() string { return fmt.Sprintf("pruning: %v", e.Err) }

// Next is to try again.
func (e *PruneStepsError) Next() []next.Step {
	return []next.Step{next.Do("prune again: what is done stays done")}
}

// Unwrap is the cause.
func (e *PruneStepsError) Unwrap() error { return e.Err }
