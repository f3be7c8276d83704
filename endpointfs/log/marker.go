package log

import (
	"bytes"
	"errors"
	"io"
	"time"

	"chiltepin/endpointfs/internal/pytext"
)

// MarkerKind says which of the daemon's two marks a [Marker] is.
type MarkerKind string

// The marks of a life in the log.
const (
	Begins MarkerKind = "begins" // the daemon is up
	Ends   MarkerKind = "ends"   // the daemon has shut down in an orderly way
)

// Marker is a line with which the daemon marks its beginning or its end in
// the log.
type Marker struct {
	Kind MarkerKind
	ID   string    // UUID of the endpoint
	Time time.Time // of the record, in the machine's own zone as the daemon writes it; zero when it could not be told
}

// markerTail is how much of a log's end is searched for a marker. A debug
// log grows by about 1 MB an hour.
const markerTail = 16 << 20

// LastMarker returns the last marker of the log, and whether there is one in
// its last 16 MiB, rotation included. A log that is not there has none.
func (l Files) LastMarker() (Marker, bool, error) {
	files, err := l.openFiles()
	if err != nil {
		return Marker{}, false, err
	}
	defer closeAll(files)
	left := int64(markerTail)
	for _, f := range files {
		m, ok, err := lastMarker(newBackwardReader(f, f.size), f.size-left)
		if ok || err != nil {
			return m, ok, err
		}
		if left -= f.size; left <= 0 {
			break
		}
	}
	return Marker{}, false, nil
}

// lastMarker reads backwards as far as the offset limit.
func lastMarker(r *backwardReader, limit int64) (m Marker, found bool, err error) {
	for r.pos > limit {
		line, _, err := r.nextLine()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return m, found, err
		}
		if found {
			// The marker is part of a record, whose first line has the time.
			if h, ok := parseHeader(line); ok {
				m.Time = h.writtenAt()
				break
			}
			continue
		}
		m, found = parseMarker(line)
	}
	return m, found, nil
}

// Markers returns the markers in a piece of a log, in their order.
func Markers(data []byte) []Marker {
	var all []Marker
	var at time.Time
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, "\r\n")
		if h, ok := parseHeader(line); ok {
			at = h.writtenAt()
		}
		if m, ok := parseMarker(line); ok {
			m.Time = at
			all = append(all, m)
		}
	}
	return all
}

// parseMarker reads one line. The daemon's words are "Core Endpoint" since
// release 4.18, "Endpoint Manager" before; a user endpoint's are "Endpoint
// begins" and "Endpoint shutdown".
func parseMarker(line []byte) (Marker, bool) {
	for _, mark := range []struct {
		text string
		kind MarkerKind
	}{
		{"========== Core Endpoint begins: ", Begins},
		{"========== Endpoint Manager begins: ", Begins},
		{"========== Endpoint begins: ", Begins},
		{"---------- Core Endpoint ends: ", Ends},
		{"---------- Endpoint Manager ends: ", Ends},
		{"---------- Endpoint shutdown: ", Ends},
	} {
		if rest, ok := bytes.CutPrefix(line, []byte(mark.text)); ok {
			if id := pytext.CanonicalUUID(string(bytes.TrimSpace(rest))); id != "" {
				return Marker{Kind: mark.kind, ID: id}, true
			}
		}
	}
	return Marker{}, false
}
