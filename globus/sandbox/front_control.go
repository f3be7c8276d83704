package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"chiltepin/globus/sandbox/broker"
)

// controlPrefix is reached under the loopback address only, never under a
// production host name.
const controlPrefix = "/_sandbox/"

func (s *Sandbox) newControlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sandbox/state", s.handleState)
	mux.HandleFunc("GET /_sandbox/journal", s.handleJournal)
	mux.HandleFunc("GET /_sandbox/faults", func(w http.ResponseWriter, r *http.Request) {
		left := []any{}
		for _, f := range s.faults.remainingFaults() {
			left = append(left, faultDoc{Fault: f, DelayText: durationText(f.Delay)})
		}
		writeJSON(w, http.StatusOK, map[string]any{"faults": left})
	})
	handleCommand(mux, "POST /_sandbox/faults", func(in faultDoc) (any, error) {
		delay, err := parseDuration("delay", in.DelayText)
		if err != nil {
			return nil, err
		}
		in.Fault.Delay = delay
		s.Order(in.Fault)
		return map[string]any{"ordered": in.Fault.String()}, nil
	})
	mux.HandleFunc("DELETE /_sandbox/faults", func(w http.ResponseWriter, r *http.Request) {
		s.ClearFaults()
		writeJSON(w, http.StatusOK, map[string]any{})
	})
	handleCommand(mux, "POST /_sandbox/broker/faults", func(in brokerFaultDoc) (any, error) {
		delay, err := parseDuration("delay", in.DelayText)
		if err != nil {
			return nil, err
		}
		if !slices.Contains([]string{"refuse", "auth", "close", "silent", "delay"}, in.Kind) {
			return nil, fmt.Errorf("kind: want refuse, auth, close, silent or delay, got %q", in.Kind)
		}
		in.ConnectionFault.Delay = delay
		s.broker.AddFault(in.ConnectionFault)
		return map[string]any{"ordered": in.Kind}, nil
	})
	handleCommand(mux, "POST /_sandbox/broker/close", func(in struct {
		User string `json:"user"`
	}) (any, error) {
		return map[string]any{"closed": s.broker.CloseConnections(in.User)}, nil
	})
	handleCommand(mux, "POST /_sandbox/clock", func(in struct {
		Offset string `json:"offset"`
	}) (any, error) {
		offset, err := parseDuration("offset", in.Offset)
		if err != nil {
			return nil, err
		}
		s.SetClock(offset)
		return map[string]any{"now": s.clock.now()}, nil
	})
	handleCommand(mux, "POST /_sandbox/settings", s.handleSettings)
	handleCommand(mux, "POST /_sandbox/identities", func(in Identity) (any, error) { return s.AddIdentity(in), nil })
	handleCommand(mux, "POST /_sandbox/clients", func(in struct {
		Application
		Confidential bool `json:"confidential"`
	}) (any, error) {
		if in.Confidential && in.Secret == "" {
			in.Secret = newSecret("")
		}
		return s.AddClient(in.Application), nil
	})
	handleCommand(mux, "POST /_sandbox/tokens/expire", func(in kindDoc) (any, error) { return in.endTokens(s.ExpireTokens) })
	handleCommand(mux, "POST /_sandbox/tokens/revoke", func(in kindDoc) (any, error) { return in.endTokens(s.RevokeTokens) })
	handleCommand(mux, "POST /_sandbox/down", func(struct{}) (any, error) { return map[string]any{}, s.Down() })
	mux.HandleFunc("POST /_sandbox/up", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Up(r.Context()); err != nil {
			writeJSON(w, http.StatusConflict, map[string]any{"error": err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{})
	})
	return mux
}

type faultDoc struct {
	Fault
	DelayText string `json:"delay,omitempty"`
}

type brokerFaultDoc struct {
	broker.ConnectionFault
	DelayText string `json:"delay,omitempty"`
}

type kindDoc struct {
	Kind string `json:"kind"`
}

func (k kindDoc) endTokens(how func(kind string) int) (any, error) {
	switch k.Kind {
	case "":
		k.Kind = "access"
	case "access", "refresh":
	default:
		return nil, fmt.Errorf("kind: want access or refresh, got %q", k.Kind)
	}
	return map[string]any{"tokens": how(k.Kind)}, nil
}

// handleCommand registers a control request whose body is a T: unknown members are
// refused, so that a misspelt fault is not silently none.
func handleCommand[T any](mux *http.ServeMux, pattern string, run func(T) (any, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		var in T
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
		d.DisallowUnknownFields()
		if r.ContentLength != 0 {
			if err := d.Decode(&in); err != nil {
				writeJSON(w, http.StatusBadRequest, map[string]any{"error": err.Error()})
				return
			}
		}
		out, err := run(in)
		if err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]any{"error": err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, out)
	})
}

func parseDuration(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf(`%s: want a duration such as "90s", got %q`, name, text)
	}
	return d, nil
}

func durationText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// handleJournal answers with JSON lines, as --journal writes them. The query
// kind, event, host, method and path each narrow them; since is a seq.
func (s *Sandbox) handleJournal(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	w.Header().Set("Content-Type", "application/x-ndjson")
	var since int
	_, _ = fmt.Sscanf(q.Get("since"), "%d", &since)
	entries, _ := s.journal.entriesSince(since)
	is := func(name, value string) bool { return q.Get(name) == "" || strings.EqualFold(q.Get(name), value) }
	for _, e := range entries {
		if is("kind", e.Kind) && is("event", e.Event) && is("host", e.Host) && is("method", e.Method) && is("path", e.Path) {
			encodeJSON(w, e)
		}
	}
}
