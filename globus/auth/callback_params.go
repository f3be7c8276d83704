package auth

import (
	"crypto/subtle"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// callbackParams is what came back from Globus Auth, by whatever way. typed is true of
// one that a person pasted without a state: it is for the step that is open.
type callbackParams struct {
	state, code, errorCode, cookie string
	pasted                         bool
}

// errOtherLogin is an answer to a question that nobody here asked, errAlreadyUsed one to
// a question that has been answered.
var (
	errOtherLogin  = errors.New("it belongs to another login")
	errAlreadyUsed = errors.New("it was used already")
)

// findAuthorization finds the authorization that an answer is to.
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

// parsePasted reads what a person pasted: a code, or an address with one.
func parsePasted(text string) callbackParams {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return callbackParams{code: text, pasted: true}
	}
	q := u.Query()
	return callbackParams{state: q.Get("state"), code: q.Get("code"), errorCode: q.Get("error"), pasted: q.Get("state") == ""}
}

// checkCodeFormat is an error for what cannot be a code.
func checkCodeFormat(code string) error {
	switch {
	case code == "":
		return &CodeError{Err: errors.New("it is empty")}
	case len(code) > 2048 || strings.ContainsFunc(code, func(r rune) bool { return r <= ' ' || r > '~' }):
		return &CodeError{Err: errors.New("it is not what the page shows: one word of letters and digits")}
	}
	return nil
}
