package process

import (
	"context"
	"strings"
	"syscall"
)

// Process is what the kernel says about one process at one instant.
type Process struct {
	PID     int
	Parent  int
	Session int
	// UID is the effective user.
	UID int
	// StartTime is field 22 of /proc/PID/stat, clock ticks since boot. With
	// host and boot id it tells a process from every other that had its id.
	StartTime uint64
	// Suspended is true for a process that was stopped by a signal.
	Suspended bool
	// Command is the argument list. A process that has set a title has it as
	// the only element.
	Command []string
}

// Title returns the command line as one text.
func (p Process) Title() string { return strings.Join(p.Command, " ") }

// Presence says whether a process works in a directory.
type Presence int

// The answers.
const (
	// Unseen means that it could not be seen, as with another user's process.
	Unseen Presence = iota
	// Inside means that its working directory or a file that it has open is
	// there.
	Inside
	// Outside means that it could be seen and is not there.
	Outside
)

// Table is how a program sees and reaches the processes of a machine. Zombies
// do not count as processes: what they were is dead.
type Table interface {
	// Select returns the processes of this user whose argument list match
	// accepts, as /proc has it with a zero byte after each argument; for root,
	// those of all users.
	Select(match func(arguments []byte) bool) ([]Process, error)
	// Lookup returns the process of that id, and whether there is one.
	Lookup(pid int) (Process, bool, error)
	// Presence says whether p works in dir: its working directory is dir, or
	// it has a file directly in dir open whose name begins with prefix.
	Presence(p Process, dir, prefix string) Presence
	// Writes says whether p has a file below dir open for writing whose name
	// matches one of the patterns.
	Writes(p Process, dir string, patterns ...string) bool
	// Session returns the processes of a session, which is named by the
	// process id of its leader.
	Session(id int) ([]Process, error)
	// Hold returns a handle that names the process which has that id now, and
	// never another. It fails with [syscall.ESRCH] when there is none.
	Hold(pid int) (Handle, error)
}

// Handle is a handle on one process, alive or dead. It is safe for concurrent
// use until Close.
type Handle interface {
	// Signal sends a signal to the process, and fails with [syscall.ESRCH]
	// when it is dead.
	Signal(syscall.Signal) error
	// Dead says whether the process has ended; a zombie has.
	Dead() bool
	// Wait waits until the process has ended or ctx is done, and then returns
	// the error of ctx.
	Wait(ctx context.Context) error
	// Close gives the handle back.
	Close() error
}

// UnsupportedError says what the kernel of this machine lacks.
type UnsupportedError struct{ Need string }

// Error names what is lacking.
func (e *UnsupportedError) Error() string { return "this kernel lacks " + e.Need }
