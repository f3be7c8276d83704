// Package pytext reads pieces of text as the Python programs do with which
// endpoints share their files. It knows no file.
package pytext

import (
	"strings"
	"unicode"
)

// IsSpace is \s of Python's re for text: Unicode white space and the four
// separators of ASCII that Go does not count.
func IsSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// CanonicalUUID returns what Python's uuid.UUID makes of s, in the usual form,
// or "" where that is an error: 32 hexadecimal digits, whatever hyphens, braces
// and the prefixes "urn:" and "uuid:".
func CanonicalUUID(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "urn:", ""), "uuid:", "")
	s = strings.ToLower(strings.ReplaceAll(strings.Trim(s, "{}"), "-", ""))
	if len(s) != 32 || strings.Trim(s, "0123456789abcdef") != "" {
		return ""
	}
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
