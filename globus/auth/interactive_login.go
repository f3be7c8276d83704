package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chiltepin/globus/progress"
)

// loginPerson begins a login that a person does, or joins the one under way,
// and goes on with it as far as can be.
func (m *Manager) loginPerson(ctx context.Context, people [][]requiredTokens, o LoginOptions) ([]string, *Pending, error) {
	method, err := m.chooseMethod(o)
	if err != nil {
		return nil, nil, err
	}
	var needs []requiredTokens
	for _, group := range people {
		needs = append(needs, group...)
	}
	f, mine, err := m.config.Flows.joinOrBegin(m.config.ComputeDir,
		func(f *loginFlow) bool { return o.Ask == nil && f.coversRequest(needs, method, o.Port, o.Force) },
		func() (*loginFlow, error) { return m.newFlow(people, method, o.Port, o.Force) })
	if err != nil {
		return nil, nil, err
	}
	if o.Ask != nil {
		return m.loginAtTerminal(ctx, f, o)
	}
	if !(mine && m.openBrowser(ctx, f)) {
		if err := f.showAddress(ctx, o); err != nil {
			return nil, nil, err
		}
	}
	return m.continueFlow(ctx, f, o)
}

// showAddress puts the address of this step before the person, once. That it could not
// be shown is no error: the handle comes with it.
func (f *loginFlow) showAddress(ctx context.Context, o LoginOptions) error {
	if o.Show == nil || f.wasShown() {
		return nil
	}
	err := o.Show(ctx, f.currentURL())
	if err == nil {
		f.markShown()
	}
	if errors.Is(err, ErrNotShown) {
		return nil
	}
	return err
}

// chooseMethod is how a person logs in: as asked, otherwise in a browser that can
// reach this machine, if there is one.
func (m *Manager) chooseMethod(o LoginOptions) (string, error) {
	switch o.Method {
	case Browser, Paste:
		return o.Method, nil
	case "", Auto:
	default:
		return "", fmt.Errorf("no way to log in is called %q", o.Method)
	}
	switch {
	case o.Port != 0, m.config.OpenBrowser != nil:
		return Browser, nil
	case o.Ask == nil && o.Show != nil && !m.config.Remote:
		// A program on this machine shows the address: its browser is here.
		return Browser, nil
	}
	return Paste, nil
}

// openBrowser opens a browser on this machine, if there is one.
func (m *Manager) openBrowser(ctx context.Context, f *loginFlow) bool {
	if f.callback == nil || m.config.OpenBrowser == nil {
		return false
	}
	if err := m.config.OpenBrowser(ctx, f.callback.origin+f.callback.loginPath); err != nil {
		progress.Report(ctx, progress.Event{Stage: "browser", Text: "No browser could be opened"})
		return false
	}
	f.markShown()
	progress.Report(ctx, progress.Event{Stage: "browser", Text: "Waiting for the login in the browser"})
	return true
}

// loginAtTerminal is a login at a terminal, which lasts until it is done.
func (m *Manager) loginAtTerminal(ctx context.Context, f *loginFlow, o LoginOptions) ([]string, *Pending, error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { f.endWith(context.Cause(ctx)) })
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- m.askUntilEnded(inner, f, o) }()
	select {
	case <-f.endedCh:
	case err := <-failed:
		f.endWith(err) // nil only where it has ended
	}
	cancel()
	renewed, err := f.waitForCleanup(context.WithoutCancel(ctx))
	return renewed, nil, err
}

// askUntilEnded puts to a person whatever the login needs of them, until it ends.
func (m *Manager) askUntilEnded(ctx context.Context, f *loginFlow, o LoginOptions) error {
	if f.callback != nil {
		m.openBrowser(ctx, f)
	}
	for !f.hasEnded() {
		at := f.currentURL()
		if f.callback != nil {
			if o.Show != nil {
				if err := o.Show(ctx, at); err != nil && !errors.Is(err, ErrNotShown) {
					return err
				}
			}
			at = ""
		}
		text, err := o.Ask(ctx, at)
		if err != nil && f.callback != nil {
			<-f.endedCh // nobody pastes anything, but the browser may come yet
			return nil
		}
		if err != nil {
			return f.wrapError(err)
		}
		if err := f.acceptPasted(ctx, text, false); err != nil {
			return err
		}
	}
	return nil
}

// continueFlow takes what a caller without a terminal brings, waits a little where the
// person's browser brings it, and hands out the handle of what is still open.
func (m *Manager) continueFlow(ctx context.Context, f *loginFlow, o LoginOptions) ([]string, *Pending, error) {
	if o.Code != "" {
		err := f.acceptPasted(ctx, o.Code, true)
		if err == nil && f.callback == nil && !f.hasEnded() {
			err = f.showAddress(ctx, o)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if f.callback != nil && !f.hasEnded() {
		wait := o.Wait
		if wait == 0 {
			wait = 20 * time.Second
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-f.endedCh:
		case <-timer.C:
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
	if f.hasEnded() {
		renewed, err := f.waitForCleanup(ctx)
		return renewed, nil, err
	}
	return nil, &Pending{Flow: f.id, URL: f.currentURL(), Next: f.nextSteps()}, nil
}

// nextSteps says how to go on with a login that waits.
func (f *loginFlow) nextSteps() string {
	if f.callback == nil {
		return "have the person open the address in any browser, log in and copy the code that the page shows; then call login with flow and code"
	}
	return "have the person open the address in a browser on this machine and log in, then call login with flow; if the browser cannot reach the last page, its address serves as code"
}
