package auth

import (
	"context"
	"time"

	"chiltepin/globus"
	"chiltepin/globus/next"
)

// Ways for a person to log in.
const (
	// Auto chooses between the others.
	Auto = "auto"
	// Browser ends at a page on this machine, which receives the code.
	Browser = "browser"
	// Paste ends at a page of Globus that shows the code to copy.
	Paste = "paste"
)

// LoginOptions say for what to log in, and how a person is asked.
type LoginOptions struct {
	// Services to log in to; empty means all.
	Services []string
	// Force gets new tokens even where the stored ones work, and lets client
	// credentials replace another identity.
	Force bool
	// Method is [Auto], which "" stands for, [Browser] or [Paste].
	Method string
	// Port is the port of the page on this machine, any free one for 0.
	Port int
	// Ask is for a caller with a terminal. It shows url to a person and returns
	// what they paste: the code, or the address of the page with the code. It
	// is called once for each authorization that shows a code, one after the
	// other, and never with client credentials. Where the browser returns the
	// code to a page on this machine, url is empty: Show was called before, and
	// Ask only reads the address of a last page that a browser elsewhere could
	// not open; its ctx ends with the login.
	Ask func(ctx context.Context, url string) (code string, err error)
	// Show shows url to a person, and returns nil once it has. [ErrNotShown]
	// means that it could not; any other error ends the call. With Ask it is
	// called for every login in a browser, without Ask only when no browser was
	// opened on this machine.
	Show func(ctx context.Context, url string) error
	// Confirm asks a person before a doubtful login is stored, and returns nil
	// for a yes. [ErrUnanswered] ends the call, and not the login. Nil is a
	// caller that can ask nobody.
	Confirm func(ctx context.Context, d Doubt) error
	// Flow is the handle of a login that waits for a person, to continue it;
	// Code is what the person pasted. Both are for callers without a terminal.
	Flow, Code string
	// Wait is how long a call without Ask waits for the person before it
	// returns the handle; zero means 20 seconds.
	Wait time.Duration
}

// LoginResult says who is logged in now, and what this login changed.
type LoginResult struct {
	Account
	// Renewed lists the services that got new tokens; the others had working ones.
	Renewed []string
	// Pending is set where the login waits for a person.
	Pending *Pending
}

// Pending is a login that waits for a person.
type Pending struct {
	// Flow is its handle, URL the address that the person opens.
	Flow, URL string
	// Next is what the person does, and then the call that continues.
	Next []next.Step
}

// LogoutOptions say what a logout ends.
type LogoutOptions struct {
	// All ends the tokens of every client and environment in the same stores
	// too, not only those of this login.
	All bool
}

// LogoutResult says what happened to every token.
type LogoutResult struct {
	Tokens []TokenRemoval
	// Left is what was left alone, because it belongs to other clients.
	Left []Left
	// Shared is true where the login serves other directories than the one that
	// was named.
	Shared bool
}

// Left counts the tokens of other clients in a store of ours.
type Left struct {
	// Store is the file, Namespace the part of it.
	Store, Namespace string
	// Tokens is how many resource servers they are for.
	Tokens int
}

// TokenRemoval says what happened to one token in one store.
type TokenRemoval struct {
	// Service is "compute", "transfer" or "academy".
	Service        string
	ResourceServer string
	// Kind is "access" or "refresh".
	Kind string
	// ClientID is the client that the revocation was sent for.
	ClientID string
	// Store is the file.
	Store string
	// Revoked is true when Globus Auth confirmed the revocation.
	Revoked bool
	// Removed is true when it was removed from the file.
	Removed bool
	// Err is why it was not revoked or not removed.
	Err error
	// ValidUntil is when an access token expires; zero for a refresh token,
	// which is valid for six months after its last use.
	ValidUntil time.Time
}

// Account is who is logged in, and for what. It never holds a token.
type Account struct {
	// Shared is true where the directory that was named has no token store of
	// its own, and the login of the default one serves it.
	Shared bool
	// Identity is who, according to the first service whose tokens say so; zero when
	// nobody is logged in, or when no tokens do.
	Identity Identity
	// Services has one entry a service, in the order of [Services].
	Services []ServiceAccount
}

// Identity is a Globus identity.
type Identity struct {
	// ID is its UUID.
	ID string `json:"id"`
	// Username and Name are from the last login, where it returned them.
	Username string `json:"username,omitempty"`
	Name     string `json:"name,omitempty"`
	// Linked are other identities of the same person, as of the last login.
	Linked []Identity `json:"linked,omitempty"`
}

// ServiceAccount is the state of the login to one service.
type ServiceAccount struct {
	Service string
	// Identity is whose tokens they are; zero where they do not say.
	Identity Identity
	// LoggedIn is true when there are tokens that work or can be refreshed.
	LoggedIn bool
	// Problem is why not; nil when there simply are no tokens.
	Problem error
	// ClientID is the client that the tokens were issued to, and
	// ClientProven is false when that is only likely: the stores do not say.
	ClientID     string
	ClientProven bool
	// Store is the file that holds, or would hold, the tokens.
	Store string
	// Namespace is the part of the store.
	Namespace string
	// Tokens has one entry a resource server.
	Tokens []TokenInfo
	// Programs is what other programs would see.
	Programs []ProgramView
	// Demand is what its policy requires of the next login, as far as is known.
	Demand globus.AuthRequirements
}

// TokenInfo describes a token without its text.
type TokenInfo struct {
	ResourceServer string
	Scopes         []string
	// Expires is when the access token expires.
	Expires time.Time
	// Refreshable is true when a new one can be had without a new login.
	Refreshable bool
	// RenewedBy is "refresh_token" or "client_credentials", "" for nothing.
	RenewedBy string
	// Mark tells two access tokens apart; see [tokenstore.Secret.Mark].
	Mark string
}
