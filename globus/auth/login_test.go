package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/next"
	"chiltepin/globus/sandbox"
	"chiltepin/globus/sandbox/sandboxtest"
	"chiltepin/globus/tokenstore"
)

const (
	chiltepin      = "7d8b6bed-4a3d-4bf7-93c5-9fc58569e4e5"
	olderChiltepin = "42e9e804-0bcd-4c3d-881b-8e270e3c2163"
	sdk            = "4cf29807-cf21-49ec-9443-ff9a3fb9f81c"
	academy        = "1624cf3f-45ee-4f54-9de4-2d5d79191346"
)

// world is a person's machine with a sandbox behind it.
type world struct {
	*sandboxtest.Box
	home string
	env  map[string]string
	// flows are the logins under way.
	flows auth.Flows
	// remote is true where the person is at another machine.
	remote bool
	// open opens a browser, where there is one.
	open func(context.Context, string) (func(), error)
	// proc is where the kernel shows sockets; /proc where it is "".
	proc string
	// transport is what requests go through; the sandbox where it is nil.
	transport http.RoundTripper
}

func newWorld(t *testing.T, options ...sandbox.Options) *world {
	return &world{Box: sandboxtest.New(t, options...), home: t.TempDir(), env: map[string]string{}}
}

func (w *world) getenv(name string) string { return w.env[name] }

func (w *world) manager(t *testing.T) *auth.Manager {
	t.Helper()
	env, err := globus.NewEnvironment(w.getenv)
	if err != nil {
		t.Fatal(err)
	}
	transport := w.transport
	if transport == nil {
		transport = w.RoundTripper()
	}
	m, err := auth.New(auth.Config{
		Env: env, HTTP: env.ClientOver(transport), Home: w.home, ComputeDir: w.computeDir(),
		Getenv: w.getenv, Hostname: "login01", OpenBrowser: w.open, Remote: w.remote, Flows: &w.flows, Proc: w.proc,
		Command: func(s next.Step) string { return strings.TrimSpace(fmt.Sprint("do ", s.Operation, " ", s.Args)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (w *world) computeDir() string { return filepath.Join(w.home, ".globus_compute") }

// ask is a person who consents to everything.
func (w *world) ask(ctx context.Context, url string) (string, error) {
	return sandboxtest.Consent(ctx, w.RoundTripper(), url)
}

func (w *world) login(t *testing.T, m *auth.Manager, services ...string) auth.LoginResult {
	t.Helper()
	result, err := m.Login(t.Context(), auth.LoginOptions{Services: services, Ask: w.ask})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (w *world) compute() tokenstore.Store {
	return tokenstore.NewSQLite(filepath.Join(w.computeDir(), "storage.db"))
}

func (w *world) transfer(clientID string) tokenstore.Store {
	return tokenstore.NewJSON(filepath.Join(w.home, ".globus", "app", clientID, "chiltepin", "tokens.json"))
}

func (w *world) academy() tokenstore.Store {
	return tokenstore.NewSQLite(filepath.Join(w.home, "local", "share", "academy", "storage.db"))
}

func read(t *testing.T, s tokenstore.Store, namespace string) tokenstore.Rows {
	t.Helper()
	rows, err := s.Read(t.Context(), namespace)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// shape is what can be said about rows without the tokens.
func shape(rows tokenstore.Rows) map[string]string {
	out := map[string]string{}
	for server, token := range rows {
		out[server] = token.Scope
		if token.RefreshToken.IsZero() {
			out[server] += " (online)"
		}
	}
	return out
}

func TestLoginByPaste(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.manager(t)
	var asked []url.Values
	result, err := m.Login(t.Context(), auth.LoginOptions{Ask: func(ctx context.Context, address string) (string, error) {
		u, err := url.Parse(address)
		if err != nil {
			return "", err
		}
		asked = append(asked, u.Query())
		return w.ask(ctx, address)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"compute", "transfer", "academy"}, result.Renewed); diff != "" {
		t.Error("renewed", diff)
	}

	// One authorization for each client.
	if len(asked) != 2 || asked[0].Get("client_id") != chiltepin || asked[1].Get("client_id") != academy {
		t.Fatalf("asked %d times: %v", len(asked), asked)
	}
	const scopes = "openid urn:globus:auth:scope:auth.globus.org:manage_projects https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all urn:globus:auth:scope:transfer.api.globus.org:all"
	if got := strings.Fields(asked[0].Get("scope")); !sameWords(got, strings.Fields(scopes)) {
		t.Errorf("scopes asked for: %q", got)
	}
	for name, want := range map[string]string{
		"redirect_uri": "https://auth.globus.org/v2/web/auth-code", "response_type": "code",
		"code_challenge_method": "S256", "access_type": "offline", "prefill_named_grant": "Chiltepin on login01",
	} {
		if got := asked[0].Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, e := range w.Requests("POST", "/v2/oauth2/token") {
		if !e.PKCE {
			t.Error("a code was redeemed without PKCE")
		}
	}

	// What is in the stores is what the Python programs demand.
	const manage = "openid urn:globus:auth:scope:auth.globus.org:manage_projects"
	for name, check := range map[string]struct {
		store     tokenstore.Store
		namespace string
		want      map[string]string
	}{
		"compute": {w.compute(), "user/production", map[string]string{
			"auth.globus.org": manage, "funcx_service": "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all"}},
		"transfer": {w.transfer(chiltepin), "DEFAULT", map[string]string{
			"auth.globus.org": manage, "transfer.api.globus.org": "urn:globus:auth:scope:transfer.api.globus.org:all"}},
		"academy": {w.academy(), "DEFAULT", map[string]string{
			"auth.globus.org": "openid", "ca1e2fbf-4e73-40a6-b2ab-c9458e5fcf99": "https://auth.globus.org/scopes/ca1e2fbf-4e73-40a6-b2ab-c9458e5fcf99/academy_exchange"}},
	} {
		if diff := cmp.Diff(check.want, shape(read(t, check.store, check.namespace))); diff != "" {
			t.Errorf("%s store: %s", name, diff)
		}
	}
	who := result.Identity.ID
	for _, service := range result.Services {
		if !service.LoggedIn || service.Identity.ID != who || who == "" || !service.ClientProven || len(service.Tokens) != 2 {
			t.Errorf("%+v", service)
		}
	}

	// A second login has nothing to do, and asks nobody.
	before := len(w.Journal())
	again, err := m.Login(t.Context(), auth.LoginOptions{})
	if err != nil || len(again.Renewed) != 0 || len(again.Services) != 3 {
		t.Errorf("second login: %+v, %v", again, err)
	}
	if after := len(w.Journal()); after != before {
		t.Errorf("second login made %d requests", after-before)
	}
}

func sameWords(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

func TestLoginByCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, pair := range w.ClientCredentials() {
		name, value, _ := strings.Cut(pair, "=")
		w.env[name] = value
	}
	id := w.env["GLOBUS_COMPUTE_CLIENT_ID"]
	m := w.manager(t)
	result, err := m.Login(t.Context(), auth.LoginOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Renewed) != 3 || result.Identity.ID != id {
		t.Errorf("%+v", result)
	}
	if rows := read(t, w.compute(), "clientprofile/production/"+id); len(rows) != 2 || !rows["funcx_service"].RefreshToken.IsZero() {
		t.Errorf("compute: %v", shape(rows))
	}
	if rows := read(t, w.transfer(id), "DEFAULT"); len(rows) != 2 {
		t.Errorf("transfer: %v", shape(rows))
	}
	if rows := read(t, w.academy(), "DEFAULT"); len(rows) != 2 {
		t.Errorf("academy: %v", shape(rows))
	}
	if env, err := m.DaemonEnv(); err != nil || len(env) != 0 {
		t.Errorf("DaemonEnv: %q, %v", env, err)
	}
	if out, err := m.Logout(t.Context(), auth.LogoutOptions{}); err != nil || len(out.Tokens) != 6 {
		t.Errorf("logout: %+v, %v", out, err)
	}
	if left := w.Unrevoked(); len(left) != 0 {
		t.Errorf("alive after logout: %v", left)
	}
}

func TestLoginWithAnIDOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env["GLOBUS_COMPUTE_CLIENT_ID"] = olderChiltepin
	m := w.manager(t)
	result := w.login(t, m, auth.Compute, auth.Transfer)
	if got := result.Services[0].ClientID; got != olderChiltepin {
		t.Errorf("client %s", got)
	}
	if rows := read(t, w.transfer(olderChiltepin), "DEFAULT"); len(rows) != 2 {
		t.Errorf("transfer store: %v", shape(rows))
	}
	if env, err := m.DaemonEnv(); err != nil || !slices.Equal(env, []string{"GLOBUS_COMPUTE_CLIENT_ID=" + olderChiltepin}) {
		t.Errorf("DaemonEnv: %q, %v", env, err)
	}
}

// A login adds what is missing and asks for no more.
func TestLoginOfWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.manager(t)
	w.login(t, m, auth.Compute)
	before := read(t, w.compute(), "user/production")
	var scope string
	result, err := m.Login(t.Context(), auth.LoginOptions{Services: []string{"compute", "transfer"}, Ask: func(ctx context.Context, address string) (string, error) {
		u, _ := url.Parse(address)
		scope = u.Query().Get("scope")
		return w.ask(ctx, address)
	}})
	if err != nil || !slices.Equal(result.Renewed, []string{"transfer"}) {
		t.Fatalf("%+v, %v", result, err)
	}
	if want := "openid urn:globus:auth:scope:transfer.api.globus.org:all"; scope != want {
		t.Errorf("asked for %q, want %q", scope, want)
	}
	if diff := cmp.Diff(before, read(t, w.compute(), "user/production")); diff != "" {
		t.Error("the compute store changed:", diff)
	}
}

func TestLoginRefused(t *testing.T) {
	t.Parallel()
	type test struct {
		ask  func(w *world) func(context.Context, string) (string, error)
		want string
	}
	for name, test := range map[string]test{
		"nothing pasted": {func(*world) func(context.Context, string) (string, error) {
			return func(context.Context, string) (string, error) { return " \n", nil }
		}, "logging in to Globus compute and transfer: the code was not accepted: it is empty"},
		"two words": {func(*world) func(context.Context, string) (string, error) {
			return func(context.Context, string) (string, error) { return "two words", nil }
		}, "logging in to Globus compute and transfer: the code was not accepted: it does not look like the code on the page, which is one word of letters and digits"},
		"wrong code": {func(*world) func(context.Context, string) (string, error) {
			return func(context.Context, string) (string, error) { return "wrongcode", nil }
		}, "logging in to Globus compute and transfer: the code was not accepted: it is mistyped, too old, already used, or of another login: POST /v2/oauth2/token: Globus auth answered 400 Bad Request (invalid_grant)"},
		"address of another login": {func(*world) func(context.Context, string) (string, error) {
			return func(context.Context, string) (string, error) {
				return "https://auth.globus.org/v2/web/auth-code?code=abc&state=def", nil
			}
		}, "logging in to Globus compute and transfer: the code was not accepted: it belongs to another login"},
		"code of another login": {func(w *world) func(context.Context, string) (string, error) {
			return func(ctx context.Context, address string) (string, error) {
				u, _ := url.Parse(address)
				query := u.Query()
				query.Set("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM") // RFC 7636, appendix B
				u.RawQuery = query.Encode()
				return w.ask(ctx, u.String())
			}
		}, "logging in to Globus compute and transfer: the code was not accepted: it is mistyped, too old, already used, or of another login: POST /v2/oauth2/token: Globus auth answered 400 Bad Request (invalid_grant)"},
		"code for another client": {func(w *world) func(context.Context, string) (string, error) {
			return func(ctx context.Context, address string) (string, error) {
				u, _ := url.Parse(address)
				query := u.Query()
				query.Set("client_id", sdk)
				u.RawQuery = query.Encode()
				return w.ask(ctx, u.String())
			}
		}, "logging in to Globus compute and transfer: the code was not accepted: it is mistyped, too old, already used, or of another login: POST /v2/oauth2/token: Globus auth answered 400 Bad Request (invalid_grant)"},
		"person gives up": {func(*world) func(context.Context, string) (string, error) {
			return func(context.Context, string) (string, error) { return "", context.Canceled }
		}, "logging in to Globus compute and transfer: context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			m := w.manager(t)
			result, err := m.Login(t.Context(), auth.LoginOptions{Services: []string{"compute", "transfer"}, Ask: test.ask(w)})
			if err == nil || err.Error() != test.want {
				t.Errorf("error: %v\nwant:  %s", err, test.want)
			}
			if len(result.Renewed) != 0 || loggedIn(m, auth.Compute) {
				t.Error("logged in all the same")
			}
		})
	}
}

// The address of the page with the code is as good as the code.
func TestLoginByAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.manager(t)
	_, err := m.Login(t.Context(), auth.LoginOptions{Services: []string{"compute"}, Ask: func(ctx context.Context, address string) (string, error) {
		u, _ := url.Parse(address)
		code, err := w.ask(ctx, address)
		return "  https://auth.globus.org/v2/web/auth-code?" + url.Values{"code": {code}, "state": {u.Query().Get("state")}}.Encode() + "\n", err
	}})
	if err != nil || !loggedIn(m, auth.Compute) {
		t.Error(err)
	}
}

func TestLoginUnknownService(t *testing.T) {
	t.Parallel()
	_, err := newWorld(t).manager(t).Login(t.Context(), auth.LoginOptions{Services: []string{"nonsense"}})
	if _, ok := errors.AsType[*auth.ServiceError](err); !ok || err.Error() != `there is no service "nonsense": want compute, transfer, academy` {
		t.Error(err)
	}
}

func TestSecretWithoutID(t *testing.T) {
	t.Parallel()
	_, err := auth.New(auth.Config{Home: "/h", ComputeDir: "/h/c", Getenv: func(name string) string {
		return map[string]string{"GLOBUS_COMPUTE_CLIENT_SECRET": "hush"}[name]
	}})
	if _, ok := errors.AsType[*globus.SettingError](err); !ok || strings.Contains(err.Error(), "hush") {
		t.Error(err)
	}
}

// agree is a person who confirms every doubt.
func agree(context.Context, auth.Doubt) error { return nil }

// Somebody else logs in: a person is asked, forced or not, and where nobody can
// be asked or the answer is no, nothing of it remains.
func TestLoginOfAnotherIdentity(t *testing.T) {
	t.Parallel()
	ada := sandbox.Identity{ID: "11111111-1111-4111-8111-111111111111", Username: "ada@example.org", Name: "Ada"}
	bob := sandbox.Identity{ID: "22222222-2222-4222-8222-222222222222", Username: "bob@example.org", Name: "Bob"}
	w := newWorld(t, sandbox.Options{Identities: []sandbox.Identity{ada, bob}})
	m := w.manager(t)
	w.login(t, m)
	before := read(t, w.compute(), "user/production")
	issued := len(w.Unrevoked())
	asBob := func(ctx context.Context, address string) (string, error) {
		return w.ask(ctx, address+"&session_required_identities="+bob.ID)
	}
	w.RevokeTokens("refresh") // the login is of no use any more
	_, err := m.Login(t.Context(), auth.LoginOptions{Services: []string{"transfer"}, Force: false, Ask: asBob})
	if err != nil {
		t.Fatal("a login that looks fine was renewed:", err)
	}
	w.env["GLOBUS_COMPUTE_CLIENT_ID"] = olderChiltepin // another client: not logged in
	m = w.manager(t)
	var asked []auth.Doubt
	decline := func(_ context.Context, d auth.Doubt) error {
		asked = append(asked, d)
		return errors.New("no")
	}
	for _, o := range []auth.LoginOptions{{}, {Force: true}, {Confirm: decline}, {Confirm: decline, Force: true}} {
		o.Services, o.Ask = []string{"compute"}, asBob
		_, err = m.Login(t.Context(), o)
		mismatch, ok := errors.AsType[*auth.IdentityError](err)
		if !ok || mismatch.Stored != ada.ID || mismatch.New != bob.ID {
			t.Fatal(err)
		}
	}
	if len(asked) != 2 || asked[0].Stranger || asked[0].Replaces.ID != ada.ID || asked[0].Identity.Username != bob.Username {
		t.Errorf("asked %+v", asked)
	}
	if diff := cmp.Diff(before, read(t, w.compute(), "user/production")); diff != "" {
		t.Error("the store changed:", diff)
	}
	if now := len(w.Unrevoked()); now > issued {
		t.Errorf("%d tokens more are alive than before", now-issued)
	}
	result, err := m.Login(t.Context(), auth.LoginOptions{Services: []string{"compute"}, Confirm: agree, Ask: asBob})
	if err != nil || result.Identity.ID != bob.ID {
		t.Fatal(result, err)
	}
	for server, token := range read(t, w.compute(), "user/production") {
		if token.IdentityID != bob.ID {
			t.Errorf("%s still belongs to %s", server, token.IdentityID)
		}
	}
}
