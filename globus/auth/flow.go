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

// flow is a login that a person does: one authorization for each client, one
// after the other. What the person brings back comes from the page on this
// machine or is pasted, perhaps in another call than the one that began it.
type flow struct {
	manager *Manager
	id      string
	method  string
	force   bool
	groups  [][]need // what each authorization is for
	landing *landing // the page on this machine, nil for [Paste]
	expire  *time.Timer
	over    chan struct{} // closed at the end

	// turn is held by who redeems a code, so that it is done once.
	turn sync.Mutex

	mu sync.Mutex
	// open are the authorizations of the step that is waited for; spent are
	// the states of those before it.
	open    []*authorization
	spent   []string
	step    int
	url     string // where the person goes for this step
	renewed []string
	tidies  []func(context.Context)
	err     error
	ended   bool
	visible bool // a person has the address of this step
	// brought is the fingerprint of the last code that was taken: a face may
	// have to make a call again in order to ask its person something.
	brought string
}

// newFlow begins a login. For a page on this machine it listens at port.
func (m *Manager) newFlow(groups [][]need, method string, port int, force bool) (*flow, error) {
	id, err := randomText(m.config.Rand, 9)
	if err != nil {
		return nil, err
	}
	f := &flow{manager: m, id: id, method: method, force: force, groups: groups, over: make(chan struct{})}
	if method == Browser {
		if f.landing, err = newLanding(f, port); err != nil {
			return nil, err
		}
	}
	z, err := f.authorize(0, "")
	if err != nil {
		f.end(err)
		return nil, err
	}
	f.mu.Lock()
	f.url = z.url
	f.expire = time.AfterFunc(flowLife, func() { f.end(&ExpiredError{Services: f.services()}) })
	f.mu.Unlock()
	if f.landing != nil {
		f.landing.serve()
	}
	return f, nil
}

// authorize makes an authorization for a step. cookie, if not "", is what the
// browser that comes back with it must have.
func (f *flow) authorize(step int, cookie string) (*authorization, error) {
	m := f.manager
	redirect := m.globus.pasteURI()
	if f.landing != nil {
		redirect = f.landing.origin
	}
	label := "Chiltepin"
	if m.config.Hostname != "" {
		label += " on " + m.config.Hostname
	}
	z, err := m.globus.authorize(f.groups[step][0].service.client, redirect, f.groups[step], label, m.config.Rand)
	if err != nil {
		return nil, err
	}
	z.cookie = cookie
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.step == step {
		f.open = append(f.open, z)
	}
	return z, nil
}

func (f *flow) services() []string { return names(slices.Concat(f.groups...)) }

// covers is true when f gets what somebody else wants to log in to, in the same
// way.
func (f *flow) covers(needs []need, method string, port int, force bool) bool {
	if f.force != force || f.done() || method != f.method || port != 0 && (f.landing == nil || f.landing.port != port) {
		return false
	}
	has := f.services()
	return !slices.ContainsFunc(needs, func(n need) bool { return !slices.Contains(has, n.service.name) })
}

func (f *flow) done() bool {
	select {
	case <-f.over:
		return true
	default:
		return false
	}
}

// showed remembers that a person has the address, and shown tells.
func (f *flow) showed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.visible = true
}

func (f *flow) shown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.visible
}

// where is the address that the person goes to now.
func (f *flow) where() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.url
}

// take does with an answer all that can be done: it redeems the code, stores
// the tokens, and goes on to the next authorization, whose address it returns;
// "" when that was the last. An answer that is not to one of our questions
// changes nothing. Any other error is the end of the login, unless patient is
// set and another code may be better.
func (f *flow) take(ctx context.Context, a answer, patient bool) (next string, err error) {
	f.turn.Lock()
	defer f.turn.Unlock()
	z, err := f.claim(a)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	step := f.step
	f.mu.Unlock()
	defer func() {
		if err != nil {
			err = f.telling(err)
			if _, mistyped := errors.AsType[*CodeError](err); !patient || !mistyped {
				f.end(err)
			}
		}
	}()
	if a.refusal != "" {
		return "", &DeniedError{Reason: a.refusal}
	}
	if err := plausible(a.code); err != nil {
		return "", err
	}
	m, who := f.manager, f.groups[step][0].service.client
	progress.Report(ctx, progress.Event{Stage: "authorizing", Text: "Exchanging the code for tokens"})
	g, err := m.globus.redeem(ctx, z, a.code)
	if err != nil {
		return "", err
	}
	tidy, err := m.accept(ctx, who, f.groups[step], g, z.nonce, f.force)
	if err != nil {
		m.discard(ctx, who, g)
		return "", err
	}
	f.mu.Lock()
	f.renewed = append(f.renewed, names(f.groups[step])...)
	f.tidies = append(f.tidies, tidy)
	for _, z := range f.open {
		f.spent = append(f.spent, z.state)
	}
	f.open, f.step = nil, step+1
	f.mu.Unlock()
	if step+1 == len(f.groups) {
		f.end(nil)
		return "", nil
	}
	following, err := f.authorize(step+1, z.cookie)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	f.url = following.url
	f.mu.Unlock()
	return following.url, nil
}

// paste takes what a person pasted: a code, or the address of the page that
// has it.
func (f *flow) paste(ctx context.Context, text string, patient bool) error {
	brought := tokenstore.NewSecret(text).Fingerprint()
	f.mu.Lock()
	again := brought == f.brought
	f.mu.Unlock()
	if again {
		return nil
	}
	_, err := f.take(ctx, pasted(text), patient)
	if err == nil {
		f.mu.Lock()
		f.brought, f.visible = brought, false
		f.mu.Unlock()
	}
	if errors.Is(err, errStray) || errors.Is(err, errSpent) {
		err = f.telling(&CodeError{Err: err})
	}
	return err
}

// telling says what the login was for that err happened to.
func (f *flow) telling(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Errorf("logging in to Globus %s: %w", strings.Join(names(f.groups[min(f.step, len(f.groups)-1)]), " and "), err)
}

// end is the end of the login; only the first one counts.
func (f *flow) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return
	}
	f.ended, f.err = true, err
	for _, z := range f.open {
		f.spent = append(f.spent, z.state)
	}
	if f.expire != nil {
		f.expire.Stop()
	}
	close(f.over)
	if f.landing != nil {
		go f.landing.close()
	}
}

// settle waits until the person has seen the last page and nothing is left
// over, and returns what came of it all.
func (f *flow) settle(ctx context.Context) (renewed []string, err error) {
	if f.landing != nil {
		<-f.landing.closed
	}
	f.mu.Lock()
	tidies := f.tidies
	f.tidies = nil
	f.mu.Unlock()
	for _, tidy := range tidies {
		tidy(ctx)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.renewed), f.err
}
