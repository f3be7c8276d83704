package tools

import (
	"context"
	"fmt"

	"chiltepin/globus/endpoint"
	"chiltepin/tools/operation"
)

// consentToLosing asks before tasks that run are given up. A graceful stop loses
// nothing and asks nothing, nor does stopping what does not run.
func consentToLosing(ctx context.Context, eps Endpoints, asking string, in EndpointStopArgs) error {
	if !in.Now {
		return nil
	}
	st, err := eps.Status(ctx, in.Name, endpoint.StatusOptions{Offline: true})
	if err != nil {
		return err
	}
	if nothingRuns(st) {
		return nil
	}
	verb := "Stop"
	if asking == "endpoint.restart" {
		verb = "Restart"
	}
	return operation.Consent(ctx, operation.Question{
		Operation: asking,
		Subject:   st.Name,
		ID:        st.ID,
		ConfigDir: eps.ConfigDir(),
		Text:      fmt.Sprintf("%s endpoint %s in %s now? %s", verb, operation.Clean(st.Name), operation.Clean(eps.ConfigDir()), tasksAtStake(st)),
	})
}

// nothingRuns is true for an endpoint that has neither a daemon nor anything
// that a killed user endpoint left.
func nothingRuns(st endpoint.Status) bool {
	switch st.State {
	case endpoint.Initialized, endpoint.Stopped, endpoint.Disconnected:
	default:
		return false
	}
	for _, u := range st.UserEndpoints {
		if u.State != endpoint.Stopped {
			return false
		}
	}
	return st.Trouble == nil
}

// tasksAtStake says how many tasks would be lost, as far as it is known.
func tasksAtStake(st endpoint.Status) string {
	tasks, unknown := 0, 0
	for _, u := range st.UserEndpoints {
		switch {
		case u.State == endpoint.Stopped:
		case u.Outstanding < 0:
			unknown++
		default:
			tasks += u.Outstanding
		}
	}
	switch {
	case unknown > 0:
		return fmt.Sprintf("Its unfinished tasks are lost: at least %d, and those of %s whose number is unknown.", tasks, pluralize(unknown, "user endpoint"))
	case tasks > 0:
		return "What is lost: " + pluralize(tasks, "unfinished task") + "."
	}
	return "It has no unfinished task that is known; one that has just begun is lost."
}

// consentToDeleting asks before an endpoint is deleted, and asks only what can be
// done: one that runs is refused unless it is to be stopped first.
func consentToDeleting(ctx context.Context, eps Endpoints, st endpoint.Status, in EndpointDeleteArgs) error {
	idle := nothingRuns(st)
	if p := st.Evidence.Process; st.State == endpoint.Running && p != nil && p.Proven && !in.Force {
		return &endpoint.RunningError{Name: st.Name, Operation: "deleting", PID: p.PID, State: st.State}
	}
	text := fmt.Sprintf("Delete endpoint %s in %s", operation.Clean(st.Name), operation.Clean(eps.ConfigDir()))
	switch {
	case st.ID == "":
		text += "? It was never registered; its files are removed."
	case in.LocalOnly:
		text += fmt.Sprintf("? Its files are removed, and its registration %s stays at the service if it cannot be reached.", st.ID)
	default:
		text += fmt.Sprintf(", its files and its registration %s? This cannot be undone.", st.ID)
	}
	if !idle {
		text += " It is " + string(st.State) + " and is stopped first. " + tasksAtStake(st)
	}
	return operation.Consent(ctx, operation.Question{
		Operation:  "endpoint.delete",
		Subject:    st.Name,
		ID:         st.ID,
		ConfigDir:  eps.ConfigDir(),
		Unattended: idle,
		Text:       text,
	})
}
