package log

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxRecord bounds the text that is kept of one record. Of a longer one the
// first line is kept and the last ones: a traceback tells most at its end.
const maxRecord = 64 << 10

// recordBuilder gathers the lines of one record, in rising order or, for a reverse
// reader, in falling order.
type recordBuilder struct {
	header recordHeader
	headed bool // the first line is one
	first  []byte
	rest   [][]byte
	size   int // of rest, with newlines
	cut    int // bytes of rest that were let go
}

// addOlder takes a line that is before all lines so far, and not the first of
// the record.
func (r *recordBuilder) addOlder(line []byte) {
	n := len(line) + 1
	if r.cut > 0 || r.size+n > maxRecord {
		r.cut += n
		return
	}
	r.rest = append(r.rest, bytes.Clone(line))
	r.size += n
}

// addNewer takes a line that is after all lines so far.
func (r *recordBuilder) addNewer(line []byte) {
	r.rest = append(r.rest, bytes.Clone(line))
	r.size += len(line) + 1
	for r.size > maxRecord && len(r.rest) > 1 {
		r.size -= len(r.rest[0]) + 1
		r.cut += len(r.rest[0]) + 1
		r.rest = r.rest[1:]
	}
}

// joinText joins the lines. Blank lines at the end belong to no one.
func (r *recordBuilder) joinText() string {
	var b strings.Builder
	b.Write(r.first)
	if r.cut > 0 {
		fmt.Fprintf(&b, "\n[%d bytes left out]", r.cut)
	}
	for i, line := range r.rest {
		if i > 0 || r.headed || r.cut > 0 {
			b.WriteByte('\n')
		}
		b.Write(line)
	}
	return strings.TrimRight(b.String(), "\r\n")
}

func (r *recordBuilder) buildRecord() Record {
	l := Record{Text: r.joinText()}
	if r.headed {
		l.Time, l.Level = r.header.writtenAt(), levels[r.header.level]
	}
	return l
}

// filter is what a [Query] asks of a record.
type filter struct {
	since   time.Time
	level   int
	literal []byte // a grep without special characters
	grep    *regexp.Regexp
}

func newFilter(q Query) (filter, error) {
	f := filter{since: q.Since}
	if q.Level != "" {
		if f.level = slices.Index(levels, strings.ToUpper(q.Level)); f.level < 0 {
			return filter{}, fmt.Errorf("level: want one of %s, got %q", strings.Join(levels, ", "), q.Level)
		}
	}
	if q.Grep != "" {
		re, err := regexp.Compile("(?m)" + q.Grep)
		if err != nil {
			return filter{}, fmt.Errorf("grep: want a regular expression: %w", err)
		}
		if literal, whole := re.LiteralPrefix(); whole {
			f.literal = []byte(literal)
		} else {
			f.grep = re
		}
	}
	return f, nil
}

// matchesRecord says whether a record passes. What has no time of its own is as old as
// what follows it, which the caller gives; what has no level passes any. What
// has no text is no record.
func (f *filter) matchesRecord(r *recordBuilder, next recordHeader) bool {
	if !r.headed && len(r.joinText()) == 0 || r.headed && r.header.level < f.level {
		return false
	}
	if !f.since.IsZero() {
		at := next
		if r.headed {
			at = r.header
		}
		if at.writtenAt().Before(f.since) {
			return false
		}
	}
	switch {
	case f.literal == nil && f.grep == nil:
		return true
	case len(r.rest) == 0 && f.literal != nil:
		return bytes.Contains(r.first, f.literal)
	case len(r.rest) == 0:
		return f.grep.Match(r.first)
	case f.literal != nil:
		return strings.Contains(r.joinText(), string(f.literal))
	}
	return f.grep.MatchString(r.joinText())
}
