package endpointfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
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

// LastMarker returns the last marker of the log, and whether there is one. It
// reads at most the last 16 MiB, from the end. A log that is not there has
// none.
func (l Log) LastMarker() (Marker, bool, error) {
	f, size, err := openLog(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return Marker{}, false, nil
	}
	if err != nil {
		return Marker{}, false, err
	}
	defer f.Close()
	start := max(0, size-markerTail)
	data := make([]byte, size-start)
	n, err := f.ReadAt(data, start)
	if err != nil && err != io.EOF {
		return Marker{}, false, err
	}
	m, ok := lastMarker(data[:n])
	return m, ok, nil
}

func openLog(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// Markers returns the markers in a piece of a log, in their order.
func Markers(data []byte) []Marker {
	var all []Marker
	var at time.Time
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, "\r\n")
		if t, ok := lineTime(line); ok {
			at = t
		}
		if m, ok := parseMarker(line); ok {
			m.Time = at
			all = append(all, m)
		}
	}
	return all
}

func lastMarker(data []byte) (Marker, bool) {
	all := Markers(data)
	if len(all) == 0 {
		return Marker{}, false
	}
	return all[len(all)-1], true
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
			if id := canonicalUUID(string(bytes.TrimSpace(rest))); id != "" {
				return Marker{Kind: mark.kind, ID: id}, true
			}
		}
	}
	return Marker{}, false
}

// timeLayout is LOG_TS_FMT of logging_config.py.
const timeLayout = "2006-01-02 15:04:05,000000"

// lineTime reads the time at the beginning of a record's first line.
func lineTime(line []byte) (time.Time, bool) {
	if len(line) < len(timeLayout) || line[4] != '-' || line[19] != ',' {
		return time.Time{}, false
	}
	t, err := time.ParseInLocation(timeLayout, string(line[:len(timeLayout)]), time.Local)
	return t, err == nil
}
