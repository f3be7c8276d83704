package machine

import (
	"os"
	"os/user"
	"strconv"

	"chiltepin/endpointfs"
	"chiltepin/tools"
)

// openJournal is the journal of a configuration directory, in which this process
// signs what it does.
func (m Host) openJournal(configDir string) (tools.Journal, error) {
	dir, err := m.configDir(configDir)
	if err != nil {
		return nil, err
	}
	return signed{JournalFile: endpointfs.Open(dir).Journal(), version: m.Version}, nil
}

// signed is a journal whose entries say who made them.
type signed struct {
	endpointfs.JournalFile
	version string
}

// Append adds who, where and which process.
func (s signed) Append(e endpointfs.JournalEntry) error {
	e.PID, e.Version = os.Getpid(), s.version
	e.Host, _ = os.Hostname()
	e.User = strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil {
		e.User = u.Username
	}
	return s.JournalFile.Append(e)
}
