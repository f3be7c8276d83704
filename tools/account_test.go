package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"chiltepin/tools/operation"

	"github.com/google/go-cmp/cmp"

	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/next"
)

// fakeAccounts answers as told and records what it was asked.
type fakeAccounts struct {
	login  func(context.Context, auth.LoginOptions) (auth.LoginResult, error)
	who    auth.Account
	ended  []auth.LogoutOptions
	result auth.LogoutResult
}

func (f *fakeAccounts) Login(ctx context.Context, o auth.LoginOptions) (auth.LoginResult, error) {
	return f.login(ctx, o)
}

func (f *fakeAccounts) Logout(_ context.Context, o auth.LogoutOptions) (auth.LogoutResult, error) {
	f.ended = append(f.ended, o)
	return f.result, nil
}

func (f *fakeAccounts) Whoami(context.Context) (auth.Account, error) { return f.who, nil }

func (f *fakeAccounts) services(states ...endpoint.State) Services {
	eps := &listed{fakeEndpoints: &fakeEndpoints{}}
	for i, state := range states {
		eps.list = append(eps.list, endpoint.Status{Name: string(rune('a' + i)), State: state})
	}
	return Services{
		Accounts:  func(context.Context, string) (Accounts, error) { return f, nil },
		Endpoints: func(context.Context, Place) (Endpoints, error) { return eps, nil },
	}
}

type listed struct {
	*fakeEndpoints
	list []endpoint.Status
}

func (l *listed) List(context.Context) ([]endpoint.Status, error) { return l.list, nil }

func call(t *testing.T, s Services, ctx context.Context, name, args string) (string, *operation.Error) {
	t.Helper()
	for tool := range All(s).All() {
		if tool.Name == name {
			res, err := tool.Call(ctx, json.RawMessage(args))
			var e *operation.Error
			if err != nil && !errors.As(err, &e) {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if err == nil {
				if err := res.WriteText(&operation.Printer{Writer: &text}); err != nil {
					t.Fatal(err)
				}
			}
			return text.String(), e
		}
	}
	t.Fatalf("no operation %s", name)
	return "", nil
}

// A login hands its arguments on, and what it came to is told.
func TestLoginArguments(t *testing.T) {
	t.Parallel()
	var got auth.LoginOptions
	f := &fakeAccounts{login: func(_ context.Context, o auth.LoginOptions) (auth.LoginResult, error) {
		got = o
		return auth.LoginResult{Pending: &auth.Pending{Flow: "f", URL: "https://x", Next: []next.Step{next.Do("go on")}}}, nil
	}}
	text, err := call(t, f.services(), t.Context(), "login", `{"services":["academy"],"method":"browser","port":8765,"force":true,"flow":"f","code":"c"}`)
	if err != nil || text != "The login waits for a person:\n\n  https://x\n\ngo on\n" {
		t.Errorf("%q, %v", text, err)
	}
	if got.Method != "browser" || got.Port != 8765 || !got.Force || got.Flow != "f" || got.Code != "c" || got.Ask != nil || got.Show != nil || len(got.Services) != 1 {
		t.Errorf("%+v", got)
	}
	for _, args := range []string{`{"port":80}`, `{"method":"telepathy"}`, `{"port":"x"}`} {
		if _, err := call(t, f.services(), t.Context(), "login", args); err == nil || err.Code != operation.CodeInvalid {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// What a face says when it shows an address is final where it is an [*Error],
// and otherwise means that it could not.
func TestShowing(t *testing.T) {
	t.Parallel()
	for want, said := range map[string]error{"refused": &operation.Error{Code: operation.CodeRefused, Message: "no"}, "not shown": errors.New("no window"), "": nil} {
		ctx := operation.WithShow(t.Context(), func(context.Context, string) error { return said })
		f := &fakeAccounts{login: func(ctx context.Context, o auth.LoginOptions) (auth.LoginResult, error) {
			err := o.Show(ctx, "https://x")
			if got := errors.Is(err, auth.ErrNotShown); got != (want == "not shown") {
				t.Errorf("%v", err)
			}
			if want == "not shown" {
				err = nil
			}
			return auth.LoginResult{}, err
		}}
		if _, err := call(t, f.services(), ctx, "login", `{}`); (err != nil) != (want == "refused") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// A logout is refused while endpoints run, unless it is forced.
func TestLogoutBesideEndpoints(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		states  []endpoint.State
		args    string
		message string
	}{
		{[]endpoint.State{endpoint.Stopped, endpoint.Initialized, endpoint.Disconnected, endpoint.Unknown}, `{}`, ""},
		{[]endpoint.State{endpoint.Stopped, endpoint.Running}, `{}`, "nothing was done: endpoint b runs and needs the login"},
		{[]endpoint.State{endpoint.Starting, endpoint.Running}, `{}`, "nothing was done: 2 endpoints run and need the login"},
		{[]endpoint.State{endpoint.Running}, `{"force":true,"all":true}`, ""},
	} {
		f := &fakeAccounts{result: auth.LogoutResult{Left: []auth.Left{{Store: "/s", Namespace: "n", Tokens: 2}}}}
		ctx := operation.WithConsent(t.Context(), func(context.Context, operation.Question) error { return nil })
		text, err := call(t, f.services(test.states...), ctx, "logout", test.args)
		if test.message == "" {
			if err != nil || len(f.ended) != 1 || f.ended[0].All != (test.args != "{}") || text != "Nobody was logged in\n  left alone: tokens of another client for 2 services, in /s\n" {
				t.Errorf("%v: %v, %q", test.states, err, text)
			}
			continue
		}
		if err == nil || err.Code != operation.CodeConflict || err.Message != test.message || len(f.ended) != 0 {
			t.Errorf("%v: %v", test.states, err)
		}
	}
}

// A logout that takes a login from others asks first, and says what is at stake.
func TestLogoutAsks(t *testing.T) {
	t.Parallel()
	const (
		lose   = "endpoints that run lose the login that they need"
		all    = ", and that cannot be undone. Log out nevertheless?"
		others = "tokens of other programs and clients in the same stores are revoked too"
	)
	for _, test := range []struct {
		state          endpoint.State
		args, question string
	}{
		{endpoint.Stopped, `{}`, ""},
		{endpoint.Stopped, `{"force":true}`, "Log out, even while endpoints run?"},
		{endpoint.Running, `{"force":true}`, "E" + lose[1:] + all},
		{endpoint.Stopped, `{"all":true}`, "T" + others[1:] + all},
		{endpoint.Running, `{"force":true,"all":true}`, "E" + lose[1:] + ", and " + others + all},
	} {
		f := &fakeAccounts{}
		asked := ""
		ctx := operation.WithConsent(t.Context(), func(_ context.Context, q operation.Question) error {
			asked = q.Text
			return operation.Declined(q)
		})
		_, err := call(t, f.services(test.state), ctx, "logout", test.args)
		if asked != test.question || (err == nil) != (asked == "") || len(f.ended) != 0 != (asked == "") {
			t.Errorf("%s %s: asked %q, %v, %v", test.state, test.args, asked, err, f.ended)
		}
		catalog := All(f.services(test.state))
		offer, offerErr := operation.Policy{NoDestructive: true}.Offer(catalog)
		if offerErr != nil {
			t.Fatal(offerErr)
		}
		f.ended, asked = nil, ""
		_, offerErr = offer.Call(ctx, catalog.Lookup("logout"), []byte(test.args))
		if (offerErr == nil) != (test.question == "") || asked != "" || (len(f.ended) == 0) != (test.question != "") {
			t.Errorf("%s under --no-destructive: %v, asked %q, ended %v", test.args, offerErr, asked, f.ended)
		}
	}
}

// What whoami tells a person.
func TestWhoamiText(t *testing.T) {
	t.Parallel()
	f := &fakeAccounts{who: auth.Account{
		Identity: auth.Identity{ID: "1", Username: "ada@example.org", Linked: []auth.Identity{{ID: "2", Username: "ada@lab.example"}}},
		Services: []auth.ServiceAccount{{
			Service: "compute", LoggedIn: true, Demand: globus.AuthRequirements{MFA: true},
			Tokens: []auth.TokenInfo{{ResourceServer: "funcx_service", Refreshable: true}},
			Programs: []auth.ProgramView{
				{Program: "one", LoggedIn: true}, {Program: "two"},
				{Program: "three", LoggedIn: true, Until: time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local), Next: []next.Step{next.Do("set X=y in the environment")}},
				{Program: "four", LoggedIn: true, Until: time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local), Next: []next.Step{next.Do("set X=y in the environment")}},
			},
		}, {Service: "transfer"}},
	}}
	text, err := call(t, f.services(), t.Context(), "whoami", `{}`)
	want := `Not logged in to every service
  linked    ada@lab.example
  compute   logged in, renewed by itself
            its policy asks for a login with a second factor
  transfer  not logged in
three and four: until 2026-01-02 03:04:05 only; to refresh the tokens after that, set X=y in the environment
`
	if diff := cmp.Diff(want, text); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// A doubtful login is put to the person with both identities; a face that has to
// end its call for that keeps the login waiting.
func TestConfirmLogin(t *testing.T) {
	t.Parallel()
	doubt := auth.Doubt{Identity: auth.Identity{ID: "2", Username: "eve@example.org"}, Stranger: true, Replaces: auth.Identity{ID: "1", Username: "ada@example.org"}, Store: "/s"}
	postponed := (&operation.Error{Code: operation.CodeRefused, Message: "later"}).Because(operation.ErrPostponed)
	for _, answer := range []error{nil, errors.New("no"), postponed} {
		var asked operation.Question
		ctx := operation.WithConsent(t.Context(), func(_ context.Context, q operation.Question) error {
			asked = q
			return answer
		})
		err := confirmLogin("/d")(ctx, doubt)
		if (err == nil) != (answer == nil) || errors.Is(err, auth.ErrUnanswered) != (answer == error(postponed)) {
			t.Errorf("%v: %v", answer, err)
		}
		want := operation.Question{Operation: "login", Subject: "eve@example.org", ID: "2 1", ConfigDir: "/d", Late: true,
			Text: "Somebody has logged in as eve@example.org. This machine does not tell whose browser that was. The tokens in /s are those of ada@example.org; they would be replaced and revoked. Are you eve@example.org, and is this your login?"}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Error(diff)
		}
	}
}
