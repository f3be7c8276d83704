package sandbox

import (
	"context"
	"encoding/json"
	"io"
	"sync"
)

// journalKeeps bounds what a long-lived sandbox remembers; the file has all.
const journalKeeps = 100_000

type journal struct {
	masker *masker

	mu      sync.Mutex
	w       io.Writer
	seq     int
	entries []Entry
	grown   chan struct{} // closed and replaced at each entry
}

func newJournal(w io.Writer, m *masker) *journal {
	return &journal{w: w, masker: m, grown: make(chan struct{})}
}

func (j *journal) addEntry(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seq++
	e.Seq = j.seq
	if len(j.entries) == journalKeeps {
		j.entries = append(j.entries[:0:0], j.entries[journalKeeps/2:]...)
	}
	j.entries = append(j.entries, e)
	if j.w != nil {
		// A journal that cannot be written must not stop the services.
		if line, err := json.Marshal(e); err == nil {
			_, _ = j.w.Write(append(line, '\n'))
		}
	}
	close(j.grown)
	j.grown = make(chan struct{})
}

func (j *journal) allEntries() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Entry(nil), j.entries...)
}

// entriesSince returns the entries after seq and a channel that closes at the next.
func (j *journal) entriesSince(seq int) ([]Entry, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := len(j.entries)
	for first > 0 && j.entries[first-1].Seq > seq {
		first--
	}
	return append([]Entry(nil), j.entries[first:]...), j.grown
}

// Await returns the first entry after seq that match accepts, waiting for it
// if need be. It ends with ctx's error, or io.ErrClosedPipe when the sandbox
// is closed. seq is 0 for "since the beginning" or another entry's Seq.
func (s *Sandbox) Await(ctx context.Context, seq int, match func(Entry) bool) (Entry, error) {
	for {
		entries, grown := s.journal.entriesSince(seq)
		for _, e := range entries {
			if match(e) {
				return e, nil
			}
			seq = e.Seq
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return Entry{}, ctx.Err()
		case <-s.closing:
			return Entry{}, io.ErrClosedPipe
		}
	}
}
