package tools

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"chiltepin/tools/operation"

	"github.com/rs/zerolog"

	"chiltepin/endpointfs"
)

// Journal is where an operation that may change something is noted when it
// begins and when it ends. It says by itself who is at work and where.
type Journal interface {
	// Append adds an entry.
	Append(endpointfs.JournalEntry) error
	// Read returns all entries there are, oldest first.
	Read(context.Context) (endpointfs.JournalPage, error)
	// Exists says whether there is a directory to keep it in.
	Exists() bool
	// Path is its file.
	Path() string
}

// noter is a result that knows what the journal is to say about it.
type noter interface {
	note(*endpointfs.JournalEntry)
}

// idle is an argument object that may ask for nothing to be changed.
type idle interface{ idle() bool }

// withJournal notes that an operation begins and how it ends, where open has a
// journal. One that cannot be written is said in the log, and is never a reason
// for the operation to fail.
func withJournal(t *operation.Tool, open func(context.Context, string) (Journal, error)) func(operation.Handler) operation.Handler {
	return func(do operation.Handler) operation.Handler {
		return func(ctx context.Context, args json.RawMessage) (any, error) {
			if changesNothing(t, args) {
				return do(ctx, args)
			}
			n := newNote(ctx, t, args, open)
			n.write(ctx, false)
			value, err := do(ctx, args)
			n.end(ctx, value, err)
			return value, err
		}
	}
}

// journalNote is the pair of entries that the journal has of one call.
type journalNote struct {
	entry endpointfs.JournalEntry
	dir   string
	open  func(context.Context, string) (Journal, error)
	said  bool // that it could not be written
}

func newNote(ctx context.Context, t *operation.Tool, args json.RawMessage, open func(context.Context, string) (Journal, error)) *journalNote {
	n := &journalNote{open: open}
	n.entry = endpointfs.JournalEntry{Call: rand.Text(), Operation: t.Name, Face: operation.FaceOf(ctx), Event: endpointfs.Began, Time: time.Now()}
	n.entry.Endpoint, n.dir, n.entry.Arguments = recordableArgs(t, args)
	return n
}

// write adds the entry. A call that failed, as with a directory that does not
// exist, leaves no directory behind: only anew may make one.
func (n *journalNote) write(ctx context.Context, anew bool) {
	journal, err := n.open(ctx, n.dir)
	if err == nil && (anew || journal.Exists()) {
		err = journal.Append(n.entry)
	}
	if err != nil && !n.said {
		n.said = true
		zerolog.Ctx(ctx).Warn().Err(err).Str("operation", n.entry.Operation).Msg("the journal could not be written; the operation continues")
	}
}

func (n *journalNote) end(ctx context.Context, value any, err error) {
	e := &n.entry
	began := e.Time
	e.Event, e.Time, e.Arguments = endpointfs.Ended, time.Now(), nil
	e.Seconds = float64(e.Time.Sub(began).Milliseconds()) / 1000
	if err == nil {
		e.Outcome = "done"
		if v, ok := value.(noter); ok {
			v.note(e)
		}
	} else {
		noteFailure(e, Classify(err))
	}
	n.write(ctx, err == nil)
}

// changesNothing is true for a call that leaves everything as it is.
func changesNothing(t *operation.Tool, args json.RawMessage) bool {
	if t.Effect == operation.Reads {
		return true
	}
	if t.ChangesBy != "" {
		fields := map[string]any{}
		return json.Unmarshal(args, &fields) == nil && fields[t.ChangesBy] != true
	}
	arg, err := t.DecodeArgs(args)
	if err != nil {
		return false
	}
	i, ok := arg.(idle)
	return ok && i.idle()
}

// recordableArgs picks from the arguments what may be written down: names, switches,
// numbers, durations and words of a list. Any other text could be a secret,
// such as the code of a login.
func recordableArgs(t *operation.Tool, args json.RawMessage) (name, dir string, kept json.RawMessage) {
	given := map[string]json.RawMessage{}
	if json.Unmarshal(args, &given) != nil {
		return "", "", nil
	}
	safe := map[string]json.RawMessage{}
	for f := range t.Fields() {
		value, ok := given[f.Name]
		if !ok {
			continue
		}
		switch kind := f.Type.Kind(); {
		case f.Name == operation.ConfigDirField:
			_ = json.Unmarshal(value, &dir) // it was validated
		case f.Name == "name":
			_ = json.Unmarshal(value, &name)
			name = operation.Clean(name)
		case kind == reflect.Bool, kind == reflect.Int, f.Type == reflect.TypeFor[operation.Duration](), len(f.Enum) > 0:
			safe[f.Name] = value
		}
	}
	if len(safe) > 0 {
		kept, _ = operation.Marshal(safe)
	}
	return name, dir, kept
}

// noteFailure notes how a call failed, with what shows the cause.
func noteFailure(e *endpointfs.JournalEntry, err *operation.Error) {
	e.Outcome = "failed"
	switch err.Code {
	case operation.CodeRefused:
		e.Outcome = "refused"
	case operation.CodeCanceled:
		e.Outcome = "interrupted"
	}
	e.Code, e.Message = string(err.Code), err.Message
	if err.Data != nil {
		if err.Data.ExitStatus != nil {
			e.Evidence = append(e.Evidence, fmt.Sprintf("the daemon's exit status: %d", *err.Data.ExitStatus))
		}
		for _, s := range err.Data.Steps {
			e.Evidence = append(e.Evidence, s.String())
		}
	}
}

func (s EndpointStatus) note(e *endpointfs.JournalEntry) {
	e.Endpoint, e.ID = operation.Clean(s.Name), s.ID
	if s.Outcome != "" {
		e.Outcome = s.Outcome
	}
	e.Evidence = append(e.Evidence, strings.TrimSuffix(s.Status+": "+s.Reason, ": "))
	if s.Trouble != nil {
		e.Evidence = append(e.Evidence, "trouble: "+s.Trouble.Problem)
	}
	if s.Runtime != nil {
		e.Evidence = append(e.Evidence, "runtime: "+strings.TrimSpace(s.Runtime.Path+" "+s.Runtime.Version))
	}
}

func (c EndpointConfiguration) note(e *endpointfs.JournalEntry) {
	e.Endpoint, e.Outcome = operation.Clean(c.Name), "configured"
	e.Evidence = append(e.Evidence, "wrote "+strings.Join(c.Files, ", ")+" in "+operation.Clean(c.Path))
}

func (d EndpointDeletion) note(e *endpointfs.JournalEntry) {
	e.Endpoint, e.ID, e.Outcome = operation.Clean(d.Name), d.ID, "deleted"
	for _, s := range d.Steps {
		e.Evidence = append(e.Evidence, s.String())
	}
}

func (p EndpointPruning) note(e *endpointfs.JournalEntry) {
	e.Outcome = p.Outcome
	for _, s := range p.Steps {
		e.Evidence = append(e.Evidence, s.String())
	}
}

func (r LoginReport) note(e *endpointfs.JournalEntry) {
	e.Outcome = r.Outcome
	a := r.Account
	if a.Identity != nil {
		e.Evidence = append(e.Evidence, "identity: "+operation.Clean(strings.TrimSpace(a.Identity.Username+" "+a.Identity.ID)))
	}
	for _, s := range a.Services {
		if s.LoggedIn {
			e.Evidence = append(e.Evidence, s.Service+": logged in, "+operation.Clean(s.Store))
		}
	}
}

func (r LogoutReport) note(e *endpointfs.JournalEntry) {
	e.Outcome = "logged_out"
	for _, t := range r.Tokens {
		text := t.Service + " " + t.Kind + ": "
		switch {
		case t.Revoked && t.Removed:
			text += "revoked and removed"
		case t.Removed:
			text += "removed, not revoked"
		default:
			text += "not removed"
		}
		e.Evidence = append(e.Evidence, text)
	}
}

func (r RuntimeStatus) note(e *endpointfs.JournalEntry) {
	if r.Outcome != "" {
		e.Outcome = r.Outcome
	}
	if r.Runtime != nil {
		e.Evidence = append(e.Evidence, strings.TrimSpace(r.Runtime.Path+" "+r.Runtime.Version))
	}
}
