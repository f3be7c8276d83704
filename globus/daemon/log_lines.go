package daemon

import (
	"strings"
	"time"
)

// SplitLines returns the lines of a log that are not empty, none too long.
func SplitLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n\t ")
		if line == "" {
			continue
		}
		if len(line) > 2000 {
			line = strings.ToValidUTF8(line[:2000], "") + "…"
		}
		lines = append(lines, line)
	}
	return lines
}

// parseLineTime is when a line was written, zero for a line that does not say.
func parseLineTime(line string) time.Time {
	const layout = "2006-01-02 15:04:05,000000"
	t, err := time.ParseInLocation(layout, line[:min(len(layout), len(line))], time.Local)
	if err != nil {
		return time.Time{}
	}
	return t
}
