package auth_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"chiltepin/globus/auth"
	"chiltepin/globus/next"
	"chiltepin/globus/sandbox"
	"chiltepin/globus/tokenstore"
)

func TestWhoami(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sandbox.Options{Identities: []sandbox.Identity{
			{ID: "11111111-1111-4111-8111-111111111111", Username: "ada@example.org", Name: "Ada", Linked: []string{"22222222-2222-4222-8222-222222222222"}},
			{ID: "22222222-2222-4222-8222-222222222222", Username: "ada@lab.example"},
			{ID: "33333333-3333-4333-8333-333333333333", Username: "bob@example.org"},
		}})
		m := w.manager(t)
		w.login(t, m, auth.Compute)
		requests := len(w.Journal())
		got, err := m.Whoami(t.Context())
		if err != nil || len(w.Journal()) != requests {
			t.Fatalf("%v, %d requests", err, len(w.Journal())-requests)
		}
		who := auth.Identity{ID: "11111111-1111-4111-8111-111111111111", Username: "ada@example.org", Name: "Ada", Linked: []auth.Identity{
			{ID: "22222222-2222-4222-8222-222222222222", Username: "ada@lab.example"},
		}}
		end := time.Date(2000, 1, 3, 0, 0, 0, 0, time.UTC).Local()
		want := auth.Account{Identity: who, Services: []auth.ServiceAccount{
			{
				Service: "compute", Identity: who, LoggedIn: true, ClientID: chiltepin, ClientProven: true,
				Store: filepath.Join(w.home, ".globus_compute", "storage.db"), Namespace: "user/production",
				Tokens: []auth.TokenInfo{
					{ResourceServer: "funcx_service", Scopes: []string{"https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all"}, Expires: end, Refreshable: true, RenewedBy: "refresh_token"},
					{ResourceServer: "auth.globus.org", Scopes: []string{"openid", "urn:globus:auth:scope:auth.globus.org:manage_projects"}, Expires: end, Refreshable: true, RenewedBy: "refresh_token"},
				},
				Programs: []auth.ProgramView{
					{Program: "Python Chiltepin 0.1.7", LoggedIn: true},
					{Program: "Python Chiltepin up to 0.1.6", LoggedIn: true, Until: end, Next: []next.Step{next.Do("set GLOBUS_COMPUTE_CLIENT_ID=" + chiltepin + " in the environment")}},
					{Program: "globus-compute-endpoint, globus_compute_sdk", LoggedIn: true, Until: end, Next: []next.Step{next.Do("set GLOBUS_COMPUTE_CLIENT_ID=" + chiltepin + " in the environment")}},
				},
			},
			{
				Service: "transfer", ClientID: chiltepin, Store: filepath.Join(w.home, ".globus", "app", chiltepin, "chiltepin", "tokens.json"), Namespace: "DEFAULT",
				Programs: []auth.ProgramView{{Program: "Python Chiltepin 0.1.7"}, {Program: "Python Chiltepin up to 0.1.6"}},
			},
			{
				Service: "academy", ClientID: academy, Store: filepath.Join(w.home, "local", "share", "academy", "storage.db"), Namespace: "DEFAULT",
				Programs: []auth.ProgramView{{Program: "academy 0.3 to 0.5"}, {Program: "academy after 0.5"}},
			},
		}}
		for _, token := range got.Services[0].Tokens {
			if len(token.Mark) != 6 {
				t.Errorf("a mark of %q", token.Mark)
			}
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(auth.TokenInfo{}, "Mark")); diff != "" {
			t.Error(diff)
		}
	})
}

// Each thing that can be wrong with what is stored is told, and keeps no
// login from mending it without Force.
func TestWhoamiProblems(t *testing.T) {
	t.Parallel()
	edit := func(change func(tokenstore.Token) tokenstore.Token) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			w.update(t, func(rows tokenstore.Rows) { rows["funcx_service"] = change(rows["funcx_service"]) })
		}
	}
	for name, test := range map[string]struct {
		spoil func(*testing.T, *world)
		want  string
	}{
		"no row": {func(t *testing.T, w *world) {
			w.update(t, func(rows tokenstore.Rows) { delete(rows, "funcx_service") })
		}, ""},
		"half of the rows": {func(t *testing.T, w *world) {
			w.update(t, func(rows tokenstore.Rows) { delete(rows, "auth.globus.org") })
		}, "not logged in to Globus compute: there is no token for auth.globus.org"},
		"a scope less": {edit(func(token tokenstore.Token) tokenstore.Token {
			token.Scope = "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/status"
			return token
		}), "not logged in to Globus compute: the tokens do not allow https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all"},
		"ended without refresh token": {edit(func(token tokenstore.Token) tokenstore.Token {
			token.RefreshToken, token.ExpiresAt = tokenstore.Secret{}, 86400
			return token
		}), "not logged in to Globus compute: the token for funcx_service expired at 1970-01-02T00:00:00Z and cannot be refreshed"},
		"unreadable row": {edit(func(token tokenstore.Token) tokenstore.Token {
			token.Extra = map[string]string{"scope": "5"} // the later of two members counts
			return token
		}), "not logged in to Globus compute: the token for funcx_service cannot be read: scope must be a string"},
		"empty file": {func(t *testing.T, w *world) {
			if err := os.Truncate(w.compute().Path(), 0); err != nil {
				t.Fatal(err)
			}
		}, `reading "%s": the file is empty`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			m := w.manager(t)
			w.login(t, m, auth.Compute)
			test.spoil(t, w)
			account, err := m.Whoami(t.Context())
			if err != nil || account.Services[0].LoggedIn || loggedIn(m, auth.Compute) {
				t.Fatalf("%+v, %v", account.Services[0], err)
			}
			got, want := "", strings.ReplaceAll(test.want, "%s", w.compute().Path())
			if problem := account.Services[0].Problem; problem != nil {
				got = problem.Error()
			}
			if got != want {
				t.Errorf("problem %q, want %q", got, want)
			}
			if result := w.login(t, m, auth.Compute); len(result.Renewed) != 1 || !loggedIn(m, auth.Compute) {
				t.Errorf("a login did not mend it: %+v", result)
			}
		})
	}
}

// A store that cannot be written is found before a person is sent anywhere,
// and is not touched.
func TestLoginIntoAForeignFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := w.compute().Path()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("my precious notes"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := w.manager(t).Login(t.Context(), auth.LoginOptions{Ask: func(context.Context, string) (string, error) {
		t.Error("a person was asked")
		return "", context.Canceled
	}})
	if err == nil || !strings.Contains(err.Error(), "not a token store of globus_sdk") {
		t.Error(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "my precious notes" {
		t.Errorf("the file holds %q, %v", data, err)
	}
}

// Our own record is a convenience: rubbish in it costs a guess.
func TestSpoiltLedger(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{", "[]", `{"version": 2, "tokens": {}}`, `{"version": 1, "tokens": null, "identities": null}`, `{"version": 1, "tokens": 5}`} {
		w := newWorld(t)
		m := w.manager(t)
		w.login(t, m, auth.Compute)
		path := filepath.Join(w.computeDir(), ".chiltepin", "clients.json")
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if !loggedIn(m, auth.Compute) {
			t.Errorf("%q: not logged in", content)
		}
		if id, err := m.ProveClient(t.Context(), auth.Compute); err != nil || id != chiltepin {
			t.Errorf("%q: %s, %v", content, id, err)
		}
	}
}

// Academy's later releases look elsewhere: their file is written beside the
// other where it is there already.
func TestAcademyPlaces(t *testing.T) {
	t.Parallel()
	later := func(w *world) tokenstore.Store {
		return tokenstore.NewSQLite(filepath.Join(w.home, ".local", "share", "academy", "storage.db"))
	}
	w := newWorld(t)
	w.login(t, w.manager(t), auth.Academy)
	if _, err := os.Stat(later(w).Path()); !os.IsNotExist(err) {
		t.Errorf("the later file: %v", err)
	}

	w = newWorld(t)
	old := read(t, w.academy(), "DEFAULT")
	if err := later(w).Update(t.Context(), "other", func(rows tokenstore.Rows) error {
		rows["x"] = tokenstore.Token{ResourceServer: "x"}
		return nil
	}); err != nil || len(old) != 0 {
		t.Fatal(err)
	}
	m := w.manager(t)
	w.login(t, m, auth.Academy)
	if diff := cmp.Diff(read(t, w.academy(), "DEFAULT"), read(t, later(w), "DEFAULT")); diff != "" {
		t.Error(diff)
	}
	if _, err := m.Logout(t.Context(), auth.LogoutOptions{}); err != nil || len(read(t, later(w), "DEFAULT")) != 0 || len(read(t, later(w), "other")) != 1 {
		t.Errorf("after logout: %v", err)
	}

	w = newWorld(t)
	w.env["ACADEMY_HOME"] = filepath.Join(w.home, "elsewhere")
	w.login(t, w.manager(t), auth.Academy)
	if rows := read(t, tokenstore.NewSQLite(filepath.Join(w.home, "elsewhere", "storage.db")), "DEFAULT"); len(rows) != 2 {
		t.Errorf("in ACADEMY_HOME: %v", shape(rows))
	}
}

// Academy may have credentials of its own, and then asks nobody.
func TestAcademyCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, pair := range w.ClientCredentials() {
		name, value, _ := strings.Cut(pair, "=")
		w.env[strings.Replace(name, "GLOBUS_COMPUTE", "ACADEMY_GLOBUS", 1)] = value
	}
	m := w.manager(t)
	result, err := m.Login(t.Context(), auth.LoginOptions{Services: []string{auth.Academy}})
	if err != nil || result.Identity.ID != w.env["ACADEMY_GLOBUS_CLIENT_ID"] {
		t.Fatalf("%+v, %v", result, err)
	}
	if account := result.Services[0]; account.ClientID != w.env["ACADEMY_GLOBUS_CLIENT_ID"] || len(account.Tokens) != 2 || !account.Tokens[0].Refreshable {
		t.Errorf("%+v", account)
	}
}
