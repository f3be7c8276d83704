package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"chiltepin/globus"
	"chiltepin/globus/tokenstore"
)

// originsFile is our own small file beside the token stores. It records what
// they do not say: which client a token belongs to, and whether Globus Auth has
// refused it. It contains fingerprints of tokens only. Losing it means that
// clients have to be guessed again.
type originsFile struct{ path, lockPath string }

// tokenOrigins is the content of the file.
type tokenOrigins struct {
	// Version is 1.
	Version int `json:"version"`
	// Tokens are by the fingerprint of the refresh token, or of the access
	// token where there is none.
	Tokens map[string]tokenOrigin `json:"tokens,omitempty"`
	// Identities are by their UUID.
	Identities map[string]Identity `json:"identities,omitempty"`
	// Demands are what the policies of services require of the next login, by
	// service.
	Demands map[string]globus.AuthRequirements `json:"demands,omitempty"`
}

type tokenOrigin struct {
	// ClientID is the client that the token is proven to belong to.
	ClientID string `json:"client_id,omitempty"`
	// Refused is why the token no longer works.
	Refused string `json:"refused,omitempty"`
	// Written orders entries by age, in seconds since 1970.
	Written int64 `json:"written"`
}

// maxTokenOrigins limits the size of the file; the oldest entries are dropped
// first. A person has at most a dozen tokens at a time.
const maxTokenOrigins = 200

// readFile never fails: a file that cannot be read counts as empty.
func (l originsFile) readFile() tokenOrigins {
	var p tokenOrigins
	data, err := os.ReadFile(l.path)
	if err != nil || json.Unmarshal(data, &p) != nil || p.Version != 1 {
		p = tokenOrigins{Version: 1}
	}
	if p.Tokens == nil {
		p.Tokens = map[string]tokenOrigin{}
	}
	if p.Identities == nil {
		p.Identities = map[string]Identity{}
	}
	if p.Demands == nil {
		p.Demands = map[string]globus.AuthRequirements{}
	}
	return p
}

// updateFile changes the file. The caller holds the lock.
func (l originsFile) updateFile(change func(*tokenOrigins)) error {
	p := l.readFile()
	before, _ := json.Marshal(p)
	change(&p)
	for len(p.Tokens) > maxTokenOrigins {
		oldest := ""
		for fingerprint, e := range p.Tokens {
			if oldest == "" || e.Written < p.Tokens[oldest].Written {
				oldest = fingerprint
			}
		}
		delete(p.Tokens, oldest)
	}
	data, err := json.Marshal(p)
	if err != nil || string(data) == string(before) {
		return err
	}
	return tokenstore.WriteFile(l.path, append(data, '\n'))
}

// recordToken records something about a token.
func (l originsFile) recordToken(token tokenstore.Token, e tokenOrigin) error {
	return l.updateFile(func(p *tokenOrigins) {
		e.Written = time.Now().Unix()
		p.Tokens[tokenFingerprint(token)] = e
	})
}

// originOf is what is recorded about a token.
func (p tokenOrigins) originOf(token tokenstore.Token) tokenOrigin {
	return p.Tokens[tokenFingerprint(token)]
}

func tokenFingerprint(token tokenstore.Token) string {
	if token.RefreshToken.IsZero() {
		return token.AccessToken.Fingerprint()
	}
	return token.RefreshToken.Fingerprint()
}

// forgetTokens drops tokens and, when none are left, everything else.
func (l originsFile) forgetTokens(tokens []tokenstore.Token) error {
	if _, err := os.Stat(l.path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return l.updateFile(func(p *tokenOrigins) {
		for _, token := range tokens {
			delete(p.Tokens, tokenFingerprint(token))
		}
		if len(p.Tokens) == 0 {
			clear(p.Identities)
			clear(p.Demands)
		}
	})
}

// lockTokens waits for the lock that every process of ours takes before it
// changes tokens, so that no two of them refresh the same one. The Python
// programs do not know this lock; see storeRefreshed.
func (l originsFile) lockTokens(ctx context.Context) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(l.lockPath), 0o700); err != nil {
		return nil, fmt.Errorf("locking the tokens: %w", err)
	}
	lock := flock.New(l.lockPath, flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return nil, fmt.Errorf("locking the tokens: %w", err)
	}
	return func() { lock.Unlock() }, nil
}
