package tokenstore

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Secret is a token. It prints and encodes as "[secret]", whatever the verb;
// only [Secret.Reveal] shows it. The zero value is no token.
type Secret struct{ value string }

const redacted = "[secret]"

// NewSecret hides value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal is the token itself. It goes into a request, a store or a
// comparison, and nowhere else.
func (s Secret) Reveal() string { return s.value }

// IsZero is true when there is no token.
func (s Secret) IsZero() bool { return s.value == "" }

// Fingerprint tells two tokens apart without showing either: the SHA-256 of
// the token in hexadecimal, empty when there is no token.
func (s Secret) Fingerprint() string {
	if s.value == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(s.value))
	return hex.EncodeToString(sum[:])
}

// String is "[secret]", or empty when there is no token.
func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return redacted
}

// GoString is what %#v prints, as little as [Secret.String].
func (s Secret) GoString() string { return s.String() }

// Format prints the same for every verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// MarshalText is what JSON and every other encoder gets.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
