package operation

import (
	"fmt"
	"strings"
	"unicode"
)

// Clean makes text from outside (log lines, service messages, process titles)
// safe to show: control characters, escape sequences, direction overrides and
// invisible characters appear as visible escapes instead of doing something.
func Clean(s string) string {
	if !strings.ContainsFunc(s, isHazardous) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isHazardous(r) {
			fmt.Fprintf(&b, `\u{%x}`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// CleanLines is [Clean] for text whose line breaks are meant.
func CleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Clean(line)
	}
	return strings.Join(lines, "\n")
}

// isHazardous is true for characters that change how others are shown, or are
// not shown at all. Tabs are let through.
func isHazardous(r rune) bool {
	return r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == '\uFFFD')
}
