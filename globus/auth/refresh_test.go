package auth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus/auth"
	"chiltepin/globus/next"
	"chiltepin/globus/sandbox"
	"chiltepin/globus/tokenstore"
)

// get asks the Compute service for something that needs a token.
func get(t *testing.T, m *auth.Manager, address string) (int, error) {
	t.Helper()
	client, err := m.Authorized(t.Context(), auth.Compute)
	if err != nil {
		return 0, err
	}
	return getWith(t.Context(), client, address)
}

func getWith(ctx context.Context, client *http.Client, address string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

const listURL = "https://compute.api.globus.org/v2/endpoints"

func (w *world) refreshes() int {
	n := 0
	for _, e := range w.Requests("POST", "/v2/oauth2/token") {
		if e.Grant == "refresh_token" {
			n++
		}
	}
	return n
}

func TestRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		m := w.manager(t)
		w.login(t, m)
		client, err := m.Authorized(t.Context(), auth.Compute)
		if err != nil {
			t.Fatal(err)
		}
		steps := []struct {
			after time.Duration
			do    func()
			want  int
		}{
			{0, nil, 0},
			{48*time.Hour - 61*time.Second, nil, 0},
			{2 * time.Second, nil, 1},                             // 59 seconds before its end
			{time.Hour, func() { w.ExpireTokens("access") }, 2},   // once on 401
			{time.Hour, nil, 2},                                   // and kept
			{100 * 24 * time.Hour, nil, 3},                        // long unused
			{time.Second, func() { w.RevokeTokens("access") }, 4}, // revoked elsewhere
		}
		for i, step := range steps {
			time.Sleep(step.after)
			if step.do != nil {
				step.do()
			}
			if status, err := getWith(t.Context(), client, listURL); err != nil || status != 200 {
				t.Errorf("step %d: %d, %v", i, status, err)
			}
			if got := w.refreshes(); got != step.want {
				t.Errorf("step %d: %d refreshes, want %d", i, got, step.want)
			}
		}
	})
}

// The token for auth.globus.org is in two stores; a refresh that rotates it
// must reach both.
func TestRenewalOfASharedToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sandbox.Options{Settings: sandbox.Settings{RotateRefresh: true}})
		m := w.manager(t)
		w.login(t, m)
		before := read(t, w.compute(), "user/production")
		// Without a record of their client, Prove renews all tokens of compute.
		forget(t, w)
		if id, err := m.ProveClient(t.Context(), auth.Compute); err != nil || id != chiltepin {
			t.Fatal(id, err)
		}
		compute, transfer := read(t, w.compute(), "user/production"), read(t, w.transfer(chiltepin), "DEFAULT")
		for server, token := range before {
			if compute[server].RefreshToken.Equal(token.RefreshToken) {
				t.Errorf("the token for %s was not rotated", server)
			}
		}
		if diff := cmp.Diff(compute["auth.globus.org"], transfer["auth.globus.org"]); diff != "" {
			t.Error("the two stores differ:", diff)
		}
		out, err := m.Logout(t.Context(), auth.LogoutOptions{})
		if err != nil || len(out.Tokens) != 12 {
			t.Error(out, err)
		}
		for _, token := range out.Tokens {
			if !token.Revoked || !token.Removed {
				t.Errorf("%+v", token)
			}
		}
		for _, label := range w.Unrevoked() {
			// A rotated refresh token ends without being revoked.
			if label != "refresh#1" && label != "refresh#2" {
				t.Errorf("%s is alive after logout", label)
			}
		}
	})
}

// Many requests at once, of two managers on the same stores: one refresh.
func TestConcurrentRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sandbox.Options{Settings: sandbox.Settings{RotateRefresh: true}})
		managers := []*auth.Manager{w.manager(t), w.manager(t)}
		w.login(t, managers[0], auth.Compute)
		time.Sleep(48 * time.Hour)
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				if status, err := get(t, managers[i%2], listURL); err != nil || status != 200 {
					t.Error(status, err)
				}
			})
		}
		group.Wait()
		if got := w.refreshes(); got != 1 {
			t.Errorf("%d refreshes, want 1", got)
		}
		time.Sleep(48 * time.Hour)
		if status, err := get(t, managers[0], listURL); err != nil || status != 200 {
			t.Error("the refresh token was lost:", status, err)
		}
	})
}

// meddler lets something happen between a refresh request and its answer.
type meddler struct {
	http.RoundTripper
	once   atomic.Bool
	before bool
	meddle func()
}

func (m *meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	hit := r.URL.Path == "/v2/oauth2/token" && !m.once.Swap(true)
	if hit && m.before {
		m.meddle()
	}
	resp, err := m.RoundTripper.RoundTrip(r)
	if hit && !m.before {
		m.meddle()
	}
	return resp, err
}

// A Python program, which does not take our lock, refreshes at the same time.
func TestRenewalBesideAnotherProgram(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"it is faster": true, "it is slower": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, sandbox.Options{Settings: sandbox.Settings{RotateRefresh: true}})
				m := w.manager(t)
				w.login(t, m, auth.Compute)
				time.Sleep(48 * time.Hour)
				w.transport = &meddler{RoundTripper: w.RoundTripper(), before: before, meddle: func() {
					// Rotated there and stored: the end of our own refresh token.
					other := world{Box: w.Box}
					w.update(t, func(rows tokenstore.Rows) {
						token := rows["funcx_service"]
						token.AccessToken, token.RefreshToken, token.ExpiresAt = other.exchange(t, token.RefreshToken)
						if !token.AccessToken.IsZero() {
							rows["funcx_service"] = token
						}
					})
				}}
				slow := w.manager(t)
				if status, err := get(t, slow, listURL); err != nil || status != 200 {
					t.Error(status, err)
				}
				time.Sleep(48 * time.Hour)
				w.transport = nil
				if status, err := get(t, w.manager(t), listURL); err != nil || status != 200 {
					t.Error("the refresh token was lost:", status, err)
				}
			})
		})
	}
}

func TestRenewalAfterLogoutElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.login(t, w.manager(t), auth.Compute)
		time.Sleep(48 * time.Hour)
		w.transport = &meddler{RoundTripper: w.RoundTripper(), meddle: func() {
			w.update(t, func(rows tokenstore.Rows) { clear(rows) })
		}}
		_, err := get(t, w.manager(t), listURL)
		if !errors.Is(err, auth.ErrNotLoggedIn) {
			t.Error(err)
		}
		if rows := read(t, w.compute(), "user/production"); len(rows) != 0 {
			t.Errorf("a refresh brought back %v", shape(rows))
		}
	})
}

func TestRenewalRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.manager(t)
	w.login(t, m, auth.Compute)
	w.RevokeTokens("refresh")
	w.RevokeTokens("access")
	_, err := get(t, m, listURL)
	login, ok := errors.AsType[*auth.LoginError](err)
	if !ok || login.Service != "compute" || !errors.Is(err, auth.ErrNotLoggedIn) || len(login.Next()) != 1 || login.Next()[0].Operation != next.Login {
		t.Fatal(err)
	}
	if want := "the token for funcx_service of client " + chiltepin + " was revoked: by a logout elsewhere, by another login that replaced it, or on the web site of Globus"; login.Reason != want {
		t.Error(login.Reason)
	}
	// From now on it is known without asking, and a login mends it.
	if loggedIn(m, auth.Compute) {
		t.Error("still logged in")
	}
	if result := w.login(t, m, auth.Compute); !slices.Equal(result.Renewed, []string{"compute"}) {
		t.Errorf("renewed %q", result.Renewed)
	}
	if status, err := get(t, m, listURL); err != nil || status != 200 {
		t.Error(status, err)
	}
}

// The other two reasons that Globus Auth has one word for.
func TestRenewalRefusedBecause(t *testing.T) {
	t.Parallel()
	t.Run("six months", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			m := w.manager(t)
			w.login(t, m, auth.Compute)
			time.Sleep(200 * 24 * time.Hour)
			_, err := get(t, m, listURL)
			if login, ok := errors.AsType[*auth.LoginError](err); !ok || login.Reason != "the token for funcx_service of client "+chiltepin+" was not used for six months" {
				t.Error(err)
			}
		})
	})
	t.Run("another client", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		app := w.AddClient(sandbox.Application{Name: "some program"})
		w.env["GLOBUS_COMPUTE_CLIENT_ID"] = app.ID
		w.login(t, w.manager(t), auth.Compute)
		delete(w.env, "GLOBUS_COMPUTE_CLIENT_ID")
		forget(t, w)
		w.ExpireTokens("access")
		m := w.manager(t)
		w.update(t, func(rows tokenstore.Rows) {
			for server, token := range rows {
				token.ExpiresAt = 1
				rows[server] = token
			}
		})
		_, err := get(t, m, listURL)
		want := "the token for funcx_service was issued to a client other than those of the Globus programs (" + strings.Join([]string{sdk, chiltepin, olderChiltepin}, ", ") + "), or was revoked"
		if login, ok := errors.AsType[*auth.LoginError](err); !ok || login.Reason != want {
			t.Error(err)
		}
		// And it never stops our login.
		if result := w.login(t, m, auth.Compute); !slices.Equal(result.Renewed, []string{"compute"}) {
			t.Errorf("renewed %q", result.Renewed)
		}
	})
}

// A network that fails is no reason to be logged out.
func TestRenewalUnreachable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.login(t, w.manager(t), auth.Compute)
		time.Sleep(48 * time.Hour)
		w.transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("the network is down") })
		m := w.manager(t)
		_, err := get(t, m, listURL)
		if err == nil || errors.Is(err, auth.ErrNotLoggedIn) || !loggedIn(m, auth.Compute) {
			t.Error(err)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Rows that another program wrote: the client is found by trying.
func TestForeignTokens(t *testing.T) {
	t.Parallel()
	for _, owner := range []string{sdk, olderChiltepin, chiltepin} {
		t.Run(owner, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.env["GLOBUS_COMPUTE_CLIENT_ID"] = owner
			w.login(t, w.manager(t), auth.Compute)
			delete(w.env, "GLOBUS_COMPUTE_CLIENT_ID")
			forget(t, w)
			m := w.manager(t)
			if status, err := get(t, m, listURL); err != nil || status != 200 {
				t.Fatal(status, err)
			}
			if id, err := m.ProveClient(t.Context(), auth.Compute); err != nil || id != owner {
				t.Fatal(id, err)
			}
			if env, err := m.DaemonEnv(); err != nil || !slices.Equal(env, []string{"GLOBUS_COMPUTE_CLIENT_ID=" + owner}) {
				t.Errorf("DaemonEnv: %q, %v", env, err)
			}
			// Python Chiltepin would be locked out by them: our login renews.
			result := w.login(t, m, auth.Compute)
			if renewed := len(result.Renewed) > 0; renewed != (owner != chiltepin) {
				t.Errorf("renewed: %v", renewed)
			}
			if id, err := m.ProveClient(t.Context(), auth.Compute); err != nil || id != chiltepin {
				t.Error(id, err)
			}
		})
	}
}

// Tokens go to the service they are for and to no other host.
func TestTokensDoNotStray(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.manager(t)
	w.login(t, m, auth.Compute)
	client, err := m.Authorized(t.Context(), auth.Compute)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"http://compute.api.globus.org/v2/version", "https://transfer.api.globus.org/", "https://compute.api.globus.org:8443/", "https://compute.api.globus.org.example.org/"} {
		before := len(w.Journal())
		if _, err := getWith(t.Context(), client, address); err == nil || len(w.Journal()) != before {
			t.Errorf("%s: %v, %d requests", address, err, len(w.Journal())-before)
		}
	}
}
