package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

func (a *auth) handleUserinfo(w http.ResponseWriter, r *http.Request) {
	t, ok := a.requireAuthToken(w, r, "openid")
	if !ok {
		return
	}
	set := a.linkedIdentities(t.identity)
	if len(set) == 0 {
		writeAuthError(w, r, http.StatusForbidden, "FORBIDDEN", "no such identity")
		return
	}
	linked := []any{}
	for _, i := range set {
		linked = append(linked, map[string]any{
			"sub": i.ID, "username": i.Username, "name": i.Name, "email": i.Email,
		})
	}
	answer := map[string]any{"sub": t.identity, "identity_set": linked, "preferred_username": set[0].Username}
	if slices.Contains(t.scopes, "profile") {
		answer["name"] = set[0].Name
	}
	if slices.Contains(t.scopes, "email") {
		answer["email"] = set[0].Email
	}
	writeJSON(w, http.StatusOK, answer)
}

func (a *auth) handleIdentities(w http.ResponseWriter, r *http.Request) {
	if _, ok := a.requireAuthToken(w, r, ""); !ok {
		return
	}
	ids, names := r.URL.Query().Get("ids"), r.URL.Query().Get("usernames")
	if (ids == "") == (names == "") {
		writeAuthError(w, r, http.StatusBadRequest, "BAD_REQUEST", "want either ids or usernames")
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
					"id": i.ID, "username": i.Username, "name": orNull(i.Name), "email": orNull(i.Email),
					"status": "used", "identity_type": "login", "organization": nil,
					"identity_provider": "41143743-f3c8-4d60-bbdb-eeecaba85bd9",
				})
			}
		}
	}
	a.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"identities": found})
}

// requireAuthToken returns the access token for Auth itself that r carries. It
// answers and returns false when there is none.
func (a *auth) requireAuthToken(w http.ResponseWriter, r *http.Request, scope string) (token, bool) {
	t, status, why := a.checkBearer(r, authResourceServer, scope)
	switch status {
	case http.StatusOK:
		return t, true
	case http.StatusForbidden:
		writeAuthError(w, r, status, "FORBIDDEN", why)
	default:
		w.Header().Set("WWW-Authenticate", "Bearer")
		writeAuthError(w, r, status, "UNAUTHORIZED", why)
	}
	return token{}, false
}

// tokenCheckHandler stands for a service of which only the tokens matter: it
// refuses a bad token, and answers every request with a good one that the
// resource does not exist.
func (s *Sandbox) tokenCheckHandler(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, status, why := s.auth.checkBearer(r, name, "")
		code := map[int]string{
			http.StatusUnauthorized: "AuthenticationFailed", http.StatusForbidden: "PermissionDenied",
		}[status]
		if status == http.StatusOK {
			status, code, why = http.StatusNotFound, "NotFound", "the sandbox does not have the resources of this service"
		}
		entryOf(r).Error = code + ": " + why
		writeJSON(w, status, map[string]any{"code": code, "message": why, "resource": r.URL.Path})
	})
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
