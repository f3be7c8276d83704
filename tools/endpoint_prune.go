package tools

import (
	"context"
	"fmt"
	"strings"

	"chiltepin/tools/operation"

	"chiltepin/globus/endpoint"
)

// EndpointPruneArgs are the arguments of endpoint.prune.
type EndpointPruneArgs struct {
	Only   []string `json:"only,omitempty" example:"12345678-1234-1234-1234-123456789abc" jsonschema:"only these registrations, by UUID, even if another machine registered them"`
	DryRun bool     `json:"dry_run,omitempty" jsonschema:"show the plan and change nothing"`
	ConfigDirArg
}

func (a EndpointPruneArgs) idle() bool { return a.DryRun }

// EndpointPruning is what a pruning has removed, or would remove.
type EndpointPruning struct {
	Outcome string `json:"outcome" enum:"pruned,planned,nothing_to_do" jsonschema:"what this call did"`
	// Plan is what is to be removed, before anything was.
	Plan  []PlannedRemoval       `json:"plan" jsonschema:"what is to be removed"`
	Kept  []operation.StepResult `json:"kept,omitempty" jsonschema:"what looks like it and stays, with the reason"`
	Steps []operation.StepResult `json:"steps,omitempty" jsonschema:"what was done, in order"`
}

// PlannedRemoval is one thing that a pruning removes.
type PlannedRemoval struct {
	Kind string `json:"kind" enum:"registration,directory" jsonschema:"what it is"`
	Name string `json:"name" jsonschema:"name of the registration, or path of the directory"`
	ID   string `json:"id" jsonschema:"UUID of the endpoint or user endpoint"`
	Why  string `json:"why" jsonschema:"why it can go"`
}

func definePrune(s Services) *operation.Tool {
	return operation.Define(operation.Spec{
		Name:    "endpoint.prune",
		Title:   "Prune registrations",
		Toolset: operation.ToolsetAdmin,
		Summary: "Remove what deleted endpoints have left behind",
		Doc: `Ends the registrations that came from this configuration directory (by its journal) or else
from this machine, are not online and have no directory here, as other programs leave them
when they delete an endpoint; and removes the directories of user endpoints whose endpoint
is gone. The plan is shown first, and nothing is done without consent to exactly that plan.
What is online, has a directory, belongs to another machine or holds results that were
never sent stays. An endpoint that was moved to another configuration directory looks
orphaned from here: --only names what to remove, and nothing else is.`,
		Effect:   operation.Destroys,
		Examples: []string{"chiltepin endpoint prune --dry-run", "chiltepin endpoint prune", "chiltepin endpoint prune --only 12345678-1234-1234-1234-123456789abc --yes"},
		Errors:   []operation.Code{operation.CodeNotFound, operation.CodeNotLoggedIn, operation.CodeUnavailable, operation.CodeConflict, operation.CodeRefused},
	}, func(ctx context.Context, in EndpointPruneArgs) (EndpointPruning, error) {
		return atEndpoints(ctx, s, Place{ConfigDir: in.ConfigDir}, func(eps Endpoints) (EndpointPruning, error) {
			plan, err := eps.PlanPruning(ctx, endpoint.PruneOptions{Only: in.Only})
			if err != nil {
				return EndpointPruning{}, err
			}
			out := EndpointPruning{Outcome: "planned", Plan: plannedRemovals(plan), Kept: stepResults(plan.Kept)}
			switch {
			case plan.Empty():
				out.Outcome = "nothing_to_do"
				return out, nil
			case in.DryRun:
				return out, nil
			}
			err = operation.Consent(ctx, operation.Question{
				Operation: "endpoint.prune",
				Subject:   "prune",
				ID:        plan.Digest(),
				ConfigDir: eps.ConfigDir(),
				Text:      pruneQuestion(out.Plan),
			})
			if err != nil {
				return EndpointPruning{}, err
			}
			done, err := eps.Prune(ctx, plan)
			if err != nil {
				return EndpointPruning{}, err
			}
			out.Outcome, out.Steps = "pruned", stepResults(done)
			return out, nil
		})
	})
}

func plannedRemovals(plan endpoint.Plan) []PlannedRemoval {
	list := []PlannedRemoval{}
	for _, r := range plan.Registrations {
		list = append(list, PlannedRemoval{Kind: "registration", Name: operation.Clean(r.Name), ID: r.ID, Why: operation.Clean(r.Why)})
	}
	for _, u := range plan.Leftovers {
		list = append(list, PlannedRemoval{Kind: "directory", Name: operation.Clean(u.Path()), ID: u.ID, Why: "the endpoint of this user endpoint is not here any more"})
	}
	return list
}

// pruneQuestion shows the plan and asks.
func pruneQuestion(plan []PlannedRemoval) string {
	var b strings.Builder
	for _, r := range plan {
		b.WriteString(r.describeLine() + "\n")
	}
	return b.String() + fmt.Sprintf("Remove %s? This cannot be undone.", countRemovals(len(plan), "this one", "these %d"))
}

func (r PlannedRemoval) describeLine() string {
	if r.Kind == "directory" {
		return fmt.Sprintf("  %s %s: %s", r.Kind, r.Name, r.Why)
	}
	return fmt.Sprintf("  %s %s %s: %s", r.Kind, r.Name, r.ID, r.Why)
}

func countRemovals(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}

// WriteText writes the plan, or what was done.
func (e EndpointPruning) WriteText(p *operation.Printer) error {
	var b strings.Builder
	switch e.Outcome {
	case "nothing_to_do":
		b.WriteString("There is nothing to prune\n")
	case "planned":
		b.WriteString("Would be removed:\n")
		for _, r := range e.Plan {
			b.WriteString(r.describeLine() + "\n")
		}
	default:
		b.WriteString("Pruned\n")
		for _, s := range e.Steps {
			b.WriteString("  " + s.String() + "\n")
		}
	}
	for _, k := range e.Kept {
		b.WriteString("  " + k.String() + "\n")
	}
	_, err := p.Write([]byte(b.String()))
	return err
}
