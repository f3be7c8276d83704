package tools

import (
	"time"

	"chiltepin/tools/operation"
)

// Account is who is logged in, and for what. It never holds a token.
type Account struct {
	LoggedIn bool             `json:"logged_in" jsonschema:"true when every service asked for has usable tokens"`
	Identity *Identity        `json:"identity,omitempty" jsonschema:"who"`
	Shared   bool             `json:"shared,omitempty" jsonschema:"true when the directory has no token store of its own, and the login of the default directory serves it"`
	Services []ServiceAccount `json:"services" jsonschema:"one entry a service"`
}

// LoginReport is what a login came to.
type LoginReport struct {
	Outcome string        `json:"outcome" enum:"logged_in,already_logged_in,pending" jsonschema:"what this call did; pending waits for a person"`
	Pending *PendingLogin `json:"pending,omitempty" jsonschema:"the login that waits for a person"`
	Account
}

// PendingLogin is a login that waits for a person.
type PendingLogin struct {
	Flow string           `json:"flow" jsonschema:"its handle"`
	URL  string           `json:"url" jsonschema:"what the person opens in a browser"`
	Next []operation.Next `json:"next" jsonschema:"how to continue"`
}

// Identity is a Globus identity.
type Identity struct {
	ID       string           `json:"id" jsonschema:"UUID of the identity"`
	Username string           `json:"username,omitempty" jsonschema:"its user name, where it is known"`
	Name     string           `json:"name,omitempty" jsonschema:"the person's name, where it is known"`
	Linked   []LinkedIdentity `json:"linked,omitempty" jsonschema:"other identities of the same person, as of the last login"`
}

// LinkedIdentity is another identity of the same person.
type LinkedIdentity struct {
	ID       string `json:"id" jsonschema:"UUID of the identity"`
	Username string `json:"username,omitempty" jsonschema:"its user name"`
}

// ServiceAccount is the state of the login to one service.
type ServiceAccount struct {
	Service  string         `json:"service" jsonschema:"compute, transfer or academy"`
	LoggedIn bool           `json:"logged_in" jsonschema:"true when there are tokens that work or can be refreshed"`
	Problem  string         `json:"problem,omitempty" jsonschema:"why not"`
	ClientID string         `json:"client_id,omitempty" jsonschema:"the client the tokens were issued to"`
	Store    string         `json:"store,omitempty" jsonschema:"the file that holds the tokens"`
	Tokens   []TokenSummary `json:"tokens,omitempty" jsonschema:"one entry a resource server"`
	Programs []ProgramView  `json:"programs,omitempty" jsonschema:"what other programs, started as they are, would see"`
	Demand   string         `json:"demand,omitempty" jsonschema:"what its policy asks of the next login, as far as it has said"`
}

// ProgramView is what another program would make of the tokens.
type ProgramView struct {
	Program  string           `json:"program" jsonschema:"its name"`
	LoggedIn bool             `json:"logged_in" jsonschema:"true when it takes them for a login"`
	Until    *time.Time       `json:"until,omitempty" jsonschema:"when its access ends, because it would renew as another client"`
	Next     []operation.Next `json:"next,omitempty" jsonschema:"what to do so that it can"`
}

// TokenSummary tells about tokens without showing them.
type TokenSummary struct {
	ResourceServer string    `json:"resource_server" jsonschema:"what they are for"`
	Scopes         []string  `json:"scopes" jsonschema:"what they allow"`
	Expires        time.Time `json:"expires" jsonschema:"when the access token ends"`
	Refreshable    bool      `json:"refreshable" jsonschema:"true when a new one comes without a new login"`
	RenewedBy      string    `json:"renewed_by,omitempty" enum:"refresh_token,client_credentials" jsonschema:"what gets a new one"`
	Mark           string    `json:"mark" jsonschema:"tells two tokens apart: a hash of the last four characters"`
}

// LogoutReport is what became of every token.
type LogoutReport struct {
	Tokens []TokenRemoval `json:"tokens" jsonschema:"one entry a token"`
	Left   []LeftAlone    `json:"left,omitempty" jsonschema:"tokens of other clients in the same stores, which were left alone"`
	Shared bool           `json:"shared,omitempty" jsonschema:"true when the login that ended served the default directory and every other one without a token store of its own"`
}

// LeftAlone tells about tokens of other clients.
type LeftAlone struct {
	Store     string `json:"store" jsonschema:"the file"`
	Namespace string `json:"namespace" jsonschema:"the part of it"`
	Tokens    int    `json:"tokens" jsonschema:"how many resource servers they are for"`
}

// TokenRemoval is what became of one token.
type TokenRemoval struct {
	Service        string     `json:"service" jsonschema:"compute, transfer or academy"`
	ResourceServer string     `json:"resource_server" jsonschema:"what the token was for"`
	Kind           string     `json:"kind" enum:"access,refresh" jsonschema:"which token"`
	Store          string     `json:"store" jsonschema:"the file it was in"`
	Revoked        bool       `json:"revoked" jsonschema:"true when Globus Auth confirmed that it is dead"`
	Removed        bool       `json:"removed" jsonschema:"true when it is gone from the file"`
	Problem        string     `json:"problem,omitempty" jsonschema:"what went wrong with it"`
	ValidUntil     *time.Time `json:"valid_until,omitempty" jsonschema:"until when an unrevoked access token still works"`
}

// RuntimeStatus is which globus-compute-endpoint would be taken, and which
// others were seen.
type RuntimeStatus struct {
	Runtime    *RuntimeReference  `json:"runtime,omitempty" jsonschema:"the one that would be taken; absent when there is none"`
	Outcome    string             `json:"outcome,omitempty" enum:"installed,already_installed" jsonschema:"what this call did, for calls that do something"`
	Candidates []RuntimeCandidate `json:"candidates,omitempty" jsonschema:"all that were looked at, in the order of preference"`
}

// RuntimeCandidate is one place where a runtime was looked for.
type RuntimeCandidate struct {
	Path    string `json:"path" jsonschema:"the program or the place"`
	Source  string `json:"source" jsonschema:"which rule led there"`
	Version string `json:"version,omitempty" jsonschema:"its version, where it could be read"`
	Usable  bool   `json:"usable" jsonschema:"true when it can be used"`
	Problem string `json:"problem,omitempty" jsonschema:"why it cannot"`
}
