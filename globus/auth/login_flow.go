package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"chiltepin/globus/progress"
	"chiltepin/globus/tokenstore"
)

// flowLife is how long a person may take for a whole login.
const flowLife = 15 * time.Minute

// loginFlow is a login that a person does: one authorization for each client,
// one after the other. The code comes back by a redirect to the callback page
// or is pasted, perhaps in a later call than the one that began the login.
type loginFlow struct {
	manager  *Manager
	id       string
	method   string
	force    bool
	groups   [][]requiredTokens // what each authorization is for
	callback *callbackServer    // nil for [Paste]
	expire   *time.Timer
	endedCh  chan struct{} // closed at the end
	// doubts has the one that waits for a person, if there is one.
	doubts chan *openDoubt

	// redeeming is held while a code is redeemed, so that it is redeemed once.
	redeeming sync.Mutex

	mu sync.Mutex
	// pending are the authorizations of the current step; usedStates are the
	// states of the earlier ones.
	pending      []*authorization
	usedStates   []string
	step         int
	url          string // what the person opens for this step
	renewed      []string
	cleanups     []func(context.Context)
	forget       func() // removes what the browser was opened with
	confirmedAs  string // the identity that the person has confirmed
	replaceable  []string
	askable      bool // the last call can ask a person
	doubted      bool // the word of a person is waited for
	err          error
	ended        bool
	addressShown bool // a person has the address of this step
	// lastPasted is the fingerprint of the last code that was accepted: a face
	// may have to repeat a call to ask its person something, and then sends the
	// same code again.
	lastPasted string
}

// newFlow begins a login. For [Browser] it listens on port.
func (m *Manager) newFlow(ctx context.Context, groups [][]requiredTokens, method string, port int, force bool) (*loginFlow, error) {
	id, err := randomText(m.config.Rand, 9)
	if err != nil {
		return nil, err
	}
	f := &loginFlow{manager: m, id: id, method: method, force: force, groups: groups, endedCh: make(chan struct{}), doubts: make(chan *openDoubt, 1)}
	if method == Browser {
		if f.callback, err = newCallbackServer(ctx, f, port); err != nil {
			return nil, err
		}
	}
	z, err := f.addAuthorization(0, "")
	if err != nil {
		f.endWith(err)
		return nil, err
	}
	f.mu.Lock()
	f.url = z.url
	f.expire = time.AfterFunc(flowLife, func() { f.endWith(&ExpiredError{Services: f.serviceNames()}) })
	f.mu.Unlock()
	if f.callback != nil {
		f.callback.startServing()
	}
	return f, nil
}

// addAuthorization prepares an authorization for a step. cookie, if not "",
// must be sent by the browser that comes back.
func (f *loginFlow) addAuthorization(step int, cookie string) (*authorization, error) {
	m := f.manager
	redirect := m.globus.codePageURI()
	if f.callback != nil {
		redirect = f.callback.origin
	}
	label := "Chiltepin"
	if m.config.Hostname != "" {
		label += " on " + m.config.Hostname
	}
	z, err := m.globus.newAuthorization(f.groups[step][0].service.client, redirect, f.groups[step], label, m.config.Rand)
	if err != nil {
		return nil, err
	}
	z.cookie = cookie
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.step == step {
		f.pending = append(f.pending, z)
	}
	return z, nil
}

func (f *loginFlow) serviceNames() []string { return serviceNames(slices.Concat(f.groups...)) }

// coversRequest is true when f logs in to all that is needed, by the same
// method.
func (f *loginFlow) coversRequest(needs []requiredTokens, method string, port int, force bool) bool {
	if f.force != force || f.hasEnded() || method != f.method || port != 0 && (f.callback == nil || f.callback.port != port) {
		return false
	}
	has := f.serviceNames()
	return !slices.ContainsFunc(needs, func(n requiredTokens) bool { return !slices.Contains(has, n.service.name) })
}

func (f *loginFlow) hasEnded() bool {
	select {
	case <-f.endedCh:
		return true
	default:
		return false
	}
}

// markShown records that the person has the address of this step.
func (f *loginFlow) markShown() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.addressShown = true
}

func (f *loginFlow) wasShown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.addressShown
}

// currentURL is the address that the person opens next.
func (f *loginFlow) currentURL() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.url
}

// acceptCallback redeems the code of a callback, stores the tokens, and
// prepares the next authorization, whose address it returns; "" when that was
// the last. A callback that belongs to no authorization of f changes nothing.
// Any other error ends the login, unless patient is set and another code may
// work.
func (f *loginFlow) acceptCallback(ctx context.Context, a callbackParams, patient bool) (next string, err error) {
	f.redeeming.Lock()
	defer f.redeeming.Unlock()
	z, err := f.findAuthorization(a)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	step := f.step
	f.mu.Unlock()
	defer func() {
		if err != nil {
			err = f.wrapError(err)
			if _, mistyped := errors.AsType[*CodeError](err); !patient || !mistyped {
				f.endWith(err)
			}
		}
	}()
	if a.errorCode != "" {
		return "", &DeniedError{Reason: a.errorCode}
	}
	if err := checkCodeFormat(a.code); err != nil {
		return "", err
	}
	m, who := f.manager, f.groups[step][0].service.client
	progress.Report(ctx, progress.Event{Stage: "authorizing", Text: "Exchanging the code for tokens"})
	g, err := m.globus.redeemCode(ctx, z, a.code)
	if err != nil {
		return "", err
	}
	cleanUp, err := f.storeConfirmed(ctx, f.groups[step], g, z.nonce, a.stranger)
	if err != nil {
		m.revokeUnstored(ctx, who, g)
		return "", err
	}
	f.mu.Lock()
	f.renewed = append(f.renewed, serviceNames(f.groups[step])...)
	f.cleanups = append(f.cleanups, cleanUp)
	for _, z := range f.pending {
		f.usedStates = append(f.usedStates, z.state)
	}
	f.pending, f.step = nil, step+1
	f.mu.Unlock()
	if step+1 == len(f.groups) {
		f.endWith(nil)
		return "", nil
	}
	following, err := f.addAuthorization(step+1, z.cookie)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	f.url = following.url
	if a.typed {
		f.addressShown = false
	}
	f.mu.Unlock()
	return following.url, nil
}

// storeConfirmed stores the tokens that were granted to a person, once nobody
// doubts that they are this user's.
func (f *loginFlow) storeConfirmed(ctx context.Context, group []requiredTokens, g *tokenResponse, nonce string, stranger bool) (cleanUp func(context.Context), err error) {
	who := group[0].service.client
	identity, err := f.manager.verifyGrant(ctx, who, group, g, nonce)
	if err != nil {
		return nil, err
	}
	replaceable, err := f.settleDoubts(ctx, group, identity, stranger)
	if err != nil {
		return nil, err
	}
	// The call that brought the code may have ended while a person was asked.
	return f.manager.storeGrant(context.WithoutCancel(ctx), who, group, g, identity, replaceable)
}

// acceptPasted accepts what a person pasted: a code, or the address of the page
// that shows it.
func (f *loginFlow) acceptPasted(ctx context.Context, text string, patient bool) error {
	brought := tokenstore.NewSecret(text).Fingerprint()
	f.mu.Lock()
	again, before := brought == f.lastPasted, f.lastPasted
	if !again {
		f.lastPasted = brought
	}
	f.mu.Unlock()
	if again {
		return nil
	}
	_, err := f.acceptCallback(ctx, parsePasted(text), patient)
	if err != nil {
		f.mu.Lock()
		f.lastPasted = before
		f.mu.Unlock()
	}
	if errors.Is(err, errOtherLogin) || errors.Is(err, errAlreadyUsed) {
		err = f.wrapError(&CodeError{Err: err})
	}
	return err
}

// wrapError adds which services the login was for.
func (f *loginFlow) wrapError(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Errorf("logging in to Globus %s: %w", strings.Join(serviceNames(f.groups[min(f.step, len(f.groups)-1)]), " and "), err)
}

// forgetBrowser removes what the browser was opened with.
func (f *loginFlow) forgetBrowser() {
	f.mu.Lock()
	forget := f.forget
	f.forget = nil
	f.mu.Unlock()
	if forget != nil {
		forget()
	}
}

// wasOpened is true once the browser that was opened has come.
func (f *loginFlow) wasOpened() bool {
	f.callback.mu.Lock()
	defer f.callback.mu.Unlock()
	return f.callback.cookie != ""
}

// endWith ends the login with a result; only the first call counts.
func (f *loginFlow) endWith(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return
	}
	f.ended, f.err = true, err
	for _, z := range f.pending {
		f.usedStates = append(f.usedStates, z.state)
	}
	if f.expire != nil {
		f.expire.Stop()
	}
	close(f.endedCh)
	if f.callback != nil {
		go f.callback.shutDown()
	}
}

// waitForCleanup waits until the last page has been sent, does the remaining
// work, and returns the result of the login.
func (f *loginFlow) waitForCleanup(ctx context.Context) (renewed []string, err error) {
	if f.callback != nil {
		<-f.callback.closed
	}
	f.forgetBrowser()
	f.mu.Lock()
	cleanups := f.cleanups
	f.cleanups = nil
	f.mu.Unlock()
	for _, cleanUp := range cleanups {
		cleanUp(ctx)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.renewed), f.err
}
