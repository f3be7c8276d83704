package log

import (
	"bytes"
	"testing"
)

func TestWrittenBy(t *testing.T) {
	t.Parallel()
	const (
		ours   = "2026-11-23 08:00:00,000001 INFO MainProcess-41 MainThread-139 cli:1 f \n\n========== Core Endpoint begins: x\n"
		theirs = "2026-11-23 08:00:00,000002 ERROR MainProcess-42 MainThread-139 cli:1 f gives way\n  because of us\n"
		forked = "2026-11-23 08:00:00,000003 ERROR ForkProcess-41-43 MainThread-139 cli:1 f a child\n"
		loose  = "Traceback\n"
		plain  = "2026-11-23 08:00:00,000004 ERROR somebody's words\n"
		odd    = "2026-11-23 08:00:00,000005 ERROR MainProcess-x MainThread-139 cli:1 f whose?\n"
	)
	for _, row := range []struct {
		data, own string
		others    bool
	}{
		{"", "", false},
		{ours, ours, false},
		{theirs, "", true},
		{loose + theirs + loose + ours + loose, loose + ours + loose, true},
		{ours + forked + loose + plain + odd, ours + plain + odd, true},
	} {
		own, others := WrittenBy(41, []byte(row.data))
		if string(own) != row.own || others != row.others {
			t.Errorf("WrittenBy(%q) = %q, %v, want %q, %v", row.data, own, others, row.own, row.others)
		}
	}
}

// What is left is some of the lines, in their order, and all of them where
// nobody else wrote; looking again changes nothing.
func FuzzWrittenBy(f *testing.F) {
	f.Add([]byte("2026-11-23 08:00:00,000001 INFO MainProcess-41 MainThread-139 cli:1 f x\n more\n"))
	f.Add([]byte("2026-11-23 08:00:00,000001 INFO MainProcess-42 MainThread-139 cli:1 f x\n more"))
	f.Add([]byte("2026-11-23 08:00:00,000001 INFO Process--1 "))
	f.Fuzz(func(t *testing.T, data []byte) {
		own, others := WrittenBy(41, data)
		if !others && !bytes.Equal(own, data) {
			t.Errorf("nobody else wrote, and %q is left of %q", own, data)
		}
		rest := data
		for line := range bytes.Lines(own) {
			i := bytes.Index(rest, line)
			if i < 0 {
				t.Fatalf("%q is not in %q", line, rest)
			}
			rest = rest[i+len(line):]
		}
		if again, others := WrittenBy(41, own); others || !bytes.Equal(again, own) {
			t.Errorf("a second look leaves %q of %q", again, own)
		}
	})
}
