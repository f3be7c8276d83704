package tokenstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Token is what a store keeps for one resource server: TokenStorageData of
// globus_sdk/token_storage/token_data.py.
type Token struct {
	// ResourceServer is whom the tokens are for.
	ResourceServer string
	// IdentityID is whose they are; empty where it is not known. All tokens of
	// a namespace must have the same, or none.
	IdentityID string
	// Scope is what they allow, separated by spaces.
	Scope string
	// AccessToken is what a request is signed with, until ExpiresAt, in
	// seconds since 1970.
	AccessToken Secret
	ExpiresAt   int64
	// RefreshToken gets another access token; none for client credentials and
	// for logins that did not ask for one.
	RefreshToken Secret
	// TokenType is "Bearer".
	TokenType string
	// Extra are the members that have no field here, as JSON. They are kept,
	// where the Python programs drop them.
	Extra map[string]string
	// Problem is why the Python programs, which are strict, cannot read this
	// row; the other fields hold what could be made out. It is never written.
	Problem error
}

// Expires is ExpiresAt as a time.
func (t Token) Expires() time.Time { return time.Unix(t.ExpiresAt, 0) }

// Scopes are the words of Scope.
func (t Token) Scopes() []string { return strings.Fields(t.Scope) }

// Equal compares all that is written.
func (t Token) Equal(u Token) bool {
	return t.ResourceServer == u.ResourceServer && t.IdentityID == u.IdentityID && t.Scope == u.Scope &&
		t.AccessToken.Equal(u.AccessToken) && t.ExpiresAt == u.ExpiresAt && t.RefreshToken.Equal(u.RefreshToken) &&
		t.TokenType == u.TokenType && maps.Equal(t.Extra, u.Extra)
}

// encodeJSON writes t as TokenStorageData.to_dict and json.dumps do: the fields in
// their order, those that are None left out, then the extra ones by name.
func (t Token) encodeJSON() []byte {
	o := newOrderedObject()
	o.setMember("resource_server", t.ResourceServer)
	if t.IdentityID != "" {
		o.setMember("identity_id", t.IdentityID)
	}
	o.setMember("scope", t.Scope)
	o.setMember("access_token", t.AccessToken.Reveal())
	if !t.RefreshToken.IsZero() {
		o.setMember("refresh_token", t.RefreshToken.Reveal())
	}
	o.setMember("expires_at_seconds", json.Number(fmt.Sprint(t.ExpiresAt)))
	if t.TokenType != "" {
		o.setMember("token_type", t.TokenType)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Extra)) {
		if value, err := parseJSON([]byte(t.Extra[name])); err == nil {
			o.setMember(name, value)
		}
	}
	return appendJSON(nil, o)
}

// decodeToken reads a row. Whatever is wrong with it is in Problem.
func decodeToken(raw []byte) Token {
	value, err := parseJSON(raw)
	if err != nil {
		return Token{Problem: fmt.Errorf("not JSON: %w", err)}
	}
	return tokenFromValue(value)
}

func tokenFromValue(value any) Token {
	o, ok := value.(*orderedObject)
	if !ok {
		return Token{Problem: errors.New("not a JSON object")}
	}
	var t Token
	var problems []error
	text := func(name string, required bool) string {
		value := o.takeMember(name)
		s, ok := value.(string)
		if !ok && (required || value != nil) {
			problems = append(problems, fmt.Errorf("%s must be a string", name))
		}
		return s
	}
	t.ResourceServer = text("resource_server", true)
	t.IdentityID = text("identity_id", false)
	t.Scope = text("scope", true)
	t.AccessToken = NewSecret(text("access_token", true))
	t.RefreshToken = NewSecret(text("refresh_token", false))
	t.TokenType = text("token_type", false)
	number, _ := o.takeMember("expires_at_seconds").(json.Number)
	if t.ExpiresAt, ok = parseInteger(number); !ok {
		problems = append(problems, errors.New("expires_at_seconds must be an integer"))
	}
	for _, name := range o.names {
		if t.Extra == nil {
			t.Extra = map[string]string{}
		}
		t.Extra[name] = string(appendJSON(nil, o.members[name]))
	}
	t.Problem = errors.Join(problems...)
	return t
}

func parseInteger(n json.Number) (int64, bool) {
	i, err := n.Int64()
	if err != nil {
		return 0, false
	}
	return i, true
}
