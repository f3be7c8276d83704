package tokenstore

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Secret is a token. It prints and encodes as "[secret]", whatever the verb;
// only [Secret.Reveal] shows it. The zero value is no token. Secrets are
// compared with [Secret.Equal]: == is never true of two that were made apart.
type Secret struct {
	// A pointer, so that fmt, which cannot call methods on what it reaches
	// through unexported fields, prints an address and not the token.
	value *string
}

const redacted = "[secret]"

// NewSecret hides value; an empty one is no token.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{&value}
}

// Reveal is the token itself. It goes into a request, a store or a
// comparison, and nowhere else.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero is true when there is no token.
func (s Secret) IsZero() bool { return s.value == nil }

// Equal is true when both are the same token, or none.
func (s Secret) Equal(t Secret) bool { return s.Reveal() == t.Reveal() }

// Fingerprint tells two tokens apart without showing either: the SHA-256 of
// the token in hexadecimal, empty when there is no token.
func (s Secret) Fingerprint() string {
	if s.IsZero() {
		return ""
	}
	sum := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(sum[:])
}

// Mark tells two tokens apart to a person, and gives away no more than four
// characters of either: six hexadecimal digits of the SHA-256 of the last four;
// empty when there is no token.
func (s Secret) Mark() string {
	value := s.Reveal()
	if value == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(value[max(0, len(value)-4):]))
	return hex.EncodeToString(sum[:3])
}

// String is "[secret]", or empty when there is no token.
func (s Secret) String() string {
	if s.IsZero() {
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
