package sandbox

import (
	"slices"
	"strings"
)

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
