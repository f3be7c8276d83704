package endpointfs

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"
)

func entry(call string) JournalEntry {
	return JournalEntry{Time: time.Date(2026, 11, 26, 1, 2, 3, 0, time.UTC), Call: call, Event: Ended, Operation: "endpoint.start", Face: "cli", Endpoint: "mesa", Outcome: "started"}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	d := Open(filepath.Join(t.TempDir(), "gc"))
	j := d.Journal()
	if page, err := j.Read(t.Context()); err != nil || len(page.Entries) != 0 {
		t.Fatal(page, err)
	}
	if j.Exists() {
		t.Error("reading made the directory")
	}
	long := entry("2")
	long.Message, long.Evidence = strings.Repeat("m", 40<<10), []string{strings.Repeat("e", 40<<10)}
	for _, e := range []JournalEntry{entry("1"), long, entry("3")} {
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(data), "\n")
	if want := `{"time":"2026-11-26T01:02:03Z","call":"1","event":"ended","operation":"endpoint.start","face":"cli","endpoint":"mesa","outcome":"started"}`; first != want {
		t.Errorf("the line is %s", first)
	}
	page, err := j.Read(t.Context())
	if err != nil || page.Damaged != 0 || len(page.Entries) != 3 || len(page.Entries[1].Message) != 10<<10 {
		t.Fatalf("%d entries, %d damaged, %v", len(page.Entries), page.Damaged, err)
	}
	for path, want := range map[string]os.FileMode{j.Path(): 0o600, filepath.Dir(j.Path()): 0o700, d.Path(): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

// Half a line, as a killed writer or a full disk leaves it, costs that line
// and no other; modes that somebody widened are narrowed again.
func TestJournalAfterHalfALine(t *testing.T) {
	t.Parallel()
	j := Open(t.TempDir()).Journal()
	if err := j.Append(entry("1")); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(j.Path(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, `{"time":"2026-`)
	f.Close()
	if err := os.Chmod(j.Path(), 0o666); err != nil {
		t.Fatal(err)
	}
	if page, err := j.Read(t.Context()); err != nil || len(page.Entries) != 1 || page.Damaged != 0 {
		t.Errorf("a line that is being written: %+v, %v", page, err)
	}
	if err := j.Append(entry("2")); err != nil {
		t.Fatal(err)
	}
	page, err := j.Read(t.Context())
	if err != nil || len(page.Entries) != 2 || page.Entries[1].Call != "2" || page.Damaged != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	if info, err := os.Stat(j.Path()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// Many processes append across rotations, and no line is lost or broken until
// it is rotated out.
func TestJournalConcurrentWriters(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("JOURNAL_WRITER"); dir != "" {
		e := entry(os.Getenv("JOURNAL_CALL"))
		e.Message = strings.Repeat("m", 8<<10)
		for i := range 40 {
			e.Seconds = float64(i)
			if err := Open(dir).Journal().Append(e); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestJournalConcurrentWriters$")
			cmd.Env = append(os.Environ(), "JOURNAL_WRITER="+dir, fmt.Sprint("JOURNAL_CALL=", i), "GOCOVERDIR="+dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	all.Wait()
	page, err := Open(dir).Journal().Read(t.Context())
	if err != nil || page.Damaged != 0 || len(page.Entries) != 8*40 {
		t.Fatalf("%d entries, %d damaged, %v", len(page.Entries), page.Damaged, err)
	}
	next := map[string]float64{}
	for _, e := range page.Entries {
		if e.Seconds != next[e.Call] {
			t.Fatalf("writer %s: entry %v comes where %v was due", e.Call, e.Seconds, next[e.Call])
		}
		next[e.Call]++
	}
	if _, err := os.Stat(filepath.Join(dir, privateDir, journalFile+".2")); err != nil {
		t.Errorf("320 entries of 8 KiB were not rotated: %v", err)
	}
}

// The journal stays bounded, and the newest entries are there.
func TestJournalRotates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := Open(dir).Journal()
	e := entry("")
	e.Message = strings.Repeat("m", 15<<10)
	for i := range 500 {
		e.Call = fmt.Sprint(i)
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	page, err := j.Read(t.Context())
	if n := len(page.Entries); err != nil || n < 250 || n > 360 || page.Entries[n-1].Call != "499" || page.Entries[0].Call != fmt.Sprint(500-n) {
		t.Errorf("%d entries, %v", n, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, privateDir, "journal.jsonl*"))
	if err != nil || len(files) != 1+journalKept {
		t.Errorf("%v, %v", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Size() > journalSize || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %d bytes, %v, %v", f, info.Size(), info.Mode(), err)
		}
	}
}

// A writer that holds the lock for ever, as a suspended one does, keeps nobody
// from writing.
func TestJournalLockHeld(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := Open(dir).Journal()
	if err := j.Append(entry("1")); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(filepath.Join(dir, privateDir, journalLock))
	if ok, err := lock.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	defer lock.Unlock()
	if err := j.Append(entry("2")); err != nil {
		t.Fatal(err)
	}
	if page, err := j.Read(t.Context()); err != nil || len(page.Entries) != 2 {
		t.Errorf("%+v, %v", page, err)
	}
}

// What cannot be a journal is an error, and nothing waits or follows a link.
func TestJournalNotWritable(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(dir string) error{
		"pipe":         func(dir string) error { return exec.Command("mkfifo", filepath.Join(dir, journalFile)).Run() },
		"directory":    func(dir string) error { return os.Mkdir(filepath.Join(dir, journalFile), 0o700) },
		"link outside": func(dir string) error { return os.Symlink("/dev/null", filepath.Join(dir, journalFile)) },
	} {
		dir := t.TempDir()
		own := filepath.Join(dir, privateDir)
		if err := os.Mkdir(own, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := spoil(own); err != nil {
			t.Fatal(err)
		}
		if err := Open(dir).Journal().Append(entry("1")); err == nil || !strings.HasPrefix(err.Error(), "writing the journal "+own) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A line is an entry that is written as it was read, or it is damaged.
func FuzzParseJournal(f *testing.F) {
	line, err := journalLine(entry("1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(line))
	f.Add(string(line) + "\n\n{}\nx")
	f.Fuzz(func(t *testing.T, text string) {
		entries, damaged := parseJournal([]byte(text))
		if n := strings.Count(text, "\n"); len(entries)+damaged > n {
			t.Fatalf("%d entries and %d damaged in %d lines", len(entries), damaged, n)
		}
		for _, e := range entries {
			e.Time = time.Time{} // has a narrower form
			data, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			again, _ := parseJournal(append(data, '\n'))
			if len(again) != 1 || again[0].Call != e.Call || again[0].Message != e.Message {
				t.Errorf("%s", cmp.Diff([]JournalEntry{e}, again))
			}
		}
	})
}
