package auth

import (
	"context"
	"errors"
	"fmt"

	"chiltepin/globus/next"
)

// Doubt is a login that may be another person's, so that one is asked before
// anything of it is stored.
type Doubt struct {
	// Identity is who logged in.
	Identity Identity
	// Stranger is true where the page on this machine was used by a program
	// whose owner the kernel does not tell.
	Stranger bool
	// Replaces is the identity whose tokens would be replaced, zero for none,
	// and Store a file that holds them.
	Replaces Identity
	Store    string
}

// ErrUnanswered is in the chain of an error of a caller that has to end its call
// to ask a person: the login goes on, and the next call of it asks again.
var ErrUnanswered = errors.New("the person has not answered yet")

// UnconfirmedError is a login on a page that any program of this machine may
// have used, which no person confirmed.
type UnconfirmedError struct {
	// New is the identity that logged in, NewName its user name.
	New, NewName string
	// Problem is why nobody confirmed it.
	Problem string
}

// Error says that nothing was stored.
func (e *UnconfirmedError) Error() string {
	return fmt.Sprintf("the login as %s was not stored: it came from a program whose owner this machine does not tell, and no person confirmed it: %s", describeIdentity(e.New, e.NewName), e.Problem)
}

// Next is a login without a page on this machine.
func (e *UnconfirmedError) Next() []next.Step { return []next.Step{loginByCode()} }

// openDoubt is a doubt that a login waits for.
type openDoubt struct {
	Doubt
	answer chan error // has room for the answer
}

// settleDoubts has a person confirm what may be another's login, before it is
// stored: a login that a program of unknown owner brought, and one that would
// replace the tokens of another identity. It returns the identities that may be
// replaced.
func (f *loginFlow) settleDoubts(ctx context.Context, group []requiredTokens, identity Identity, stranger bool) (replaceable []string, err error) {
	f.mu.Lock()
	stranger = stranger && f.confirmedAs != identity.ID
	f.mu.Unlock()
	for {
		f.mu.Lock()
		replaceable = f.replaceable
		f.mu.Unlock()
		d := Doubt{Identity: identity, Stranger: stranger}
		mismatch, differs := errors.AsType[*IdentityError](f.manager.checkSameIdentity(ctx, group, identity, replaceable))
		if differs {
			d.Replaces, d.Store = Identity{ID: mismatch.Stored, Username: mismatch.StoredName}, mismatch.Store
		}
		if !stranger && !differs {
			return replaceable, nil
		}
		switch answer, ended := f.awaitAnswer(d); {
		case ended:
			return nil, answer
		case answer != nil && stranger:
			return nil, &UnconfirmedError{New: identity.ID, NewName: identity.Username, Problem: answer.Error()}
		case answer != nil:
			return nil, mismatch
		}
		stranger = false
		f.mu.Lock()
		f.confirmedAs = identity.ID
		if differs {
			f.replaceable = append(f.replaceable, mismatch.Stored)
		}
		f.mu.Unlock()
	}
}

// awaitAnswer leaves a doubt to whoever continues the login, and waits for the
// answer, nil for a yes. It does not end with a call: the next one may bring
// the answer. ended is true where the login ended instead, with that error.
func (f *loginFlow) awaitAnswer(d Doubt) (answer error, ended bool) {
	open := &openDoubt{Doubt: d, answer: make(chan error, 1)}
	f.mu.Lock()
	askable := f.askable
	f.doubted = askable
	f.mu.Unlock()
	if !askable {
		return errNobodyToAsk, false
	}
	f.doubts <- open // it has room for one, and codes are redeemed one at a time
	defer func() {
		f.mu.Lock()
		f.doubted = false
		f.mu.Unlock()
		select {
		case <-f.doubts: // the login ended before anybody was asked
		default:
		}
	}()
	select {
	case err := <-open.answer:
		return err, false
	case <-f.endedCh:
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.err, true
	}
}

// isDoubted is true while the login waits for the word of a person.
func (f *loginFlow) isDoubted() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.doubted
}

// errNobodyToAsk is the answer where a caller cannot ask.
var errNobodyToAsk = errors.New("nobody can be asked here")

// putDoubt asks the person of a call, and waits until the login has taken the
// answer. It returns an error if the call has to end for the answer.
func (f *loginFlow) putDoubt(ctx context.Context, d *openDoubt, o LoginOptions) error {
	answer := errNobodyToAsk
	if o.Confirm != nil {
		answer = o.Confirm(ctx, d.Doubt)
	}
	if errors.Is(answer, ErrUnanswered) || answer != nil && ctx.Err() != nil {
		select {
		case f.doubts <- d:
		default: // the login has ended
		}
		return answer
	}
	d.answer <- answer
	f.redeeming.Lock()
	//lint:ignore SA2001 a code is redeemed while this is held
	f.redeeming.Unlock()
	return nil
}

// attend does work of a call, such as redeeming a code, and puts the doubts that
// arise meanwhile to the person. Where the call has to end for an answer the work
// goes on without it.
func (f *loginFlow) attend(ctx context.Context, o LoginOptions, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	interrupted := ctx.Done()
	for {
		select {
		case <-interrupted:
			if f.isDoubted() {
				return context.Cause(ctx)
			}
			interrupted = nil // the work ends by itself
		case err := <-done:
			return err
		case d := <-f.doubts:
			if err := f.putDoubt(ctx, d, o); err != nil {
				return err
			}
		}
	}
}
