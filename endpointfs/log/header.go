package log

import (
	"time"
)

// Record is one record of a log: the daemon's line, with the lines that
// follow it and belong to it, such as a traceback.
type Record struct {
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

// levels are the levels of a log in rising order. It is never written to.
var levels = []string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}

// timeLayout is LOG_TS_FMT of logging_config.py.
const timeLayout = "2006-01-02 15:04:05,000000"

// recordHeader is the beginning of a record: when it was written, and how grave it
// is as an index of levels.
type recordHeader struct {
	date  [7]int // year to microsecond
	level int
}

// writtenAt returns when the record was written.
func (h recordHeader) writtenAt() time.Time {
	d := h.date
	return time.Date(d[0], time.Month(d[1]), d[2], d[3], d[4], d[5], d[6]*1000, time.Local)
}

// timeShape is timeLayout with a 0 for each digit.
const timeShape = "0000-00-00 00:00:00,000000 "

// parseHeader reads the first line of a record.
func parseHeader(line []byte) (h recordHeader, ok bool) {
	if len(line) < len(timeShape) || line[4] != '-' {
		return h, false
	}
	field := 0
	for i := range len(timeShape) {
		c := line[i]
		switch {
		case timeShape[i] == '0' && c >= '0' && c <= '9':
			h.date[field] = h.date[field]*10 + int(c-'0')
		case timeShape[i] != c:
			return h, false
		default:
			field++
		}
	}
	d := h.date
	if d[1] < 1 || d[1] > 12 || d[2] < 1 || d[2] > 31 || d[3] > 23 || d[4] > 59 || d[5] > 59 {
		return h, false
	}
	rest := line[len(timeShape):]
	for i, level := range levels {
		if len(rest) > len(level) && rest[len(level)] == ' ' && string(rest[:len(level)]) == level {
			h.level = i
			return h, true
		}
	}
	return h, false
}
