package machine

import (
	"context"

	"chiltepin/globus"
	"chiltepin/globus/compute"
	"chiltepin/globus/doctor"
	"chiltepin/tools"
)

// doctor looks at all that the others need. What they would fail for is a
// finding of its.
func (m Machine) doctor(at tools.Place) (tools.Doctors, error) {
	manager, err := m.manager(at)
	if err != nil {
		return nil, err
	}
	finder, err := m.finder(at.Runtime)
	if err != nil {
		return nil, err
	}
	d := &doctor.Doctor{
		Manager:  manager,
		Runtimes: finder,
		Service:  func(ctx context.Context) (*compute.Client, error) { return m.service(ctx, at.ConfigDir) },
		Getenv:   m.Getenv,
	}
	if d.Env, d.SettingErr = globus.NewEnvironment(m.Getenv); d.SettingErr != nil {
		return d, nil
	}
	d.Env.UserAgent = "chiltepin/" + m.Version
	accounts, err := m.accounts(at.ConfigDir)
	if err != nil {
		d.SettingErr = err
		return d, nil
	}
	d.Accounts = accounts
	return d, nil
}
