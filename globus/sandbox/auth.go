package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/google/uuid"
)

// Identity is a person of the sandbox.
type Identity struct {
	ID       string   `json:"id"`
	Username string   `json:"username"`
	Name     string   `json:"name,omitempty"`
	Email    string   `json:"email,omitempty"`
	Linked   []string `json:"linked,omitempty"` // ids of identities of the same person
}

// Researcher is the identity of a sandbox that was given none.
func Researcher() Identity {
	return Identity{
		ID: "c0ffee00-5a4d-4b0c-8f3e-7a1d5e0b2c41", Username: "researcher@sandbox.example",
		Name: "Robin Researcher", Email: "researcher@sandbox.example",
	}
}

// Application is an application registered with the sandbox's Auth: a native app
// without a secret, or a confidential client with one, which can also log in
// as itself.
type Application struct {
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	Secret string `json:"secret,omitempty"`
}

// nativeApps are the public client ids that Globus programs log in with.
func nativeApps() []Application {
	return []Application{
		{ID: "7d8b6bed-4a3d-4bf7-93c5-9fc58569e4e5", Name: "Chiltepin"},
		{ID: "42e9e804-0bcd-4c3d-881b-8e270e3c2163", Name: "Chiltepin before 0.1.7"},
		{ID: "4cf29807-cf21-49ec-9443-ff9a3fb9f81c", Name: "Globus Compute"},
		{ID: "1624cf3f-45ee-4f54-9de4-2d5d79191346", Name: "Academy"},
	}
}

type auth struct {
	s   *Sandbox
	key signingKey

	mu         sync.Mutex
	identities []Identity // in the order they were added
	clients    map[string]Application
	codes      map[string]*authCode
	sessions   map[string]*session // by cookie
	tokens     map[string]*token
	issueOrder []*token // as issued, for the state page
}

func newAuth(s *Sandbox, people []Identity, clients []Application) *auth {
	a := &auth{
		s: s, clients: map[string]Application{},
		codes: map[string]*authCode{}, sessions: map[string]*session{}, tokens: map[string]*token{},
	}
	if len(people) == 0 {
		people = []Identity{Researcher()}
	}
	a.identities = append(a.identities, people...)
	for _, c := range append(nativeApps(), clients...) {
		a.addClient(c)
	}
	return a
}

func (a *auth) newHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/oauth2/authorize", a.handleAuthorize)
	mux.HandleFunc("GET /v2/web/auth-code", a.handleShowCode)
	mux.HandleFunc("POST /v2/oauth2/token", a.handleToken)
	mux.HandleFunc("POST /v2/oauth2/token/revoke", a.handleRevoke)
	mux.HandleFunc("POST /v2/oauth2/token/introspect", a.handleIntrospect)
	mux.HandleFunc("GET /v2/oauth2/userinfo", a.handleUserinfo)
	mux.HandleFunc("GET /v2/api/identities", a.handleIdentities)
	mux.HandleFunc("GET /.well-known/openid-configuration", a.handleOpenIDConfiguration)
	mux.HandleFunc("GET "+jwksPath, a.handleJWKS)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeAuthError(w, r, http.StatusNotFound, "NOT_FOUND", "no such resource: "+r.URL.Path)
	})
	return mux
}

// AddIdentity registers a person; an empty ID is filled in.
func (s *Sandbox) AddIdentity(i Identity) Identity {
	if i.ID == "" {
		i.ID = uuid.NewString()
	}
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	s.auth.identities = append(s.auth.identities, i)
	return i
}

// AddClient registers an application. A confidential client is also an
// identity, as with Globus.
func (s *Sandbox) AddClient(c Application) Application {
	if c.ID == "" {
		c.ID = uuid.NewString()
	}
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	s.auth.addClient(c)
	return c
}

// NewConfidentialClient registers a client with a secret of its own making.
func (s *Sandbox) NewConfidentialClient(name string) Application {
	return s.AddClient(Application{Name: name, Secret: newSecret("")})
}

func (a *auth) addClient(c Application) {
	a.clients[c.ID] = c
	if c.Secret != "" {
		a.s.masker.labelSecret("secret", c.Secret)
		a.identities = append(a.identities, Identity{
			ID: c.ID, Username: c.ID + "@clients.auth.globus.org", Name: c.Name,
		})
	}
}

// findIdentity finds a person by id or username, or the first one for "". The
// caller holds mu.
func (a *auth) findIdentity(who string) (Identity, bool) {
	for _, i := range a.identities {
		if who == "" || i.ID == who || i.Username == who {
			return i, true
		}
	}
	return Identity{}, false
}

// linkedIdentities is the identity and those linked with it, in either direction.
func (a *auth) linkedIdentities(id string) []Identity {
	a.mu.Lock()
	defer a.mu.Unlock()
	first, ok := a.findIdentity(id)
	if !ok || id == "" {
		return nil
	}
	set := []Identity{first}
	for _, i := range a.identities {
		if i.ID != first.ID && (slices.Contains(first.Linked, i.ID) || slices.Contains(i.Linked, first.ID)) {
			set = append(set, i)
		}
	}
	return set
}

// authErrorBody is the body of an error answer, with the members that the SDK
// reads: error for a token request, errors for the others.
func authErrorBody(status int, code, detail string) map[string]any {
	return map[string]any{
		"error": code, "error_description": detail,
		"errors": []any{map[string]any{
			"status": strconv.Itoa(status), "code": code, "detail": detail,
			"title": http.StatusText(status), "id": uuid.NewString(),
		}},
	}
}

func writeAuthError(w http.ResponseWriter, r *http.Request, status int, code, detail string) {
	entryOf(r).Error = code + ": " + detail
	writeJSON(w, status, authErrorBody(status, code, detail))
}

// writeOAuthError answers a token request in the form of RFC 6749. Like the real
// service it does not tell a client why a grant is invalid; the journal does.
func writeOAuthError(w http.ResponseWriter, r *http.Request, status int, code, why string) {
	entryOf(r).Error = code + ": " + why
	writeJSON(w, status, map[string]any{"error": code})
}
