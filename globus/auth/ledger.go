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

// ledger is our own small file beside the stores. It remembers what they do
// not say: which client a token belongs to, and whether Globus Auth has refused
// it. It knows tokens by their fingerprints alone, so losing it costs a guess
// and reading it gives nothing away.
type ledger struct{ path, lock string }

// page is what is in the file.
type page struct {
	// Version is 1.
	Version int `json:"version"`
	// Tokens are by the fingerprint of the refresh token, or of the access
	// token where there is none.
	Tokens map[string]entry `json:"tokens,omitempty"`
	// Identities are by their UUID.
	Identities map[string]Identity `json:"identities,omitempty"`
	// Demands are what services ask of the next login, by service.
	Demands map[string]globus.Demand `json:"demands,omitempty"`
}

type entry struct {
	// ClientID is the client that the token is proven to belong to.
	ClientID string `json:"client_id,omitempty"`
	// Refused is the reason why the token does not work any more.
	Refused string `json:"refused,omitempty"`
	// Written orders entries by age, in seconds since 1970.
	Written int64 `json:"written"`
}

// maxEntries bounds the file; the oldest go first. Nobody has more than a
// dozen tokens at a time.
const maxEntries = 200

// read never fails: a ledger that cannot be read is an empty one.
func (l ledger) read() page {
	var p page
	data, err := os.ReadFile(l.path)
	if err != nil || json.Unmarshal(data, &p) != nil || p.Version != 1 {
		p = page{Version: 1}
	}
	if p.Tokens == nil {
		p.Tokens = map[string]entry{}
	}
	if p.Identities == nil {
		p.Identities = map[string]Identity{}
	}
	if p.Demands == nil {
		p.Demands = map[string]globus.Demand{}
	}
	return p
}

// update changes the file. The caller holds the lock.
func (l ledger) update(change func(*page)) error {
	p := l.read()
	before, _ := json.Marshal(p)
	change(&p)
	for len(p.Tokens) > maxEntries {
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

// note remembers something about a token.
func (l ledger) note(token tokenstore.Token, e entry) error {
	return l.update(func(p *page) {
		e.Written = time.Now().Unix()
		p.Tokens[fingerprint(token)] = e
	})
}

// of is what is known about a token.
func (p page) of(token tokenstore.Token) entry { return p.Tokens[fingerprint(token)] }

func fingerprint(token tokenstore.Token) string {
	if token.RefreshToken.IsZero() {
		return token.AccessToken.Fingerprint()
	}
	return token.RefreshToken.Fingerprint()
}

// forget drops tokens and, when none are left, everything.
func (l ledger) forget(tokens []tokenstore.Token) error {
	if _, err := os.Stat(l.path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return l.update(func(p *page) {
		for _, token := range tokens {
			delete(p.Tokens, fingerprint(token))
		}
		if len(p.Tokens) == 0 {
			clear(p.Identities)
			clear(p.Demands)
		}
	})
}

// acquire waits for the lock that all of our processes take before they change
// tokens, so that two of them never refresh the same one. The Python programs
// do not know it; see store.
func (l ledger) acquire(ctx context.Context) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(l.lock), 0o700); err != nil {
		return nil, fmt.Errorf("locking the tokens: %w", err)
	}
	lock := flock.New(l.lock, flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return nil, fmt.Errorf("locking the tokens: %w", err)
	}
	return func() { lock.Unlock() }, nil
}
