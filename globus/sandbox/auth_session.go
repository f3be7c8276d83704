package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// sessionCookie keeps a browser signed in, as the one of the real service does.
const sessionCookie = "globus_sandbox_session"

// session is a person signed in at Auth in one browser.
type session struct {
	identity string
	mfa      bool // with a second factor
}

// SessionPolicy is what Compute demands of the session that a token came of, beyond
// its being valid. The zero value demands nothing.
type SessionPolicy struct {
	// MFA demands a second factor.
	MFA bool
	// Domain demands an identity of that domain.
	Domain string
}

// unmetPolicy returns what p demands and t does not have, as the parameters with
// which an application asks for another login; nil when t meets the policy.
func (a *auth) unmetPolicy(p SessionPolicy, t token) map[string]any {
	demand := map[string]any{}
	if p.MFA && !t.mfa {
		demand["session_required_mfa"] = true
	}
	if p.Domain != "" {
		a.mu.Lock()
		who, _ := a.findIdentity(t.identity)
		a.mu.Unlock()
		if !strings.HasSuffix(who.Username, "@"+p.Domain) {
			demand["session_required_single_domain"] = []string{p.Domain}
		}
	}
	if len(demand) == 0 {
		return nil
	}
	demand["session_message"] = "The policy of this service asks for more."
	return demand
}

// signInBrowser returns the session of the browser, or makes one for who and
// records a sign-in: what a person would have to do by hand. The caller holds mu.
func (a *auth) signInBrowser(w http.ResponseWriter, r *http.Request, who Identity, q url.Values) *session {
	mfa := q.Get("session_required_mfa") == "true"
	if c, err := r.Cookie(sessionCookie); err == nil && q.Get("prompt") != "login" {
		if s := a.sessions[c.Value]; s != nil && s.identity == who.ID && (s.mfa || !mfa) {
			return s
		}
	}
	s, value := &session{identity: who.ID, mfa: mfa}, newSecret("")
	a.sessions[value] = s
	a.s.masker.labelSecret("session", value)
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	detail := ""
	if mfa {
		detail = "with a second factor"
	}
	a.s.recordEntry(Entry{Kind: "event", Event: "sign-in", ClientID: q.Get("client_id"), Identity: who.ID, Detail: detail})
	return s
}

// chooseIdentity returns the identity that consents: one that the request demands
// by id or by domain, the one in the settings, or the first. The caller holds mu.
func (a *auth) chooseIdentity(q url.Values, settings Settings) (Identity, bool) {
	words := func(name string) []string {
		return strings.FieldsFunc(q.Get(name), func(r rune) bool { return r == ',' })
	}
	ids, domains := words("session_required_identities"), words("session_required_single_domain")
	if len(ids)+len(domains) == 0 {
		return a.findIdentity(settings.Identity)
	}
	for _, who := range a.identities {
		_, domain, _ := strings.Cut(who.Username, "@")
		if slices.Contains(ids, who.ID) || slices.Contains(ids, who.Username) || slices.Contains(domains, domain) {
			return who, true
		}
	}
	return Identity{}, false
}
