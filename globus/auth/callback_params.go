package auth

import (
	"crypto/subtle"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// callbackParams are the parameters that Globus Auth sends back, by a redirect
// or pasted by a person. pasted is true for a code that was pasted without a
// state: it belongs to the authorization that is waited for. typed is true of
// all that a person brought, stranger of what a program of unknown owner did.
type callbackParams struct {
	state, code, errorCode, cookie string
	pasted, typed, stranger        bool
}

// errOtherLogin is a callback with a state that was never issued here,
// errAlreadyUsed one whose code was accepted before.
var (
	errOtherLogin  = errors.New("it belongs to another login")
	errAlreadyUsed = errors.New("it was already used")
)

// findAuthorization finds the authorization that the parameters belong to.
func (f *loginFlow) findAuthorization(a callbackParams) (*authorization, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a.pasted {
		if f.ended {
			return nil, errAlreadyUsed
		}
		return f.pending[0], nil
	}
	for _, z := range f.pending {
		if equalInConstantTime(z.state, a.state) {
			switch {
			case z.cookie != "" && !equalInConstantTime(z.cookie, a.cookie):
				return nil, errOtherLogin
			case f.ended:
				return nil, errAlreadyUsed
			}
			return z, nil
		}
	}
	if slices.ContainsFunc(f.usedStates, func(state string) bool { return equalInConstantTime(state, a.state) }) {
		return nil, errAlreadyUsed
	}
	return nil, errOtherLogin
}

func equalInConstantTime(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// parsePasted reads what a person pasted: a code, or the address of the page
// that shows it.
func parsePasted(text string) callbackParams {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return callbackParams{code: text, pasted: true, typed: true}
	}
	q := u.Query()
	return callbackParams{state: q.Get("state"), code: q.Get("code"), errorCode: q.Get("error"), pasted: q.Get("state") == "", typed: true}
}

// checkCodeFormat refuses text that cannot be a code, before it is sent.
func checkCodeFormat(code string) error {
	switch {
	case code == "":
		return &CodeError{Err: errors.New("it is empty")}
	case len(code) > 2048 || strings.ContainsFunc(code, func(r rune) bool { return r <= ' ' || r > '~' }):
		return &CodeError{Err: errors.New("it does not look like the code on the page, which is one word of letters and digits")}
	}
	return nil
}
