package machine

import (
	"context"

	"chiltepin/globus"
	"chiltepin/globus/compute"
	"chiltepin/globus/doctor"
	"chiltepin/tools"
)

// newDoctor looks at all that the others need. What they would fail for is a
// finding of its.
func (m Host) newDoctor(at tools.Place) (tools.Doctors, error) {
	manager, err := m.newManager(at)
	if err != nil {
		return nil, err
	}
	finder, err := m.runtimeFinder(at.Runtime)
	if err != nil {
		return nil, err
	}
	d := &doctor.Doctor{
		Manager:  manager,
		Runtimes: finder,
		Service:  func(ctx context.Context) (*compute.Client, error) { return m.connectService(ctx, at.ConfigDir) },
		Getenv:   m.Getenv,
	}
	if d.Env, d.SettingErr = globus.NewEnvironment(m.Getenv); d.SettingErr != nil {
		return d, nil
	}
	d.Env.UserAgent = "chiltepin/" + m.Version
	accounts, err := m.newAccounts(at.ConfigDir)
	if err != nil {
		d.SettingErr = err
		return d, nil
	}
	d.Accounts = accounts
	return d, nil
}
