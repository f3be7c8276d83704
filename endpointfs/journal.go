package endpointfs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"chiltepin/endpointfs/internal/regular"
)

// The journal of a configuration directory is .chiltepin/journal.jsonl: one
// JSON object a line, appended by every operation that may change something,
// when it begins and when it ends. At [journalSize] it becomes
// journal.jsonl.1, that one .2, and so on; [journalKept] of them are kept.
const (
	journalFile = "journal.jsonl"
	journalLock = "journal.lock"
	journalSize = 1 << 20
	journalKept = 4
	// maxEntry bounds a line. Text that makes it longer is cut by the writer.
	maxEntry = 16 << 10
	// journalPatience is how long a writer waits for another one. A writer
	// that was suspended must not keep operations from going on: after that an
	// entry is appended without the lock, and nothing is rotated.
	journalPatience = time.Second
)

// Events of a [JournalEntry].
const (
	// Began: the operation passed its checks of arguments and is under way.
	Began = "began"
	// Ended: it is over, one way or another.
	Ended = "ended"
)

// JournalEntry is one line of the journal. It never holds a secret: whoever
// makes one puts in no argument but names, switches, numbers and durations.
type JournalEntry struct {
	Time      time.Time       `json:"time"`
	Call      string          `json:"call"`  // the same in the two entries of one call
	Event     string          `json:"event"` // [Began] or [Ended]
	Operation string          `json:"operation"`
	Face      string          `json:"face,omitempty"` // "cli", "mcp", "rpc"
	User      string          `json:"user,omitempty"` // of the operating system
	Host      string          `json:"host,omitempty"`
	PID       int             `json:"pid,omitempty"` // of the chiltepin that did it
	Version   string          `json:"version,omitempty"`
	Endpoint  string          `json:"endpoint,omitempty"`
	ID        string          `json:"id,omitempty"` // UUID of the endpoint
	Arguments json.RawMessage `json:"arguments,omitempty"`
	// Of the end: what was done, the evidence of it, or why it failed.
	Outcome  string   `json:"outcome,omitempty"`
	Evidence []string `json:"evidence,omitempty"`
	Code     string   `json:"code,omitempty"` // of the error
	Message  string   `json:"message,omitempty"`
	Seconds  float64  `json:"seconds,omitempty"`
}

// JournalFile is the journal of a configuration directory. It is safe for
// concurrent use, by any number of processes and machines too.
type JournalFile struct{ dir *Dir }

// JournalFile returns the journal of the directory. It does not touch the disk.
func (d *Dir) Journal() JournalFile { return JournalFile{d} }

// Path returns the path of the file that is appended to.
func (j JournalFile) Path() string { return filepath.Join(j.dir.path, privateDir, journalFile) }

// Exists says whether the configuration directory is there, so that an entry
// needs no new one.
func (j JournalFile) Exists() bool { return pathExists(j.dir.path) }

// Append adds one entry, on a line of its own whatever was there before. The
// entry is in the file when it returns; it is not forced to the disk.
func (j JournalFile) Append(e JournalEntry) error {
	line, err := journalLine(e)
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	if err := j.appendLine(line); err != nil {
		return fmt.Errorf("writing the journal %s: %w", j.Path(), err)
	}
	return nil
}

func (j JournalFile) appendLine(line []byte) error {
	own := filepath.Join(j.dir.path, privateDir)
	if err := makeDir(own); err != nil {
		return err
	}
	root, err := os.OpenRoot(own)
	if err != nil {
		return err
	}
	defer root.Close()
	release := lockJournal(filepath.Join(own, journalLock))
	if release != nil {
		defer release()
		if info, err := root.Lstat(journalFile); err == nil && info.Size()+int64(len(line)) > journalSize {
			if err := rotateJournal(root); err != nil {
				return err
			}
		}
	}
	f, err := root.OpenFile(journalFile, os.O_RDWR|os.O_CREATE|os.O_APPEND|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return regular.NotRegular(j.Path(), "no file")
	}
	if info.Mode().Perm() != 0o600 {
		if err := f.Chmod(0o600); err != nil {
			return err
		}
	}
	// A writer that was killed, or a disk that was full, may have left half a
	// line.
	if last := []byte{'\n'}; info.Size() > 0 {
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	// One write, so that lines stay whole even where nothing locks.
	n, err := f.Write(line)
	if err != nil && n > 0 && release != nil {
		_ = f.Truncate(info.Size())
	}
	return err
}

// lockJournal takes the lock of the journal's writers and returns how to give
// it back; nil when it cannot be had in time or at all.
func lockJournal(path string) (release func()) {
	if err := makeFile(path); err != nil {
		return nil
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDWR))
	ctx, cancel := context.WithTimeout(context.Background(), journalPatience)
	defer cancel()
	if ok, err := lock.TryLockContext(ctx, journalPatience/100); err != nil || !ok {
		return nil
	}
	return func() { _ = lock.Unlock() }
}

// rotateJournal moves every file one further and the last one out.
func rotateJournal(root *os.Root) error {
	for i := journalKept; i > 0; i-- {
		err := root.Rename(journalName(i-1), journalName(i))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func journalName(i int) string {
	if i == 0 {
		return journalFile
	}
	return journalFile + "." + strconv.Itoa(i)
}

// journalLine encodes an entry. What is too long for a line loses its evidence
// and its arguments, and then the end of its message.
func journalLine(e JournalEntry) ([]byte, error) {
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	for {
		var line bytes.Buffer
		enc := json.NewEncoder(&line)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(e); err != nil {
			return nil, err
		}
		switch {
		case line.Len() <= maxEntry:
			return line.Bytes(), nil
		case e.Evidence != nil || e.Arguments != nil:
			e.Evidence, e.Arguments = nil, nil
		case e.Message != "":
			e.Message = e.Message[:len(e.Message)/2]
		default:
			return nil, errors.New("the entry is too long")
		}
	}
}

// JournalPage is a piece of the journal.
type JournalPage struct {
	// Entries are the entries, oldest first.
	Entries []JournalEntry
	// Damaged is how many lines are no entries.
	Damaged int
}

// Read returns the whole journal, its rotated files included: at most 5 MiB. A
// journal that is not there is empty.
func (j JournalFile) Read(ctx context.Context) (JournalPage, error) {
	var page JournalPage
	// So that nothing is rotated between two reads. Reading makes no file.
	if path := filepath.Join(j.dir.path, privateDir, journalLock); pathExists(path) {
		lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
		limited, cancel := context.WithTimeout(ctx, journalPatience)
		defer cancel()
		if ok, err := lock.TryRLockContext(limited, journalPatience/100); err == nil && ok {
			defer lock.Unlock()
		}
	}
	for i := journalKept; i >= 0; i-- {
		if err := ctx.Err(); err != nil {
			return JournalPage{}, err
		}
		data, _, err := regular.Read(filepath.Join(j.dir.path, privateDir, journalName(i)), 2*journalSize)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return JournalPage{}, err
		}
		entries, damaged := parseJournal(data)
		page.Entries = append(page.Entries, entries...)
		page.Damaged += damaged
	}
	return page, nil
}

// parseJournal reads lines. The last one may still be being written: without
// its end it counts for nothing.
func parseJournal(data []byte) (entries []JournalEntry, damaged int) {
	for {
		line, rest, whole := bytes.Cut(data, []byte{'\n'})
		if !whole {
			return entries, damaged
		}
		data = rest
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var e JournalEntry
		dec := json.NewDecoder(bytes.NewReader(line))
		err := dec.Decode(&e)
		if _, more := dec.Token(); err == nil && more == io.EOF && e.Call != "" && e.Operation != "" && (e.Event == Began || e.Event == Ended) {
			entries = append(entries, e)
		} else {
			damaged++
		}
	}
}
