package auth

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// FuzzCode: what a person pastes is an error or one printable word.
func FuzzCode(f *testing.F) {
	f.Add(" abc123 \n")
	f.Add("https://auth.globus.org/v2/web/auth-code?code=abc&state=mine")
	f.Add("https://auth.globus.org/v2/web/auth-code?code=abc&state=other")
	f.Add("https://auth.globus.org/v2/web/auth-code?error=access_denied")
	f.Fuzz(func(t *testing.T, text string) {
		code := parsePasted(text).code
		if checkCodeFormat(code) != nil {
			return
		}
		if code == "" || len(code) > 2048 || strings.ContainsFunc(code, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("%q gave %q", text, code)
		}
	})
}

// FuzzToken: a token out of an answer is an error or has what a store needs.
func FuzzToken(f *testing.F) {
	f.Add(`{"access_token": "a", "resource_server": "r", "scope": "s", "expires_in": 172800, "token_type": "Bearer"}`)
	f.Add(`{"access_token": "a", "resource_server": "r", "expires_in": -1e308}`)
	f.Add(`{"access_token": null, "refresh_token": {}}`)
	now := time.Unix(1_700_000_000, 0)
	f.Fuzz(func(t *testing.T, text string) {
		var members map[string]any
		if json.Unmarshal([]byte(text), &members) != nil {
			return
		}
		row, err := parseToken(members, now)
		if err != nil {
			return
		}
		if row.ResourceServer == "" || row.AccessToken.IsZero() || row.ExpiresAt < now.Unix() || row.ExpiresAt > now.Unix()+1<<31 {
			t.Fatalf("%s gave %+v", text, row)
		}
	})
}
