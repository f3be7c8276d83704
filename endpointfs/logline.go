package endpointfs

import (
	"bytes"
	"slices"
	"time"
)

// LogLine is one record of a log: the daemon's line, with the lines that
// follow it and belong to it, such as a traceback.
type LogLine struct {
	// Time is when the daemon wrote it, by its clock and in its zone, which
	// is taken to be this machine's. It is zero for text that some other
	// program has written to the log.
	Time time.Time
	// Level is DEBUG, INFO, WARNING, ERROR or CRITICAL; empty where Time is
	// zero.
	Level string
	// Text is the record as it stands, lines separated by newlines. It is
	// written by others and may hold anything.
	Text string
}

// Levels are the levels of a log in rising order.
func Levels() []string { return slices.Clone(levels) }

// levels is never written to.
var levels = []string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}

// timeLayout is LOG_TS_FMT of logging_config.py.
const timeLayout = "2006-01-02 15:04:05,000000"

// header is the beginning of a record: when it was written, and how grave it
// is as an index of levels.
type header struct {
	time  time.Time
	level int
}

// isHeader says, without the cost of reading it, whether a line looks like the
// first of a record.
func isHeader(line []byte) bool {
	return len(line) > len(timeLayout) && line[0] >= '0' && line[0] <= '9' &&
		line[4] == '-' && line[7] == '-' && line[10] == ' ' && line[13] == ':' && line[16] == ':' && line[19] == ',' && line[26] == ' '
}

// parseHeader reads the first line of a record.
func parseHeader(line []byte) (header, bool) {
	if !isHeader(line) {
		return header{}, false
	}
	word, _, ok := bytes.Cut(line[len(timeLayout)+1:], []byte(" "))
	level := slices.IndexFunc(levels, func(l string) bool { return l == string(word) })
	if !ok || level < 0 {
		return header{}, false
	}
	t, err := time.ParseInLocation(timeLayout, string(line[:len(timeLayout)]), time.Local)
	return header{t, level}, err == nil
}
