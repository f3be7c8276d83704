package auth

import (
	"crypto/subtle"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// answer is what came back from Globus Auth, by whatever way. typed is true of
// one that a person pasted without a state: it is for the step that is open.
type answer struct {
	state, code, refusal, cookie string
	typed                        bool
}

// errStray is an answer to a question that nobody here asked, errSpent one to
// a question that has been answered.
var (
	errStray = errors.New("it belongs to another login")
	errSpent = errors.New("it was used already")
)

// claim finds the authorization that an answer is to.
func (f *flow) claim(a answer) (*authorization, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a.typed {
		if f.ended {
			return nil, errSpent
		}
		return f.open[0], nil
	}
	for _, z := range f.open {
		if match(z.state, a.state) {
			switch {
			case z.cookie != "" && !match(z.cookie, a.cookie):
				return nil, errStray
			case f.ended:
				return nil, errSpent
			}
			return z, nil
		}
	}
	if slices.ContainsFunc(f.spent, func(state string) bool { return match(state, a.state) }) {
		return nil, errSpent
	}
	return nil, errStray
}

func match(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// pasted reads what a person pasted: a code, or an address with one.
func pasted(text string) answer {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return answer{code: text, typed: true}
	}
	q := u.Query()
	return answer{state: q.Get("state"), code: q.Get("code"), refusal: q.Get("error"), typed: q.Get("state") == ""}
}

// plausible is an error for what cannot be a code.
func plausible(code string) error {
	switch {
	case code == "":
		return &CodeError{Err: errors.New("it is empty")}
	case len(code) > 2048 || strings.ContainsFunc(code, func(r rune) bool { return r <= ' ' || r > '~' }):
		return &CodeError{Err: errors.New("it is not what the page shows: one word of letters and digits")}
	}
	return nil
}
