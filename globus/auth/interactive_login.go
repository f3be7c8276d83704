package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chiltepin/globus/next"
	"chiltepin/globus/progress"
)

// loginPerson begins a login that a person does, or joins the one under way,
// and continues it as far as possible.
func (m *Manager) loginPerson(ctx context.Context, people [][]requiredTokens, o LoginOptions) ([]string, *Pending, error) {
	method, err := m.chooseMethod(o)
	if err != nil {
		return nil, nil, err
	}
	var needs []requiredTokens
	for _, group := range people {
		needs = append(needs, group...)
	}
	f, began, err := m.config.Flows.joinOrBegin(m.config.ComputeDir,
		func(f *loginFlow) bool { return o.Ask == nil && f.coversRequest(needs, method, o.Port, o.Force) },
		func() (*loginFlow, error) { return m.newFlow(ctx, people, method, o.Port, o.Force) })
	if err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	f.askable = o.Confirm != nil
	f.mu.Unlock()
	if o.Ask != nil {
		return m.loginAtTerminal(ctx, f, o)
	}
	if !(began && m.openBrowser(ctx, f)) {
		if err := f.showAddress(ctx, o); err != nil {
			return nil, nil, err
		}
	}
	return m.continueFlow(ctx, f, o)
}

// showAddress shows the address of this step to the person, once. A failure to
// show it is no error: the address is returned with the handle.
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

// chooseMethod is the method that was asked for; otherwise a browser that can
// reach this machine, where there is one.
func (m *Manager) chooseMethod(o LoginOptions) (string, error) {
	switch o.Method {
	case Browser, Paste:
		return o.Method, nil
	case "", Auto:
	default:
		return "", fmt.Errorf("there is no login method %q", o.Method)
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
	forget, err := m.config.OpenBrowser(ctx, f.callback.origin+f.callback.loginPath)
	f.mu.Lock()
	f.forget = forget
	f.mu.Unlock()
	if err != nil || f.wasOpened() || f.hasEnded() {
		f.forgetBrowser()
	}
	if err != nil {
		progress.Report(ctx, progress.Event{Stage: "browser", Text: "No browser could be opened"})
		return false
	}
	f.markShown()
	progress.Report(ctx, progress.Event{Stage: "browser", Text: "Waiting for the login in the browser"})
	return true
}

// loginAtTerminal waits until a login at a terminal has ended.
func (m *Manager) loginAtTerminal(ctx context.Context, f *loginFlow, o LoginOptions) ([]string, *Pending, error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { f.endWith(context.Cause(ctx)) })
	defer stop()
	failed, opened := make(chan error, 1), make(chan struct{})
	go func() {
		m.openBrowser(inner, f)
		close(opened)
		failed <- m.askUntilEnded(inner, f, o)
	}()
	select {
	case <-f.endedCh:
	case err := <-failed:
		f.endWith(err) // nil only when it has ended
	}
	cancel()
	<-opened // what was made for the browser is known now
	renewed, err := f.waitForCleanup(context.WithoutCancel(ctx))
	return renewed, nil, err
}

// askUntilEnded asks the person for each code that the login needs, until it
// ends.
func (m *Manager) askUntilEnded(ctx context.Context, f *loginFlow, o LoginOptions) error {
	resumed := false
	for !f.hasEnded() {
		at := f.currentURL()
		if f.callback != nil {
			if o.Show != nil && !resumed {
				if err := o.Show(ctx, at); err != nil && !errors.Is(err, ErrNotShown) {
					return err
				}
			}
			at = ""
		}
		text, doubt, err := f.askOrDoubt(ctx, o, at)
		if resumed = doubt != nil; resumed {
			if err := f.putDoubt(ctx, doubt, o); err != nil {
				return f.wrapError(err)
			}
			continue
		}
		if err != nil && f.callback != nil {
			// Nobody can paste here, but a browser may still finish.
			return f.attend(ctx, o, func() error { <-f.endedCh; return nil })
		}
		if err != nil {
			return f.wrapError(err)
		}
		if err := f.attend(ctx, o, func() error { return f.acceptPasted(ctx, text, false) }); err != nil {
			return err
		}
	}
	return nil
}

// askOrDoubt asks for a code until a doubt arises, which is asked about first: a
// terminal can put one question at a time.
func (f *loginFlow) askOrDoubt(ctx context.Context, o LoginOptions, at string) (text string, doubt *openDoubt, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answered := make(chan struct{})
	go func() {
		text, err = o.Ask(ctx, at)
		close(answered)
	}()
	select {
	case <-answered:
		return text, nil, err
	case doubt = <-f.doubts:
		cancel()
		<-answered
		return "", doubt, nil
	}
}

// continueFlow accepts the code of a caller without a terminal, waits for a
// moment where a browser brings the code, and returns the handle of a login
// that is still open.
func (m *Manager) continueFlow(ctx context.Context, f *loginFlow, o LoginOptions) ([]string, *Pending, error) {
	f.mu.Lock()
	f.askable = o.Confirm != nil
	f.mu.Unlock()
	if o.Code != "" {
		err := f.attend(ctx, o, func() error { return f.acceptPasted(ctx, o.Code, true) })
		if err != nil {
			return nil, nil, err
		}
	}
	for (f.callback != nil || f.isDoubted()) && !f.hasEnded() {
		wait := o.Wait
		if wait == 0 {
			wait = 20 * time.Second
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case d := <-f.doubts:
			if err := f.putDoubt(ctx, d, o); err != nil {
				return nil, nil, f.wrapError(err)
			}
			continue
		case <-f.endedCh:
		case <-timer.C:
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
		break
	}
	if f.hasEnded() {
		renewed, err := f.waitForCleanup(ctx)
		return renewed, nil, err
	}
	if o.Code != "" && f.callback == nil {
		if err := f.showAddress(ctx, o); err != nil {
			return nil, nil, err
		}
	}
	return nil, &Pending{Flow: f.id, URL: f.currentURL(), Next: f.nextSteps()}, nil
}

// nextSteps says what the person does, and how the login is continued then.
func (f *loginFlow) nextSteps() []next.Step {
	handle := next.Args{"flow": f.id}
	if f.callback == nil {
		return []next.Step{
			next.Do("have the person open the address in any browser, log in and copy the code that the page shows"),
			next.Call(next.Login, handle, "finish with that code, as the argument code"),
		}
	}
	return []next.Step{
		next.Do("have the person open the address in a browser on this machine and log in"),
		next.Call(next.Login, handle, "wait for it; if the browser cannot open its last page, give that page's address as the argument code"),
	}
}
