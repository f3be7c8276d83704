package sandbox

import (
	"net/http"
	"strings"
)

func (a *auth) userinfo(w http.ResponseWriter, r *http.Request) {
	t, ok := a.signedIn(w, r, "openid")
	if !ok {
		return
	}
	set := a.identitySet(t.identity)
	if len(set) == 0 {
		authError(w, r, http.StatusForbidden, "FORBIDDEN", "the identity is gone")
		return
	}
	linked := []any{}
	for _, i := range set {
		linked = append(linked, map[string]any{
			"sub": i.ID, "username": i.Username, "name": i.Name, "email": i.Email,
		})
	}
	answer := map[string]any{"sub": t.identity, "identity_set": linked, "preferred_username": set[0].Username}
	if contains(t.scopes, "profile") {
		answer["name"] = set[0].Name
	}
	if contains(t.scopes, "email") {
		answer["email"] = set[0].Email
	}
	writeJSON(w, http.StatusOK, answer)
}

func (a *auth) identitiesByQuery(w http.ResponseWriter, r *http.Request) {
	if _, ok := a.signedIn(w, r, ""); !ok {
		return
	}
	ids, names := r.URL.Query().Get("ids"), r.URL.Query().Get("usernames")
	if (ids == "") == (names == "") {
		authError(w, r, http.StatusBadRequest, "BAD_REQUEST", "give ids or usernames")
		return
	}
	wanted := strings.Split(ids+names, ",")
	found := []any{}
	a.mu.Lock()
	for _, want := range wanted {
		want = strings.TrimSpace(want)
		for _, i := range a.identities {
			if i.ID == want && ids != "" || i.Username == want && names != "" {
				found = append(found, map[string]any{
					"id": i.ID, "username": i.Username, "name": nullable(i.Name), "email": nullable(i.Email),
					"status": "used", "identity_type": "login", "organization": nil,
					"identity_provider": "41143743-f3c8-4d60-bbdb-eeecaba85bd9",
				})
			}
		}
	}
	a.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"identities": found})
}

// signedIn demands an access token for Auth itself.
func (a *auth) signedIn(w http.ResponseWriter, r *http.Request, scope string) (token, bool) {
	t, status, why := a.bearer(r, authResourceServer, scope)
	switch status {
	case http.StatusOK:
		return t, true
	case http.StatusForbidden:
		authError(w, r, status, "FORBIDDEN", why)
	default:
		w.Header().Set("WWW-Authenticate", "Bearer")
		authError(w, r, status, "UNAUTHORIZED", why)
	}
	return token{}, false
}

// resourceServer stands for a service of which only the tokens matter: it
// tells a good token from a bad one and has nothing else.
func (s *Sandbox) resourceServer(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, status, why := s.auth.bearer(r, name, "")
		code := map[int]string{
			http.StatusUnauthorized: "AuthenticationFailed", http.StatusForbidden: "PermissionDenied",
		}[status]
		if status == http.StatusOK {
			status, code, why = http.StatusNotFound, "NotFound", "the sandbox has none of this service's resources"
		}
		note(r).Error = code + ": " + why
		writeJSON(w, status, map[string]any{"code": code, "message": why, "resource": r.URL.Path})
	})
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}
