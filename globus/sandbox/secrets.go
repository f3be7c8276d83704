package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// newSecret returns 32 random bytes for a token, a code or a password.
func newSecret(prefix string) string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// masker gives every secret a short stable label and writes the label wherever
// the secret would show.
type masker struct {
	mu     sync.Mutex
	labels map[string]string
	counts map[string]int
}

func newMasker() *masker {
	return &masker{labels: map[string]string{}, counts: map[string]int{}}
}

// labelSecret labels secret as the next of its kind, such as "access#3".
func (m *masker) labelSecret(kind, secret string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[kind]++
	label := fmt.Sprintf("%s#%d", kind, m.counts[kind])
	m.labels[secret] = label
	return label
}

// labelOf returns the label of secret, or "unknown" for one that the sandbox never made.
func (m *masker) labelOf(secret string) string {
	if secret == "" {
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if label, ok := m.labels[secret]; ok {
		return label
	}
	return "unknown"
}

// isSecretKey reports whether the values under a name are never written, known
// or not.
func isSecretKey(key string) bool {
	switch strings.ToLower(key) {
	case "code", "code_verifier", "access_token", "refresh_token", "id_token", "token",
		"client_secret", "password", "secret", "client_assertion":
		return true
	}
	return false
}

const (
	maskDepth = 4
	maskText  = 120
)

// maskValue returns v as the journal may show it: secrets as labels, long texts as
// their length, deep structures cut.
func (m *masker) maskValue(key string, v any, depth int) any {
	switch v := v.(type) {
	case string:
		switch {
		case isSecretKey(key):
			return m.labelOf(v)
		case m.labelOf(v) != "unknown":
			return m.labelOf(v)
		case len(v) > maskText || strings.ContainsRune(v, '\n'):
			return fmt.Sprintf("<%d characters>", utf8.RuneCountInString(v))
		}
		return v
	case map[string]any:
		if depth >= maskDepth {
			return fmt.Sprintf("<%d members>", len(v))
		}
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = m.maskValue(k, e, depth+1)
		}
		return out
	case []any:
		if depth >= maskDepth || len(v) > 20 {
			return fmt.Sprintf("<%d items>", len(v))
		}
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = m.maskValue(key, e, depth+1)
		}
		return out
	}
	return v
}

// maskForm returns a query or a form as the journal may show it.
func (m *masker) maskForm(values url.Values) map[string]any {
	if len(values) == 0 {
		return nil
	}
	out := make(map[string]any, len(values))
	for k, vs := range values {
		out[k] = m.maskValue(k, strings.Join(vs, " "), 0)
	}
	return out
}

// Leaks returns the labels of the secrets in text, sorted: every token, code,
// client secret and password that this sandbox ever gave out. It is for tests
// that scan what a program showed.
func (s *Sandbox) Leaks(text string) []string {
	s.masker.mu.Lock()
	defer s.masker.mu.Unlock()
	var found []string
	for secret, label := range s.masker.labels {
		if strings.Contains(text, secret) {
			found = append(found, label)
		}
	}
	slices.Sort(found)
	return found
}
