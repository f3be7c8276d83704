package machine

import (
	"context"
	"errors"

	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/endpoint"
)

// located is a manager that tells where it works, and remembers what policies say
// to the daemon.
type located struct {
	*endpoint.Manager
	accounts func() (*auth.Manager, error)
}

// ConfigDir is the path of the configuration directory.
func (l located) ConfigDir() string { return l.Dir.Path() }

// Start is that of the manager.
func (l located) Start(ctx context.Context, name string, o endpoint.StartOptions) (endpoint.StartResult, error) {
	result, err := l.Manager.Start(ctx, name, o)
	return result, l.hear(ctx, err)
}

// Restart is that of the manager.
func (l located) Restart(ctx context.Context, name string, o endpoint.StopOptions) (endpoint.RestartResult, error) {
	result, err := l.Manager.Restart(ctx, name, o)
	return result, l.hear(ctx, err)
}

// hear finds a policy that has refused the daemon in what that printed: the
// address at which it would log in, were it not for the lack of a terminal. The
// next login of ours asks for the same.
func (l located) hear(ctx context.Context, err error) error {
	ended, ok := errors.AsType[*endpoint.DaemonError](err)
	if !ok {
		return err
	}
	for _, line := range ended.Lines {
		d := globus.AuthRequirementsIn(line)
		if d.IsZero() {
			continue
		}
		if accounts, accountsErr := l.accounts(); accountsErr == nil {
			accounts.RememberDemand(ctx, auth.Compute, d)
		}
		return &auth.LoginError{Service: auth.Compute, Reason: "its policy asks for a login with " + d.String(), Err: err}
	}
	return err
}
