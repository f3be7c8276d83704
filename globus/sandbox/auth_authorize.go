package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// authCode is an authorization code: single-use, and bound to the client,
// the redirect URI and the PKCE challenge it was asked with.
type authCode struct {
	client, redirectURI, challenge string
	identity, state, nonce         string
	grants                         []scopeGrant
	offline, mfa                   bool
	expires                        time.Time
	used                           bool
}

// meetsChallenge checks an S256 challenge (RFC 7636 §4.6); a code that was asked for
// without one takes no verifier.
func (c *authCode) meetsChallenge(verifier string) bool {
	if c.challenge == "" {
		return verifier == ""
	}
	sum := sha256.Sum256([]byte(verifier))
	got := base64.RawURLEncoding.EncodeToString(sum[:])
	return subtle.ConstantTimeCompare([]byte(got), []byte(c.challenge)) == 1
}

// handleAuthorize answers the authorize URL, to which an application sends the
// browser. An unknown client or redirect URI is shown to the person; every other
// error goes back to the application through the redirect URI.
func (a *auth) handleAuthorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	e := entryOf(r)
	e.ClientID = q.Get("client_id")
	a.mu.Lock()
	client, known := a.clients[e.ClientID]
	a.mu.Unlock()
	redirect, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case !known:
		writePage(w, r, http.StatusBadRequest, "Unknown client", "No application has the client id "+e.ClientID+".", "")
		return
	case err != nil || !mayRedirect(redirect):
		writePage(w, r, http.StatusBadRequest, "Mismatching redirect URI", "The application may not send you to "+q.Get("redirect_uri")+".", "")
		return
	}
	refuse := func(code, why string) {
		e.Error = code + ": " + why
		back := url.Values{"error": {code}, "error_description": {why}}
		a.redirectBack(w, r, redirect, back, q.Get("state"))
	}
	grants, unknown := splitScopes(q.Get("scope"))
	settings := a.s.settings.currentValues()
	consent := settings.Consent
	if consent == "ask" && q.Get("sandbox_consent") != "" {
		consent = q.Get("sandbox_consent") // a button of the page below
	}
	switch {
	case q.Get("response_type") != "code":
		refuse("unsupported_response_type", "response_type must be code")
	case len(unknown) > 0 || len(grants) == 0:
		refuse("invalid_scope", "unknown scopes: "+strings.Join(unknown, " "))
	case q.Get("code_challenge") == "" && client.Secret == "":
		refuse("invalid_request", "a native app must send a code_challenge")
	case q.Get("code_challenge") != "" && q.Get("code_challenge_method") != "S256":
		refuse("invalid_request", "code_challenge_method must be S256")
	case q.Get("code_challenge") != "" && len(q.Get("code_challenge")) != 43:
		refuse("invalid_request", "code_challenge is not a SHA-256 in base64url")
	case consent == "deny":
		refuse("access_denied", "the person did not consent")
	case consent == "ask":
		writeConsentPage(w, r, client, grants)
	default:
		a.mu.Lock()
		who, ok := a.chooseIdentity(q, settings)
		if !ok {
			a.mu.Unlock()
			refuse("access_denied", "no such identity in this sandbox")
			return
		}
		signedIn := a.signInBrowser(w, r, who, q)
		value := newSecret("")
		a.codes[value] = &authCode{
			client: client.ID, redirectURI: q.Get("redirect_uri"), challenge: q.Get("code_challenge"),
			identity: who.ID, mfa: signedIn.mfa, state: q.Get("state"), nonce: q.Get("nonce"),
			grants: grants, offline: q.Get("access_type") == "offline",
			expires: a.s.clock.now().Add(settings.CodeLifetime),
		}
		e.Identity, e.Issued = who.ID, []string{a.s.masker.labelSecret("code", value)}
		a.mu.Unlock()
		a.redirectBack(w, r, redirect, url.Values{"code": {value}}, q.Get("state"))
	}
}

// mayRedirect admits Auth's own page that shows the code and a loopback
// address of any port, as for native apps.
func mayRedirect(u *url.URL) bool {
	if u.Path == "/v2/web/auth-code" && (u.Hostname() == AuthHost || isLoopback(u.Hostname())) {
		return true
	}
	return u.Scheme == "http" && isLoopback(u.Hostname())
}

func (a *auth) redirectBack(w http.ResponseWriter, r *http.Request, to *url.URL, with url.Values, state string) {
	q := to.Query()
	for k, v := range with {
		q[k] = v
	}
	if state != "" {
		q.Set("state", state)
	}
	back := *to
	back.RawQuery = q.Encode()
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// handleShowCode is the page of the paste flow.
func (a *auth) handleShowCode(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if code := q.Get("code"); code != "" {
		writePage(w, r, http.StatusOK, "Native App Authorization Code", "Copy this code into the application:", code)
		return
	}
	writePage(w, r, http.StatusOK, "Authorization failed", q.Get("error")+": "+q.Get("error_description"), "")
}

const pageTemplate = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Title}}</title></head>
<body><main><h1>{{.Title}}</h1><p>{{.Text}}</p>
{{with .Code}}<p><code id="auth-code">{{.}}</code></p>
{{end}}{{with .Links}}<p>{{range .}}<a href="{{.URL}}">{{.Label}}</a> {{end}}</p>
{{end}}<footer><p>This is a sandbox; no real account is involved.</p></footer></main></body></html>
`

type pageLink struct{ URL, Label string }

func writePage(w http.ResponseWriter, r *http.Request, status int, title, text, code string, links ...pageLink) {
	if status >= http.StatusBadRequest {
		entryOf(r).Error = title
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// Parsed for each page: a sandbox shows few, and none when it starts.
	_ = template.Must(template.New("page").Parse(pageTemplate)).Execute(w, struct {
		Title, Text, Code string
		Links             []pageLink
	}{title, text, code, links})
}

func writeConsentPage(w http.ResponseWriter, r *http.Request, client Application, grants []scopeGrant) {
	var servers []string
	for _, g := range grants {
		servers = append(servers, g.server)
	}
	link := func(label, consent string) pageLink {
		u := *r.URL
		q := u.Query()
		q.Set("sandbox_consent", consent)
		u.RawQuery = q.Encode()
		return pageLink{URL: u.RequestURI(), Label: label}
	}
	writePage(w, r, http.StatusOK, client.Name+" would like access", "To: "+strings.Join(servers, ", ")+".", "",
		link("Allow", "auto"), link("Deny", "deny"))
}
