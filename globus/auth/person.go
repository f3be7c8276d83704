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
func (m *Manager) loginPerson(ctx context.Context, people [][]need, o LoginOptions) ([]string, *Pending, error) {
	method, err := m.method(o)
	if err != nil {
		return nil, nil, err
	}
	var needs []need
	for _, group := range people {
		needs = append(needs, group...)
	}
	f, mine, err := m.config.Flows.join(m.config.ComputeDir,
		func(f *flow) bool { return o.Ask == nil && f.covers(needs, method, o.Port, o.Force) },
		func() (*flow, error) { return m.newFlow(people, method, o.Port, o.Force) })
	if err != nil {
		return nil, nil, err
	}
	if o.Ask != nil {
		return m.lead(ctx, f, o)
	}
	if !(mine && m.open(ctx, f)) {
		if err := f.show(ctx, o); err != nil {
			return nil, nil, err
		}
	}
	return m.goOn(ctx, f, o)
}

// show puts the address of this step before the person, once. That it could not
// be shown is no error: the handle comes with it.
func (f *flow) show(ctx context.Context, o LoginOptions) error {
	if o.Show == nil || f.shown() {
		return nil
	}
	err := o.Show(ctx, f.where())
	if err == nil {
		f.showed()
	}
	if errors.Is(err, ErrNotShown) {
		return nil
	}
	return err
}

// method is how a person logs in: as asked, otherwise in a browser that can
// reach this machine, if there is one.
func (m *Manager) method(o LoginOptions) (string, error) {
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

// open opens a browser on this machine, if there is one.
func (m *Manager) open(ctx context.Context, f *flow) bool {
	if f.landing == nil || m.config.OpenBrowser == nil {
		return false
	}
	if err := m.config.OpenBrowser(ctx, f.landing.origin+f.landing.opened); err != nil {
		progress.Report(ctx, progress.Event{Stage: "browser", Text: "No browser could be opened"})
		return false
	}
	f.showed()
	progress.Report(ctx, progress.Event{Stage: "browser", Text: "Waiting for the login in the browser"})
	return true
}

// lead is a login at a terminal, which lasts until it is done.
func (m *Manager) lead(ctx context.Context, f *flow, o LoginOptions) ([]string, *Pending, error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { f.end(context.Cause(ctx)) })
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- m.ask(inner, f, o) }()
	select {
	case <-f.over:
	case err := <-failed:
		f.end(err) // nil only where it has ended
	}
	cancel()
	renewed, err := f.settle(context.WithoutCancel(ctx))
	return renewed, nil, err
}

// ask puts to a person whatever the login needs of them, until it ends.
func (m *Manager) ask(ctx context.Context, f *flow, o LoginOptions) error {
	if f.landing != nil {
		m.open(ctx, f)
	}
	for !f.done() {
		at := f.where()
		if f.landing != nil {
			if o.Show != nil {
				if err := o.Show(ctx, at); err != nil && !errors.Is(err, ErrNotShown) {
					return err
				}
			}
			at = ""
		}
		text, err := o.Ask(ctx, at)
		if err != nil && f.landing != nil {
			<-f.over // nobody pastes anything, but the browser may come yet
			return nil
		}
		if err != nil {
			return f.telling(err)
		}
		if err := f.paste(ctx, text, false); err != nil {
			return err
		}
	}
	return nil
}

// goOn takes what a caller without a terminal brings, waits a little where the
// person's browser brings it, and hands out the handle of what is still open.
func (m *Manager) goOn(ctx context.Context, f *flow, o LoginOptions) ([]string, *Pending, error) {
	if o.Code != "" {
		err := f.paste(ctx, o.Code, true)
		if err == nil && f.landing == nil && !f.done() {
			err = f.show(ctx, o)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if f.landing != nil && !f.done() {
		wait := o.Wait
		if wait == 0 {
			wait = 20 * time.Second
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-f.over:
		case <-timer.C:
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
	if f.done() {
		renewed, err := f.settle(ctx)
		return renewed, nil, err
	}
	return nil, &Pending{Flow: f.id, URL: f.where(), Next: f.next()}, nil
}

// next says how to go on with a login that waits.
func (f *flow) next() string {
	if f.landing == nil {
		return "have the person open the address in any browser, log in and copy the code that the page shows; then call login with flow and code"
	}
	return "have the person open the address in a browser on this machine and log in, then call login with flow; if the browser cannot reach the last page, its address serves as code"
}
