package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"chiltepin/tools/operation"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"

	"chiltepin/endpointfs"
	"chiltepin/globus/endpoint"
)

// fakeJournal keeps entries, and fails when err is set.
type fakeJournal struct {
	entries []endpointfs.JournalEntry
	missing bool
	err     error
}

func (f *fakeJournal) Append(e endpointfs.JournalEntry) error {
	if f.err == nil {
		f.entries = append(f.entries, e)
	}
	return f.err
}
func (f *fakeJournal) Read(context.Context) (endpointfs.JournalPage, error) {
	return endpointfs.JournalPage{Entries: f.entries}, f.err
}
func (f *fakeJournal) Exists() bool { return !f.missing }
func (f *fakeJournal) Path() string { return "/etc/gc/.chiltepin/journal.jsonl" }

// noting is mesa with a journal.
func noting(f *fakeEndpoints, j *fakeJournal) *operation.Catalog {
	s := f.services()
	s.Journal = func(_ context.Context, dir string) (Journal, error) {
		if dir == "/nowhere" {
			return nil, errors.New("no home")
		}
		return j, nil
	}
	return All(s)
}

// TestJournalEntries holds what is written about a call, and that free text of
// arguments is not, for it could be a code or a password.
func TestJournalEntries(t *testing.T) {
	t.Parallel()
	began := func(op, args string) endpointfs.JournalEntry {
		e := endpointfs.JournalEntry{Event: "began", Operation: op, Face: "mcp", Endpoint: "mesa"}
		if args != "" {
			e.Arguments = json.RawMessage(args)
		}
		return e
	}
	for _, tt := range []struct {
		tool, args string
		err        error
		want       []endpointfs.JournalEntry
	}{
		{"endpoint.start", `{"name":"mesa","timeout":"5s","runtime":"/opt/hush"}`, nil, []endpointfs.JournalEntry{
			began("endpoint.start", `{"timeout":"5s"}`),
			{Event: "ended", Operation: "endpoint.start", Face: "mcp", Endpoint: "mesa", ID: fakeID, Outcome: "started", Evidence: []string{"Running: seen"}},
		}},
		{"endpoint.configure", `{"name":"mesa","display_name":"hush","email":"hush@example.org"}`, nil, []endpointfs.JournalEntry{
			began("endpoint.configure", ""),
			{Event: "ended", Operation: "endpoint.configure", Face: "mcp", Endpoint: "mesa", Outcome: "configured", Evidence: []string{"wrote config.yaml in /etc/gc/mesa"}},
		}},
		{"endpoint.delete", `{"name":"mesa","force":true}`, nil, []endpointfs.JournalEntry{
			began("endpoint.delete", `{"force":true}`),
			{Event: "ended", Operation: "endpoint.delete", Face: "mcp", Endpoint: "mesa", ID: fakeID, Outcome: "deleted", Evidence: []string{"directory: done"}},
		}},
		{"endpoint.start", `{"name":"mesa"}`, errors.New("boom"), []endpointfs.JournalEntry{
			began("endpoint.start", ""),
			{Event: "ended", Operation: "endpoint.start", Face: "mcp", Endpoint: "mesa", Outcome: "failed", Code: "internal", Message: "boom"},
		}},
		{"endpoint.start", `{"name":"mesa"}`, &endpoint.DaemonError{Name: "mesa", ExitStatus: 73, Lines: []string{"hush"}}, []endpointfs.JournalEntry{
			began("endpoint.start", ""),
			{Event: "ended", Operation: "endpoint.start", Face: "mcp", Endpoint: "mesa", Outcome: "failed", Code: "failed", Message: `starting endpoint "mesa": the daemon ended with exit status 73`, Evidence: []string{"the daemon's exit status: 73"}},
		}},
		{"endpoint.stop", `{"name":"mesa"}`, context.Canceled, []endpointfs.JournalEntry{
			began("endpoint.stop", ""),
			{Event: "ended", Operation: "endpoint.stop", Face: "mcp", Endpoint: "mesa", Outcome: "interrupted", Code: "canceled", Message: "interrupted"},
		}},
		{"endpoint.status", `{"name":"mesa"}`, nil, nil},
		{"endpoint.start", `{"name":"mesa","timeout":"soon"}`, nil, nil},
	} {
		journal := &fakeJournal{}
		cat := noting(&fakeEndpoints{err: tt.err}, journal)
		ctx := operation.WithConsent(operation.WithFace(t.Context(), "mcp"), func(context.Context, operation.Question) error { return nil })
		_, _ = cat.Lookup(tt.tool).Call(ctx, json.RawMessage(tt.args))
		diff := cmp.Diff(tt.want, journal.entries, cmpopts.IgnoreFields(endpointfs.JournalEntry{}, "Time", "Call", "Seconds"))
		if diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.tool, tt.args, diff)
		}
		if n := len(journal.entries); n == 2 && (journal.entries[0].Call == "" || journal.entries[0].Call != journal.entries[1].Call) {
			t.Errorf("%s: the entries do not belong together", tt.tool)
		}
	}
}

// TestJournalNeverFails wants an operation done whose journal cannot be
// written, and the log to say so, once.
func TestJournalNeverFails(t *testing.T) {
	t.Parallel()
	for args, journal := range map[string]*fakeJournal{
		`{"name":"mesa"}`:                         {err: errors.New("disk full")},
		`{"name":"mesa","config_dir":"/nowhere"}`: {},
	} {
		fake := &fakeEndpoints{}
		var log bytes.Buffer
		ctx := zerolog.New(&log).WithContext(t.Context())
		if _, err := noting(fake, journal).Lookup("endpoint.start").Call(ctx, json.RawMessage(args)); err != nil || len(fake.changed) != 1 {
			t.Errorf("%s: %v, %v", args, fake.changed, err)
		}
		if strings.Count(log.String(), "the journal could not be written") != 1 {
			t.Errorf("%s: the log says %q", args, log.String())
		}
	}
}

// A call that failed makes no directory for the journal; one that did
// something does.
func TestJournalMakesNoDirectory(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want int
	}{{errors.New("boom"), 0}, {nil, 1}} {
		journal := &fakeJournal{missing: true}
		_, _ = noting(&fakeEndpoints{err: tt.err}, journal).Lookup("endpoint.start").Call(t.Context(), json.RawMessage(`{"name":"mesa"}`))
		if len(journal.entries) != tt.want {
			t.Errorf("%v: %d entries, want %d", tt.err, len(journal.entries), tt.want)
		}
	}
}

// TestHistory holds how entries become calls: a call without its end is
// unfinished, and what a caller narrows is left out.
func TestHistory(t *testing.T) {
	t.Parallel()
	journal := &fakeJournal{}
	cat := noting(&fakeEndpoints{}, journal)
	journal.entries = []endpointfs.JournalEntry{{Call: "killed", Event: "began", Operation: "endpoint.start", Endpoint: "mesa", Face: "cli", Arguments: json.RawMessage(`{"timeout":"5s","now":true}`)}}
	for range 30 {
		if _, err := cat.Lookup("endpoint.configure").Call(t.Context(), json.RawMessage(`{"name":"other"}`)); err != nil {
			t.Fatal(err)
		}
	}
	for args, want := range map[string]struct {
		n    int
		more bool
	}{
		`{"name":"mesa","tail":50}`:               {31, false}, // the fake configures mesa, whatever it is told
		`{"operation":"endpoint.start","tail":5}`: {1, false},
		`{"tail":2}`:                       {2, true},
		`{"tail":50}`:                      {31, false},
		`{"since":"2001-01-01","tail":50}`: {30, false}, // the first has no time
		`{"name":"` + fakeID + `"}`:        {0, false},
	} {
		res, err := cat.Lookup("history").Call(t.Context(), json.RawMessage(args))
		if err != nil {
			t.Fatal(err)
		}
		conforms(t, cat.Lookup("history"), res.JSON)
		var h History
		if err := json.Unmarshal(res.JSON, &h); err != nil {
			t.Fatal(err)
		}
		if args == `{"operation":"endpoint.start","tail":5}` && (h.Calls[0].Outcome != "unfinished" || strings.Join(h.Calls[0].Arguments, " ") != "now=true timeout=5s") {
			t.Errorf("a call without an end: %+v", h.Calls[0])
		}
		if len(h.Calls) != want.n || h.More != want.more {
			t.Errorf("%s: %d calls, more %v; want %+v", args, len(h.Calls), h.More, want)
		}
	}
	// Nobody gave a size, and the answer is given once: it is small.
	res, err := cat.Lookup("history").Call(t.Context(), nil)
	if err != nil || len(res.JSON) > 2000 || !strings.Contains(string(res.JSON), `"more":true`) {
		t.Errorf("%d bytes, %v", len(res.JSON), err)
	}
}
