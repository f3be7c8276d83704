package log

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs/internal/regular"
)

// aLog has a record with a traceback, markers within records, and text without
// a time, as release 4.19 writes them.
const aLog = `some program wrote this first
2026-11-23 08:00:00,000001 INFO MainProcess-41 MainThread-139 globus_compute_endpoint.endpoint.core_endpoint:481 start 

========== Core Endpoint begins: 6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11
2026-11-23 08:00:01,500000 DEBUG MainProcess-41 CQS-140 globus_compute_endpoint.endpoint.rabbit_mq.command_queue_subscriber:99 run AMQP thread begins
2026-11-23 08:00:02,000000 ERROR MainProcess-41 Thread-1 (_beat)-141 globus_compute_endpoint.endpoint.core_endpoint:460 _heart_publish_done failed
Traceback (most recent call last):
  File "core_endpoint.py", line 455, in _heart_publish_done
ConnectionError: gone
2026-11-23 08:00:03,000000 WARNING MainProcess-41 MainThread-139 globus_compute_endpoint.cli:1 f careful
2026-11-23 08:00:04,000000 INFO MainProcess-41 MainThread-139 globus_compute_endpoint.endpoint.core_endpoint:566 start Shutdown complete.
---------- Core Endpoint ends: 6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11


`

func logAt(t testing.TB, content ...string) Files {
	t.Helper()
	l := Files{path: filepath.Join(t.TempDir(), "endpoint.log")}
	for i, c := range content {
		path := l.path
		if i > 0 {
			path += ".1"
		}
		if err := os.WriteFile(path, []byte(c), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// brief is each record of a page as the last word of its first line and the
// number of its lines.
func brief(p Page) []string {
	var all []string
	for _, l := range p.Records {
		lines := strings.Split(l.Text, "\n")
		words := strings.Fields(lines[0])
		all = append(all, fmt.Sprintf("%s %s %d", l.Level, words[len(words)-1], len(lines)))
	}
	return all
}

func TestLogQuery(t *testing.T) {
	t.Parallel()
	at := func(sec int) time.Time { return time.Date(2026, 11, 23, 8, 0, sec, 0, time.Local) }
	for name, c := range map[string]struct {
		query Query
		want  []string
		more  bool
	}{
		"all":                  {Query{}, []string{" first 1", "INFO start 3", "DEBUG begins 1", "ERROR failed 4", "WARNING careful 1", "INFO complete. 2"}, false},
		"tail":                 {Query{Tail: 2}, []string{"WARNING careful 1", "INFO complete. 2"}, true},
		"tail of all":          {Query{Tail: 6}, []string{" first 1", "INFO start 3", "DEBUG begins 1", "ERROR failed 4", "WARNING careful 1", "INFO complete. 2"}, false},
		"level":                {Query{Level: "warning"}, []string{" first 1", "ERROR failed 4", "WARNING careful 1"}, false},
		"since":                {Query{Since: at(2)}, []string{"ERROR failed 4", "WARNING careful 1", "INFO complete. 2"}, false},
		"since, later":         {Query{Since: at(5)}, nil, false},
		"grep":                 {Query{Grep: "careful"}, []string{"WARNING careful 1"}, false},
		"grep in a traceback":  {Query{Grep: "^Connection.*gone$"}, []string{"ERROR failed 4"}, false},
		"grep literal in rest": {Query{Grep: "Core Endpoint begins"}, []string{"INFO start 3"}, false},
		"bytes":                {Query{MaxBytes: 320}, []string{"WARNING careful 1", "INFO complete. 2"}, true},
		"bytes, one at least":  {Query{MaxBytes: 1}, []string{"INFO complete. 2"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page, err := logAt(t, aLog).Query(t.Context(), c.query)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, brief(page)); diff != "" {
				t.Error(diff)
			}
			if page.More != c.more || (page.Older != "") != c.more {
				t.Errorf("more is %v with cursor %q, want %v", page.More, page.Older, c.more)
			}
		})
	}
}

func TestLogRecordIsWhole(t *testing.T) {
	t.Parallel()
	page, err := logAt(t, aLog).Query(t.Context(), Query{Level: "ERROR", Tail: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := []Record{{
		Time:  time.Date(2026, 11, 23, 8, 0, 2, 0, time.Local),
		Level: "ERROR",
		Text: "2026-11-23 08:00:02,000000 ERROR MainProcess-41 Thread-1 (_beat)-141 globus_compute_endpoint.endpoint.core_endpoint:460 _heart_publish_done failed\n" +
			"Traceback (most recent call last):\n  File \"core_endpoint.py\", line 455, in _heart_publish_done\nConnectionError: gone",
	}}
	if diff := cmp.Diff(want, page.Records); diff != "" {
		t.Error(diff)
	}
}

// TestLogFollows reads on with the cursor while the log grows, is rotated and
// is replaced.
func TestLogFollows(t *testing.T) {
	t.Parallel()
	l := logAt(t)
	line := func(n int) string {
		return fmt.Sprintf("2026-11-23 08:00:%02d,000000 INFO MainProcess-41 MainThread-139 cli:1 f n%d\n", n, n)
	}
	write := func(s string) {
		t.Helper()
		f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(s); err != nil {
			t.Fatal(err)
		}
	}
	cursor := ""
	step := func(what string, gap bool, want ...string) {
		t.Helper()
		page, err := l.Query(t.Context(), Query{Cursor: cursor})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, brief(page)); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		if page.Gap != gap {
			t.Errorf("%s: gap is %v", what, page.Gap)
		}
		cursor = page.Cursor
	}
	step("no log yet", false)
	write(line(1) + line(2))
	step("it is there", false, "INFO n1 1", "INFO n2 1")
	step("nothing new", false)
	half := line(3)
	write(half[:40])
	step("a line is being written", false)
	write(half[40:] + line(4))
	step("it was written", false, "INFO n3 1", "INFO n4 1")
	write(line(5))
	if err := os.Rename(l.path, l.path+".1"); err != nil {
		t.Fatal(err)
	}
	step("rotated, and no new file yet", false, "INFO n5 1")
	write(line(6))
	step("the new file", false, "INFO n6 1")
	if err := os.WriteFile(l.path, []byte(line(7)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(l.path + ".1"); err != nil {
		t.Fatal(err)
	}
	step("another file in its place", true, "INFO n7 1")
}

func TestLogPagesAcrossRotation(t *testing.T) {
	t.Parallel()
	var old, cur strings.Builder
	for i := range 100 {
		b := &old
		if i >= 40 {
			b = &cur
		}
		fmt.Fprintf(b, "2026-11-23 08:%02d:%02d,000000 INFO MainProcess-41 MainThread-139 cli:1 f n%d\n  more of %d\n", i/60, i%60, i, i)
	}
	l := logAt(t, cur.String(), old.String())
	var got []string
	for cursor, pages := "", 0; ; pages++ {
		page, err := l.Query(t.Context(), Query{Tail: 7, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		got = append(brief(page), got...)
		if cursor = page.Older; cursor == "" {
			break
		}
		if pages > 20 {
			t.Fatal("it does not come to an end")
		}
	}
	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprintf("INFO n%d 2", i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLogQueryRefuses(t *testing.T) {
	t.Parallel()
	l := logAt(t, aLog)
	for _, q := range []Query{{Level: "LOUD"}, {Grep: "("}} {
		if _, err := l.Query(t.Context(), q); err == nil {
			t.Errorf("%+v was accepted", q)
		}
	}
	var bad *CursorError
	for _, c := range []string{"x", "n.1.2", "n.-1.0.0123456789abcdef", "n.1.65.0123456789abcdef", "n.1.1.xx23456789abcdef", "o.99999999999999999999.1.0123456789abcdef"} {
		if _, err := l.Query(t.Context(), Query{Cursor: c}); !errors.As(err, &bad) {
			t.Errorf("cursor %q: %v", c, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Query(ctx, Query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// TestLogHostile reads what no daemon writes: nothing may hang, or be held
// whole in memory.
func TestLogHostile(t *testing.T) {
	t.Parallel()
	head := "2026-11-23 08:00:00,000001 INFO MainProcess-41 MainThread-139 cli:1 f x"
	for name, c := range map[string]struct {
		content string
		want    int // length of the last record's text
	}{
		"one line of 4 MiB":         {strings.Repeat("x", 4<<20), 32 << 10},
		"header and a line of 4 MB": {head + "\n" + strings.Repeat("y", 4<<20) + "\n", len(head) + 1 + 32<<10},
		"a million lines in one":    {head + "\n" + strings.Repeat("zzz\n", 1<<20), len(head) + len("\n[4128768 bytes left out]") + 64<<10},
		"a million blank lines":     {head + "\n" + strings.Repeat("\n", 1<<20), len(head) + len("\n[983040 bytes left out]")},
		"zeros":                     {strings.Repeat("\x00", 1<<20) + "\n" + head, len(head)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page, err := logAt(t, c.content).Query(t.Context(), Query{Tail: 1})
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Records) != 1 || len(page.Records[0].Text) != c.want {
				t.Errorf("got %d records, the last of %d bytes, want one of %d", len(page.Records), len(page.Records[len(page.Records)-1].Text), c.want)
			}
		})
	}
	dir := Files{path: t.TempDir()}
	var format *regular.FormatError
	if _, err := dir.Query(t.Context(), Query{}); !errors.As(err, &format) {
		t.Errorf("a directory: %v", err)
	}
}

// TestLogForwardHostile follows a log into which something else writes.
func TestLogForwardHostile(t *testing.T) {
	t.Parallel()
	head := "2026-11-23 08:00:00,000001 INFO MainProcess-41 MainThread-139 cli:1 f x"
	l := logAt(t, head+"\n")
	page, err := l.Query(t.Context(), Query{})
	if err != nil {
		t.Fatal(err)
	}
	more := strings.Repeat("x", 4<<20) + "\n" + head + "\n" + strings.Repeat("zzz\n", 1<<20)
	if err := os.WriteFile(l.path, []byte(head+"\n"+more), 0o600); err != nil {
		t.Fatal(err)
	}
	if page, err = l.Query(t.Context(), Query{Cursor: page.Cursor}); err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, line := range page.Records {
		sizes = append(sizes, len(line.Text))
	}
	if diff := cmp.Diff([]int{32 << 10, len(head) + len("\n[4128768 bytes left out]") + 64<<10}, sizes); diff != "" {
		t.Error(diff)
	}
}

func TestLogReadFrom(t *testing.T) {
	t.Parallel()
	l := logAt(t)
	if size, err := l.Size(); size != 0 || err != nil {
		t.Error(size, err)
	}
	if data, size, err := l.ReadFrom(5, 10); len(data) != 0 || size != 0 || err != nil {
		t.Error(data, size, err)
	}
	l = logAt(t, "0123456789")
	if l.Path() != l.path {
		t.Error(l.Path())
	}
	if size, err := l.Size(); size != 10 || err != nil {
		t.Error(size, err)
	}
	for _, c := range []struct {
		offset int64
		limit  int
		want   string
	}{{0, 100, "0123456789"}, {4, 100, "456789"}, {0, 3, "789"}, {10, 3, ""}, {11, 100, "0123456789"}, {-1, 1, "9"}} {
		if data, size, err := l.ReadFrom(c.offset, c.limit); string(data) != c.want || size != 10 || err != nil {
			t.Errorf("%+v: %q, %d, %v", c, data, size, err)
		}
	}
}
