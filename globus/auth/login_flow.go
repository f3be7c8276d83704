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

// flowLife is how long a person may take for all of a login.
const flowLife = 15 * time.Minute

// loginFlow is a login that a person does: one authorization for each client, one
// after the other. What the person brings back comes from the page on this
// machine or is pasted, perhaps in another call than the one that began it.
type loginFlow struct {
	manager  *Manager
	id       string
	method   string
	force    bool
	groups   [][]requiredTokens // what each authorization is for
	callback *callbackServer    // the page on this machine, nil for [Paste]
	expire   *time.Timer
	endedCh  chan struct{} // closed at the end

	// redeeming is held by who redeems a code, so that it is done once.
	redeeming sync.Mutex

	mu sync.Mutex
	// openBrowser are the authorizations of the step that is waited for; spent are
	// the states of those before it.
	pending      []*authorization
	usedStates   []string
	step         int
	url          string // where the person goes for this step
	renewed      []string
	cleanups     []func(context.Context)
	err          error
	ended        bool
	addressShown bool // a person has the address of this step
	// lastPasted is the fingerprint of the last code that was taken: a face may
	// have to make a call again in order to ask its person something.
	lastPasted string
}

// newFlow begins a login. For a page on this machine it listens at port.
func (m *Manager) newFlow(groups [][]requiredTokens, method string, port int, force bool) (*loginFlow, error) {
	id, err := randomText(m.config.Rand, 9)
	if err != nil {
		return nil, err
	}
	f := &loginFlow{manager: m, id: id, method: method, force: force, groups: groups, endedCh: make(chan struct{})}
	if method == Browser {
		if f.callback, err = newCallbackServer(f, port); err != nil {
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

// addAuthorization makes an authorization for a step. cookie, if not "", is what the
// browser that comes back with it must have.
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

// coversRequest is true when f gets what somebody else wants to log in to, in the same
// way.
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

// markShown remembers that a person has the address, and shown tells.
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

// currentURL is the address that the person goes to now.
func (f *loginFlow) currentURL() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.url
}

// acceptCallback does with an answer all that can be done: it redeems the code, stores
// the tokens, and goes on to the next authorization, whose address it returns;
// "" when that was the last. An answer that is not to one of our questions
// changes nothing. Any other error is the end of the login, unless patient is
// set and another code may be better.
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
	tidy, err := m.storeTokens(ctx, who, f.groups[step], g, z.nonce, f.force)
	if err != nil {
		m.revokeUnstored(ctx, who, g)
		return "", err
	}
	f.mu.Lock()
	f.renewed = append(f.renewed, serviceNames(f.groups[step])...)
	f.cleanups = append(f.cleanups, tidy)
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
	f.mu.Unlock()
	return following.url, nil
}

// acceptPasted takes what a person pasted: a code, or the address of the page that
// has it.
func (f *loginFlow) acceptPasted(ctx context.Context, text string, patient bool) error {
	brought := tokenstore.NewSecret(text).Fingerprint()
	f.mu.Lock()
	again := brought == f.lastPasted
	f.mu.Unlock()
	if again {
		return nil
	}
	_, err := f.acceptCallback(ctx, parsePasted(text), patient)
	if err == nil {
		f.mu.Lock()
		f.lastPasted, f.addressShown = brought, false
		f.mu.Unlock()
	}
	if errors.Is(err, errOtherLogin) || errors.Is(err, errAlreadyUsed) {
		err = f.wrapError(&CodeError{Err: err})
	}
	return err
}

// wrapError says what the login was for that err happened to.
func (f *loginFlow) wrapError(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Errorf("logging in to Globus %s: %w", strings.Join(serviceNames(f.groups[min(f.step, len(f.groups)-1)]), " and "), err)
}

// endWith is the end of the login; only the first one counts.
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

// waitForCleanup waits until the person has seen the last page and nothing is left
// over, and returns what came of it all.
func (f *loginFlow) waitForCleanup(ctx context.Context) (renewed []string, err error) {
	if f.callback != nil {
		<-f.callback.closed
	}
	f.mu.Lock()
	tidies := f.cleanups
	f.cleanups = nil
	f.mu.Unlock()
	for _, tidy := range tidies {
		tidy(ctx)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.renewed), f.err
}
