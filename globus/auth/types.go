package auth

import (
	"context"
	"time"
)

// LoginOptions say for what to log in, and how a person is asked.
type LoginOptions struct {
	// Services to log in to; empty means all.
	Services []string
	// Force gets new tokens even where there are some that work, and lets
	// another identity take the place of the one that is logged in.
	Force bool
	// Ask shows url to a person and returns the code that the page at its end
	// shows to them. It is called once for each authorization, one after the
	// other, and not at all with client credentials. Nil means that nobody
	// can be asked.
	Ask func(ctx context.Context, url string) (code string, err error)
}

// LoginResult tells who is logged in now, and what this login changed.
type LoginResult struct {
	Account
	// Renewed lists the services that got new tokens; the others had some.
	Renewed []string
}

// LogoutOptions are for what later releases will ask.
type LogoutOptions struct{}

// LogoutResult tells what became of every token.
type LogoutResult struct {
	Tokens []TokenRemoval
}

// TokenRemoval is what became of one token in one store.
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
	// Revoked is true when Globus Auth confirmed that the token is dead.
	Revoked bool
	// Removed is true when it is gone from the file.
	Removed bool
	// Err is why it was not revoked or not removed.
	Err error
	// ValidUntil is when an access token ends by itself; zero for a refresh
	// token, which lives for six months after its last use.
	ValidUntil time.Time
}

// Account is who is logged in, and for what. It never holds a token.
type Account struct {
	// Identity is who, according to the first service that tells; zero when
	// nobody is logged in, or when the tokens do not say.
	Identity Identity
	// Services has one entry a service, in the order of [Services].
	Services []ServiceAccount
}

// Identity is a Globus identity.
type Identity struct {
	// ID is its UUID.
	ID string `json:"id"`
	// Username and Name are known where the last login told them.
	Username string `json:"username,omitempty"`
	Name     string `json:"name,omitempty"`
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
}

// TokenInfo tells about tokens without showing them.
type TokenInfo struct {
	ResourceServer string
	Scopes         []string
	// Expires is when the access token ends.
	Expires time.Time
	// Refreshable is true when a new one comes without a new login.
	Refreshable bool
}
