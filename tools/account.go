package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"chiltepin/tools/operation"

	"chiltepin/globus/auth"
	"chiltepin/globus/endpoint"
	"chiltepin/globus/next"
)

// Accounts is what the operations on logins need. [auth.Manager] is one.
type Accounts interface {
	Login(context.Context, auth.LoginOptions) (auth.LoginResult, error)
	Logout(context.Context, auth.LogoutOptions) (auth.LogoutResult, error)
	Whoami(context.Context) (auth.Account, error)
}

// LoginArgs are the arguments of login.
type LoginArgs struct {
	Services []string `json:"services,omitempty" enum:"compute,transfer,academy" jsonschema:"services to log in to; all if not given"`
	Method   string   `json:"method,omitempty" enum:"auto,browser,paste" jsonschema:"browser: the browser returns to a page on this machine; paste: Globus shows a code to paste; default: chosen automatically"`
	Port     int      `json:"port,omitempty" min:"1024" max:"65535" jsonschema:"port of that page, for a forwarded port"`
	Force    bool     `json:"force,omitempty" jsonschema:"get new tokens even where the stored ones work"`
	Flow     string   `json:"flow,omitempty" cli:"-" jsonschema:"handle of a pending login"`
	Code     string   `json:"code,omitempty" cli:"-" jsonschema:"the code, or the address of the last page"`
	ConfigDirArg
}

// LogoutArgs are the arguments of logout.
type LogoutArgs struct {
	Force bool `json:"force,omitempty" jsonschema:"log out even while endpoints run"`
	All   bool `json:"all,omitempty" jsonschema:"end tokens of other clients too"`
	ConfigDirArg
}

// WhoamiArgs are the arguments of whoami.
type WhoamiArgs struct{ ConfigDirArg }

func accountTools(s Services) []*operation.Tool {
	return []*operation.Tool{
		operation.Define(operation.Spec{
			Name:    "login",
			Title:   "Log in",
			Summary: "Log in to the Globus services that Chiltepin uses",
			Doc: `Gets tokens for Globus Compute, Globus Transfer and the Academy exchange, and keeps
them where the Python programs look, which are then logged in too.

A person needs a browser. One on this machine returns to chiltepin by itself; with one on
another machine, the person pastes the code that the page shows. No person is needed where
GLOBUS_COMPUTE_CLIENT_ID and GLOBUS_COMPUTE_CLIENT_SECRET are set. A login asks only for
what is missing, or what a policy requires.`,
			Effect:   operation.Idempotent,
			Examples: []string{"chiltepin login", "chiltepin login --services compute", "chiltepin login --method browser --port 8765", "chiltepin login --force"},
			Errors:   []operation.Code{operation.CodeUnavailable, operation.CodeRefused, operation.CodeTimeout, operation.CodeNotLoggedIn, operation.CodeConflict},
		}, func(ctx context.Context, in LoginArgs) (LoginReport, error) {
			accounts, err := s.Accounts(ctx, in.ConfigDir)
			if err != nil {
				return LoginReport{}, err
			}
			res, err := accounts.Login(ctx, auth.LoginOptions{
				Services: in.Services, Force: in.Force, Method: in.Method, Port: in.Port, Flow: in.Flow, Code: in.Code,
				Ask: operation.Prompt(ctx), Show: showAddress(ctx), Confirm: confirmLogin(in.ConfigDir),
			})
			if err != nil {
				return LoginReport{}, err
			}
			return loginReport(res), nil
		}),
		operation.Define(operation.Spec{
			Name:    "logout",
			Title:   "Log out",
			Summary: "Revoke every Globus token kept here and remove it",
			Doc: `Revokes every access and refresh token at Globus Auth, then removes it from every store.
Refused while endpoints run, unless --force is given; tokens of other
clients are left alone, unless --all is given. When Globus Auth cannot be reached the
local tokens are removed nevertheless, and the result tells which stay valid until when.
With --force or --all a person is asked first.`,
			Effect:     operation.Idempotent,
			DestroysBy: []string{"force", "all"},
			Examples:   []string{"chiltepin logout", "chiltepin logout --force", "chiltepin logout --all"},
			Errors:     []operation.Code{operation.CodeUnavailable, operation.CodeConflict, operation.CodeRefused},
		}, func(ctx context.Context, in LogoutArgs) (LogoutReport, error) {
			accounts, err := s.Accounts(ctx, in.ConfigDir)
			if err != nil {
				return LogoutReport{}, err
			}
			if err := consentToLogout(ctx, s, in); err != nil {
				return LogoutReport{}, err
			}
			res, err := accounts.Logout(ctx, auth.LogoutOptions{All: in.All})
			if err != nil {
				return LogoutReport{}, err
			}
			return logoutReport(res), nil
		}),
		operation.Define(operation.Spec{
			Name:    "whoami",
			Title:   "Who is logged in",
			Summary: "Tell who is logged in, for what and until when",
			Doc: `Tells identities, client, scopes, expiry, what renews each token, and what other programs
would see. Uses no network; no token is refreshed or shown.`,
			Effect:   operation.Reads,
			Examples: []string{"chiltepin whoami", "chiltepin whoami --json"},
			Errors:   []operation.Code{operation.CodeNotLoggedIn},
		}, func(ctx context.Context, in WhoamiArgs) (Account, error) {
			accounts, err := s.Accounts(ctx, in.ConfigDir)
			if err != nil {
				return Account{}, err
			}
			res, err := accounts.Whoami(ctx)
			if err != nil {
				return Account{}, err
			}
			a := accountResult(res)
			if !anyLoggedIn(a.Services) {
				return Account{}, &operation.Error{Code: operation.CodeNotLoggedIn, Message: "nobody is logged in", Next: callOf(next.Login, nil, "")}
			}
			return a, nil
		}),
	}
}

// showAddress is how a login shows its address. What a face says with an [*Error]
// is final; anything else is a person who could not be reached.
func showAddress(ctx context.Context) func(context.Context, string) error {
	show := operation.Show(ctx)
	if show == nil {
		return nil
	}
	return func(ctx context.Context, url string) error {
		err := show(ctx, url)
		if e := (*operation.Error)(nil); err == nil || errors.As(err, &e) || ctx.Err() != nil {
			return err
		}
		return fmt.Errorf("%w: %w", auth.ErrNotShown, err)
	}
}

func loginReport(r auth.LoginResult) LoginReport {
	out := LoginReport{Outcome: "already_logged_in", Account: accountResult(r.Account)}
	switch {
	case r.Pending != nil:
		out.Outcome, out.Pending = "pending", &PendingLogin{Flow: r.Pending.Flow, URL: r.Pending.URL, Next: nextSteps(r.Pending.Next)}
	case len(r.Renewed) > 0:
		out.Outcome = "logged_in"
	}
	return out
}

func anyLoggedIn(list []ServiceAccount) bool {
	for _, s := range list {
		if s.LoggedIn {
			return true
		}
	}
	return false
}

// accountResult puts what auth knows into the words of the wire.
func accountResult(a auth.Account) Account {
	out := Account{LoggedIn: true, Shared: a.Shared, Services: []ServiceAccount{}}
	if a.Identity.ID != "" {
		out.Identity = &Identity{ID: a.Identity.ID, Username: a.Identity.Username, Name: a.Identity.Name}
		for _, i := range a.Identity.Linked {
			out.Identity.Linked = append(out.Identity.Linked, LinkedIdentity{ID: i.ID, Username: i.Username})
		}
	}
	for _, s := range a.Services {
		svc := ServiceAccount{Service: s.Service, LoggedIn: s.LoggedIn, ClientID: s.ClientID, Store: s.Store, Demand: s.Demand.String()}
		if s.Problem != nil {
			svc.Problem = s.Problem.Error()
		}
		for _, t := range s.Tokens {
			svc.Tokens = append(svc.Tokens, TokenSummary{ResourceServer: t.ResourceServer, Scopes: append([]string{}, t.Scopes...), Expires: t.Expires.UTC(), Refreshable: t.Refreshable, RenewedBy: t.RenewedBy, Mark: t.Mark})
		}
		for _, v := range s.Programs {
			view := ProgramView{Program: v.Program, LoggedIn: v.LoggedIn, Next: nextSteps(v.Next)}
			if !v.Until.IsZero() {
				until := v.Until.UTC()
				view.Until = &until
			}
			svc.Programs = append(svc.Programs, view)
		}
		out.LoggedIn = out.LoggedIn && s.LoggedIn
		out.Services = append(out.Services, svc)
	}
	return out
}

// consentToLogout is an error for a logout that must not be: endpoints need the
// login and nobody accepts that they lose it, or nobody agrees to end what
// another client's programs use.
func consentToLogout(ctx context.Context, s Services, in LogoutArgs) error {
	err := requireUnneeded(ctx, s, in.ConfigDir)
	if !in.Force && err != nil {
		return err
	}
	var stake []string
	if refused := (*operation.Error)(nil); in.Force && errors.As(err, &refused) && refused.Code == operation.CodeConflict {
		stake = append(stake, "endpoints that run lose the login that they need")
	}
	if in.All {
		stake = append(stake, "tokens of other programs and clients in the same stores are revoked too")
	}
	if len(stake) == 0 && !in.Force {
		return nil
	}
	text := "Log out, even while endpoints run?"
	if len(stake) > 0 {
		text = capitalize(strings.Join(stake, ", and ")) + ", and that cannot be undone. Log out nevertheless?"
	}
	return operation.Consent(ctx, operation.Question{Operation: "logout", Subject: "logout", ConfigDir: in.ConfigDir, Unattended: true, Text: text})
}

// capitalize makes a word the beginning of a sentence.
func capitalize(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// requireUnneeded is an error while an endpoint runs that could not start again, nor
// take a task in its user's name, without the login. An endpoint that cannot be
// judged keeps nobody logged in.
func requireUnneeded(ctx context.Context, s Services, configDir string) error {
	eps, err := s.Endpoints(ctx, Place{ConfigDir: configDir})
	if err != nil {
		return err
	}
	list, _ := eps.List(ctx)
	if configDir != "" {
		// A login may serve the default directory too.
		if eps, err := s.Endpoints(ctx, Place{}); err == nil {
			more, _ := eps.List(ctx)
			list = append(list, more...)
		}
	}
	var running []string
	for _, e := range list {
		switch e.State {
		case endpoint.Running, endpoint.Starting, endpoint.Stopping:
			running = append(running, e.Name)
		}
	}
	if len(running) == 0 {
		return nil
	}
	what := "endpoint " + running[0] + " runs and needs"
	if n := len(running); n > 1 {
		what = fmt.Sprintf("%d endpoints run and need", n)
	}
	return &operation.Error{Code: operation.CodeConflict, Message: "nothing was done: " + what + " the login", Next: callOf(next.EndpointStop, next.Args{"name": running[0]}, "stop it first")}
}

func logoutReport(r auth.LogoutResult) LogoutReport {
	out := LogoutReport{Tokens: []TokenRemoval{}, Shared: r.Shared}
	for _, l := range r.Left {
		out.Left = append(out.Left, LeftAlone(l))
	}
	for _, t := range r.Tokens {
		removal := TokenRemoval{Service: t.Service, ResourceServer: t.ResourceServer, Kind: t.Kind, Store: t.Store, Revoked: t.Revoked, Removed: t.Removed}
		if t.Err != nil {
			removal.Problem = t.Err.Error()
		}
		if !t.ValidUntil.IsZero() && !t.Revoked {
			until := t.ValidUntil.UTC()
			removal.ValidUntil = &until
		}
		out.Tokens = append(out.Tokens, removal)
	}
	return out
}
