package endpointfs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"chiltepin/endpointfs/internal/regular"
)

// LaunchRecord is what chiltepin notes about a daemon that it has launched, in
// chiltepin.json beside the daemon's own files: daemon.pid names neither the
// machine nor its boot, and a process id comes round again. It is evidence,
// never proof by itself.
type LaunchRecord struct {
	Version          int       `json:"version"`           // of this format; [LaunchRecordVersion]
	Host             string    `json:"host"`              // name of the machine
	BootID           string    `json:"boot_id"`           // of the machine's boot
	PID              int       `json:"pid"`               // of the daemon
	StartTime        uint64    `json:"start_time"`        // of the process: field 22 of /proc/PID/stat, clock ticks since boot
	ID               string    `json:"id,omitempty"`      // UUID of the endpoint, once known
	Runtime          string    `json:"runtime,omitempty"` // path of the globus-compute-endpoint that was run
	ChiltepinVersion string    `json:"chiltepin_version"` // who wrote this
	ClientID         string    `json:"client_id,omitempty"`
	LogOffset        int64     `json:"log_offset"` // size of endpoint.log at launch
	Launched         time.Time `json:"launched"`   // when
}

// LaunchRecordVersion is the format that [Endpoint.WriteLaunchRecord] writes. A file of
// a later format is a *[FormatError].
const LaunchRecordVersion = 1

// ReadLaunchRecord returns the note, and whether there is one.
func (e *Endpoint) ReadLaunchRecord() (LaunchRecord, bool, error) {
	path := e.filePath(launchRecordFile)
	data, _, err := regular.Read(path, maxStateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return LaunchRecord{}, false, nil
	}
	if err != nil {
		return LaunchRecord{}, false, err
	}
	s, problem := parseLaunchRecord(data)
	if problem != "" {
		return LaunchRecord{}, false, &FormatError{File: path, Problem: problem, Remedy: "remove the file; it is written again at the next start"}
	}
	return s, true, nil
}

// WriteLaunchRecord writes the note in one step, with mode 0600. It sets Version.
// The caller holds the endpoint's lock.
func (e *Endpoint) WriteLaunchRecord(s LaunchRecord) error {
	s.Version = LaunchRecordVersion
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	root, err := e.openRoot()
	if err != nil {
		return fmt.Errorf("writing %s of endpoint %q: %w", launchRecordFile, e.name, err)
	}
	defer root.Close()
	if err := writeAtomic(root, launchRecordFile, append(data, '\n')); err != nil {
		return fmt.Errorf("writing %s of endpoint %q: %w", launchRecordFile, e.name, err)
	}
	return nil
}

// RemoveUnfinishedRecord removes a note that a killed process was writing, as far as
// it can. The caller holds the endpoint's lock.
func (e *Endpoint) RemoveUnfinishedRecord() { _ = e.removeFile(launchRecordFile + unfinished) }

// RemoveLaunchRecord removes the note. One that is not there is no error.
func (e *Endpoint) RemoveLaunchRecord() error {
	err := e.removeFile(launchRecordFile)
	if err != nil {
		return fmt.Errorf("removing %s of endpoint %q: %w", launchRecordFile, e.name, err)
	}
	return nil
}

func (e *Endpoint) removeFile(name string) error {
	root, err := e.openRoot()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// parseLaunchRecord returns the note, or what is wrong with it.
func parseLaunchRecord(data []byte) (s LaunchRecord, problem string) {
	if err := json.Unmarshal(data, &s); err != nil {
		return LaunchRecord{}, jsonProblem(err)
	}
	switch {
	case s.Version > LaunchRecordVersion:
		return LaunchRecord{}, fmt.Sprintf("it is of format %d, written by chiltepin %q; this one knows format %d", s.Version, s.ChiltepinVersion, LaunchRecordVersion)
	case s.Version < 1:
		return LaunchRecord{}, "it has no version"
	case s.PID < 1 || s.PID > maxPID:
		return LaunchRecord{}, "it holds no process id"
	case s.Host == "":
		return LaunchRecord{}, "it names no host"
	}
	return s, ""
}
