package endpointfs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"chiltepin/endpointfs/internal/regular"
)

// PIDFile is what daemon.pid says. The daemon makes it when it starts, touches
// it every 15 seconds and removes it when it ends.
type PIDFile struct {
	Exists  bool      // something of that name is there, whatever it is
	PID     int       // the process id in it; 0 when it holds none
	Raw     string    // at most 64 bytes of the content, as they are
	ModTime time.Time // when it was last touched
}

// maxPID is PID_MAX_LIMIT of the kernel.
const maxPID = 4 << 20

// PIDFile reads daemon.pid. One that is not there is no error; one that holds
// anything but a process id is a *[FormatError], with as much of the PIDFile
// as could be read.
func (e *Endpoint) PIDFile() (PIDFile, error) { return readPIDFile(e.filePath(pidFile)) }

func readPIDFile(path string) (PIDFile, error) {
	data, modified, err := regular.Read(path, 4096)
	if errors.Is(err, fs.ErrNotExist) {
		return PIDFile{}, nil
	}
	p := PIDFile{Exists: true, ModTime: modified, Raw: string(data[:min(len(data), 64)])}
	if err != nil {
		return p, err
	}
	pid, problem := parsePID(data)
	if problem != "" {
		return p, &FormatError{File: path, Problem: problem, Remedy: "if no daemon of this endpoint runs, remove the file"}
	}
	p.PID = pid
	return p, nil
}

// parsePID returns the process id, or what is wrong.
func parsePID(data []byte) (pid int, problem string) {
	text := bytes.TrimSpace(data)
	if len(text) == 0 {
		return 0, "it is empty, not a process id"
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange) || text[0] == '+':
		return 0, fmt.Sprintf("it holds %q, not a process id", text[:min(len(text), 64)])
	case err != nil || n < 1 || n > maxPID:
		return 0, fmt.Sprintf("it holds %q, which no process can have as its id", text[:min(len(text), 64)])
	}
	return int(n), ""
}
