package log

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever is in a log and wherever a page ends: pages read backwards are the
// log, pages read forwards are the log, and no marker is made up.
func FuzzLog(f *testing.F) {
	f.Add([]byte(aLog), uint8(2), uint16(100))
	f.Add([]byte(aLog), uint8(0), uint16(1))
	f.Add([]byte("\n\n\nno time\n\n2026-11-23 08:00:00,000001 INFO x\n\n\n"), uint8(1), uint16(0))
	f.Add([]byte("2026-13-23 08:00:00,000001 INFO x\r\nhalf"), uint8(3), uint16(9))
	f.Fuzz(func(t *testing.T, data []byte, tail uint8, size uint16) {
		if n := len(data); n > 0 && data[n-1] != '\n' {
			data = append(slices.Clone(data), '\n')
		}
		l := logAt(t, string(data))
		pages := func(cursor string, next func(Page) string) (lines []Record) {
			for range 2 + len(data) {
				page, err := l.Query(t.Context(), Query{Cursor: cursor, Tail: int(tail), MaxBytes: 1 + int(size)})
				if err != nil {
					t.Fatal(err)
				}
				if cursor[0] == 'n' {
					lines = append(lines, page.Records...)
				} else {
					lines = append(slices.Clone(page.Records), lines...)
				}
				if cursor = next(page); cursor == "" {
					return lines
				}
			}
			t.Fatal("it does not come to an end")
			return nil
		}
		file, err := os.Open(l.path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		first, err := cursorAt(file, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		last, err := cursorAt(file, int64(len(data)), true)
		if err != nil {
			t.Fatal(err)
		}
		forward := pages(first.String(), func(p Page) string {
			if !p.More {
				return ""
			}
			return p.Cursor
		})
		backward := pages(last.String(), func(p Page) string { return p.Older })
		if diff := cmp.Diff(forward, backward); diff != "" {
			t.Errorf("forward and backward differ: %s", diff)
		}
		var text strings.Builder
		for _, line := range backward {
			text.WriteString(line.Text + "\n")
			if line.Time.IsZero() != (line.Level == "") {
				t.Errorf("%+v", line)
			}
		}
		if len(data) < maxLine && squeeze(text.String()) != squeeze(string(data)) {
			t.Errorf("the pages are %q, the log is %q", text.String(), data)
		}
		if m, ok, err := l.LastMarker(); err != nil || ok != (len(Markers(data)) > 0) || ok && m.ID != Markers(data)[len(Markers(data))-1].ID {
			t.Errorf("marker %+v, %v, %v", m, ok, err)
		}
	})
}

// squeeze leaves out blank lines, which belong to no record for certain.
func squeeze(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func FuzzCursor(f *testing.F) {
	f.Add("n.10.10.0123456789abcdef")
	f.Add("o.0.0.cbf29ce484222325")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseCursor(s)
		if err != nil {
			return
		}
		if again, err := parseCursor(c.String()); err != nil || again != c {
			t.Errorf("%q became %+v, %v", s, again, err)
		}
	})
}
